"""The traces of a sweep, which know which of them a test is looking at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import SupportsIndex, overload

from checker.suite import explain
from checker.suite.grader import Played, Result
from checker.trace import Trace


class Swept(list[Trace]):
    """The cancelled runs of a sweep, as a list of traces.

    A suite asserts on them when all have been played, and says only that something is wrong, not in which.
    So whatever trace it takes out of the list is the one that a failure is about, until it takes the next;
    after a loop to the end that is, as without a loop, the run that was left alone.

    Args:
        result: of the test, whose `last` run is told and drawn.
        struck: the cancelled runs.
        alone: the run that was left alone.
    """

    def __init__(self, result: Result, struck: Sequence[Played], alone: Played | None) -> None:
        super().__init__(played.trace for played in struck)
        self._result = result
        self._struck = list(struck)
        self._alone = alone

    def __iter__(self) -> Iterator[Trace]:
        for played in self._struck:
            yield self._look_at(played)
        if self._alone is not None:
            self._look_at(self._alone)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Trace: ...
    @overload
    def __getitem__(self, place: slice) -> list[Trace]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Trace | list[Trace]:
        if isinstance(place, slice):
            return Swept(self._result, self._struck[place], self._alone)
        return self._look_at(self._struck[place])

    def _look_at(self, played: Played) -> Trace:
        explain.current, self._result.last = played.trace, played
        return played.trace
