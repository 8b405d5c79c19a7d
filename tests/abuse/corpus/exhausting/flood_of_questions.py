r"""Asks the sandbox's first process a hundred thousand things and takes no answer.

Named: still busy|processor time|real time|ended its own
May earn: 0
"""

import gc
import os
import signal

link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "PipeOnlooker")
for _ in range(1_000_000):
    os.write(link._ask, b"?")
signal.pause()
