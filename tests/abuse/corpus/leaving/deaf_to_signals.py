r"""Turns off every timer and ignores every signal, then never ends.

Named: Importing your file .*(stopped|killed)
May earn: 0
"""

import signal

signal.alarm(0)
signal.setitimer(signal.ITIMER_REAL, 0)
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
