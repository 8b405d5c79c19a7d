"""A trace: what the world has seen of one run, and what the runner told of it.

All times are virtual seconds since the start of the run.  The answers to a trace's questions know what
they are the answer to (`what`), so that a failing `assert` can say it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from checker.values import Error, Frame

TOLERANCE = 1e-6
"""Virtual seconds by which a time may be off."""


class Seconds(float):
    """A moment or a length of virtual time; equal to what is within `TOLERANCE` of it."""

    __slots__ = ("what",)  # there may be 20,000 of them in a trace

    what: str
    """What it is the answer to; empty where nobody asked."""

    def __new__(cls, value: float, what: str = "") -> Seconds:
        """Take a number of seconds, and what it is the answer to."""
        made = super().__new__(cls, value)
        made.what = what
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | float):
            return NotImplemented
        return abs(float(self) - float(other)) <= TOLERANCE

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __le__(self, other: float) -> bool:
        return float(self) <= float(other) + TOLERANCE

    def __ge__(self, other: float) -> bool:
        return float(self) >= float(other) - TOLERANCE

    def __lt__(self, other: float) -> bool:
        return not self >= other

    def __gt__(self, other: float) -> bool:
        return not self <= other

    __hash__ = None  # type: ignore[assignment]  # what is equal within a tolerance has no hash

    def __repr__(self) -> str:
        return f"{float(round(self, 6)):g}" if abs(self) < 1e6 else float.__repr__(self)


class Count(int):
    """A number of things; knows of what."""

    what: str = ""

    def __new__(cls, value: int, what: str = "") -> Count:
        """Take a number, and what it is the answer to."""
        made = super().__new__(cls, value)
        made.what = what
        return made


class Answer(list[Any]):
    """A list of things; knows of what."""

    def __init__(self, items: Iterable[Any], what: str = "") -> None:
        super().__init__(items)
        self.what = what


@dataclass(slots=True)
class Span:
    """One call of a collaborator, from its start to its end by the world's clock."""

    label: str
    number: int
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    start: Seconds
    end: Seconds | None = None
    outcome: str = "open"
    """`done`, `failed`, `cancelled`, `dropped` (its coroutine was thrown away) or `open`: it never ended."""
    value: Any = None
    """What the world gave out at the end: the result, or the `Error`."""
    cancelled_at: Seconds | None = None
    """When it was first cancelled; with a cleanup that takes time, `end` is later."""
    cancels: int = 0
    """How often it was cancelled."""
    interrupted: int = 0
    """How often its cleanup was cut off by a further cancellation."""
    task: str | None = None
    thread: str | None = None
    after_return: bool = False
    """It was started after the submission had given its answer."""

    @property
    def key(self) -> Any:
        """Its first argument: by what calls of one label are told apart."""
        return self.args[0] if self.args else None


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that the scenario noted, or the arguments of a plain callback, and when."""

    label: str
    value: Any
    time: Seconds
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A stretch in which the thread of a running loop was blocked, and the submission's line that did it."""

    start: Seconds
    end: Seconds
    line: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the runner tells of it."""

    name: str
    created: Seconds
    ended: Seconds | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task or thread that was still there, and the submission's lines where it waited, outermost first."""

    name: str
    frames: tuple[Frame, ...]


