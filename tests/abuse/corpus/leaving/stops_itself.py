r"""Stops itself with SIGSTOP, so that no limit on processor time is ever reached.

Named: still busy after
May earn: 0
"""

import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
