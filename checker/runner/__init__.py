"""The untrusted side: plays one scenario with one submission, in a process of its own.

Imports nothing of the grader but the two modules that say what crosses the wall.  Nothing in here is
believed by the grader (docs/security.md); it is written so that an honest submission is played
exactly, and so that a dishonest one gains nothing by rewriting it.
"""
