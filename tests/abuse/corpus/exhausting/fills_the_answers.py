r"""Fills every pipe that it finds, so that whoever watches it waits to be heard, then takes memory in two processes.

Named: MiB of memory|processor time|still busy|asks and asks
May earn: -
"""

import os
import signal

for name in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{name}").startswith("pipe:"):
            os.set_blocking(int(name), False)
            while True:
                os.write(int(name), b"?" * 4096)
    except OSError:
        continue
signal.setitimer(signal.ITIMER_REAL, 0)
os.fork()
taken = [bytes([1]) * (300 << 20)]
while True:
    signal.pause()
