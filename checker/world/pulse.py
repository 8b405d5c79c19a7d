"""Notices when the grader itself has stood still, for which no submission is to blame.

It may have been stopped (Ctrl-Z), paused together with its container, or kept from a processor by others.
Limits of real time went on meanwhile, in the grader and in the run that waited for its answer.
"""

from __future__ import annotations

import time

BEAT = 1.0
"""Real seconds from beat to beat, at most, while the grader waits for a run."""
TOLERATED = 1.0
"""Real seconds by which a beat may be late."""


class Pulse:
    """The grader's pulse during one run, whose thread lets it beat whenever it comes to do something for the run."""

    def __init__(self) -> None:
        self._last = _idle()
        self.lost = 0.0
        """Real seconds for which the grader has stood still so far, as far as was noticed."""

    def skip(self) -> None:
        """Whatever the grader has waited for since the last beat, it was on purpose."""
        self._last = _idle()

    def beat(self, waited: float = 0.0) -> float:
        """Note that the grader is at work.

        Args:
            waited: real seconds for which it may have waited on purpose since the last beat.

        Returns:
            The real seconds for which it stood still since then; 0 for a delay that is nothing out of the ordinary.
        """
        now = _idle()
        late = now - self._last - waited
        self._last = now
        if late <= TOLERATED:
            return 0.0
        self.lost += late
        return late


def _idle() -> float:
    """A clock that stands while this thread works: a long message is no standstill."""
    return time.monotonic() - time.thread_time()