@dataclass
class Trace:
    """One run."""

    ended: str = "finished"
    """`finished`, `deadlock`, `never ends`, `timed out`, `crashed`, `out of memory` or `refused`."""
    problem: str = ""
    """One sentence for the learner on why it did not finish."""
    problem_line: int | None = None
    problem_column: int | None = None
    result: Any = None
    error: Error | None = None
    elapsed: Seconds = field(default_factory=lambda: Seconds(0.0, "Virtual seconds taken"))
    spans: list[Span] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    waits: list[Seconds] = field(default_factory=list)
    struck_at: Seconds | None = None
    """When a sweep cancelled the submission."""
    passed: int = 0
    """Suspension points that the world has seen it go through: waits up to its cancellation, or else its answer."""
    blocked: list[Blocked] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    leaks: list[Waiting] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Labels under which the world has a script, and has been asked how a call goes."""
    printed: str = ""
    decides: bool = False
    """The submission cannot be played at all: every other run of it would end alike."""
    kept: int = 0
    """Bytes of memory that it takes up, rather too many than too few."""

    def outline(self) -> Trace:
        """How it ended and nothing more, for whoever does not look at the rest."""
        return Trace(
            ended=self.ended,
            problem=self.problem,
            problem_line=self.problem_line,
            problem_column=self.problem_column,
            elapsed=self.elapsed,
            struck_at=self.struck_at,
            decides=self.decides,
        )

    # --- questions ---------------------------------------------------------------------------------

    def calls(self, label: str) -> list[Span]:
        """The calls under `label`, in the order in which they were started."""
        return [span for span in self.spans if span.label == label]

    def call(self, label: str, key: Any) -> Span:
        """The one call under `label` whose first argument is `key`.

        Raises:
            AssertionError: there is no such call, or more than one.
        """
        found = [span for span in self.calls(label) if span.key == key]
        assert len(found) == 1, f"`{label}({key!r})` was called {len(found)} times, expected once."
        return found[0]

    def count(self, label: str) -> Count:
        """How many calls of `label` were started."""
        return Count(len(self.calls(label)), f"Calls of `{label}`")

    def peak(self, label: str) -> Count:
        """The most calls of `label` that were under way at the same time; one that ends as another starts is not."""
        turns = [turn for span in self.calls(label) for turn in _turns(span)]
        most = running = 0
        for _, _, change in sorted(turns):
            running += change
            most = max(most, running)
        return Count(most, f"Most `{label}` calls at the same time")

    def starts(self, label: str) -> Answer:
        """When the calls of `label` started, in starting order."""
        return Answer((span.start for span in self.calls(label)), f"`{label}` started at")

    def ends(self, label: str) -> Answer:
        """When the calls of `label` ended, in starting order; None for one that never did."""
        return Answer((span.end for span in self.calls(label)), f"`{label}` ended at")

    def order(self, label: str, by: str = "start") -> Answer:
        """The first arguments of the calls of `label`, in the order in which they started, or (`by="end"`) ended."""
        spans = self.calls(label)
        if by == "end":
            spans = sorted((span for span in spans if span.end is not None), key=lambda span: float(span.end or 0))
        return Answer((span.key for span in spans), f"`{label}` in order of {by}")

    def outcomes(self, label: str) -> Answer:
        """How the calls of `label` ended, in starting order."""
        return Answer((span.outcome for span in self.calls(label)), f"How the `{label}` calls ended")

    def given(self, label: str, key: Any) -> Any:
        """What the world gave out to the one call of `label` with first argument `key`: its result or `Error`."""
        return self.call(label, key).value

    def all_given(self, label: str) -> list[Any]:
        """What the world gave out to the calls of `label`, in starting order."""
        return [span.value for span in self.calls(label)]

    def overlaps(self, one: Span, other: Span) -> bool:
        """Whether two calls were under way at the same time."""
        return _covers(one, other.start) or _covers(other, one.start)

    def noted(self, label: str) -> Answer:
        """The values noted under `label`, in order."""
        return Answer((note.value for note in self.notes if note.label == label), f"`{label}` noted")

    def noted_at(self, label: str) -> Answer:
        """When values were noted under `label`, in order."""
        return Answer((note.time for note in self.notes if note.label == label), f"`{label}` came at")

    def open_calls(self) -> list[Span]:
        """The calls that were still under way when the submission gave its answer: leaks."""
        return [span for span in self.spans if span.outcome in ("open", "dropped") or span.after_return]

    def interrupted(self) -> list[Span]:
        """The calls whose cleanup was cut off by a further cancellation."""
        return [span for span in self.spans if span.interrupted]


def _turns(span: Span) -> list[tuple[float, int, int]]:
    """When a call comes and goes, and what that changes; sorted, at one moment the first goes before the last comes."""
    start, end = float(span.start), None if span.end is None else float(span.end)
    if end == start:
        return [(start, 1, 1), (start, 2, -1)]
    return [(start, 1, 1)] if end is None else [(start, 1, 1), (end, 0, -1)]


def _covers(span: Span, moment: float) -> bool:
    ends = float("inf") if span.end is None else float(span.end)
    return float(span.start) <= moment < ends or (float(span.start) == moment == ends)


def first_where(items: Sequence[Any], wanted: Callable[[Any], bool]) -> Any | None:
    """The first item that is wanted, or None."""
    return next((item for item in items if wanted(item)), None)
