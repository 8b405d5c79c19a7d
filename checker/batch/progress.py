"""Tells how a batch goes on: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from checker.rows import Grading
from checker.values import inert

EVERY = 10.0
"""Real seconds between two lines where there is no terminal."""


class Progress:
    """Args: total: how many learners there are."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._katas = 0
        self._faults = 0
        self._began = self._told = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("grading", total=self._total, rate="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advanced(self, learner: str, gradings: Sequence[Grading]) -> None:
        """One learner's work is done."""
        self._done += 1
        self._katas += len(gradings)
        for grading in gradings:
            if grading.verdict == "error":
                self._faults += 1
                self._say(f"No grade yet for {learner}, {grading.kata}: {_fault(grading)}")
        passed = time.monotonic() - self._began
        rate = f"{self._katas / passed:.1f} katas/s" if passed > 1 else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, rate=rate)
        elif time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            left = passed / self._done * (self._total - self._done)
            self._say(f"{self._done} of {self._total} graded, {rate}, about {_duration(left)} left")

    def _say(self, line: str) -> None:
        line = inert(line)  # a name may be a command to the server that keeps the log
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def _fault(grading: Grading) -> str:
    return grading.problem or next((test.message for test in grading.tests if test.verdict == "error"), "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
