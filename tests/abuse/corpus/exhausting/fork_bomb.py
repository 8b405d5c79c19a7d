r"""Forks as long as it can, and so do its children; all of them ignore signals and live on.

Named: spoke to the grader|raised BlockingIOError|killed|real time|processor time
May earn: 0
"""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        os.setsid()
