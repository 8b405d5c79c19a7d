"""Grades inside pytest: plays the scenarios that tests ask for, and turns reports into results."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from checker.course import Course, Kata
from checker.submission import Source, Sources
from checker.suite.scenario import ship
from checker.trace import Trace
from checker.values import MAX_KEPT, MAX_KEPT_BY_TEST, Alien, Error, known_name, printable
from checker.world.script import World
from checker.world.session import WALL_CLOCK, GraderFault, Performance, Session

UNWRITTEN = "Not written yet"
"""How the message of a test begins whose function raises NotImplementedError."""
BREACHES = ("blocked", "leaks", "complaints")
"""What `allow` may name: breaches of hygiene that a scenario commits itself."""
MAX_POINTS_SWEPT = 60
"""How many suspension points a sweep tries at most."""
MAX_LEFT = 32 << 20
"""Bytes of memory that the traces of tests that are over may take up, all katas together; of others the end is kept."""


class Failure(AssertionError):
    """The submission fails a test; the message is one sentence for the learner."""


@dataclass(frozen=True)
class Played:
    """One run with all that is needed to play it again: how the reference's timeline is drawn."""

    performance: Performance
    world: World
    seed: str
    trace: Trace


@dataclass
class Result:
    """What came of one test."""

    kata: str
    name: str
    title: str
    aspect: str
    """The property that it is about: `timing`, `ordering`, `cancellation` or `result`."""
    max_points: float
    verdict: str = "error"
    """`passed`, `failed`, or `error`: the grader is at fault."""
    message: str = ""
    plays: int = 0
    """How many runs the test has begun to have played; before the first, nothing of a submission can touch it."""
    planned: set[str] = field(default_factory=set)
    """Labels for which the worlds of its runs have a script."""
    kept: int = 0
    """Bytes of memory that its runs take up together: a sweep keeps them all, and so may a suite."""
    asked: set[str] = field(default_factory=set)
    """Those of them under which there has been a call; a misspelt one is never among them."""
    last: Played | None = None
    """The last of the runs, or the one that a failure is about; of a passed test that is over, how it ended only."""

    @property
    def points(self) -> float:
        """Points earned."""
        return self.max_points if self.verdict == "passed" else 0.0

    @property
    def ended(self) -> str:
        """How the test's last run ended."""
        return self.last.trace.ended if self.last is not None else "finished"


class Grader:
    """Grades one submission.

    Args:
        course: where the katas lie.
        submission: what is graded.
        session: the submission's sandbox.
        seed: draws every number of the run.
    """

    def __init__(self, course: Course, submission: Sources, session: Session, seed: int) -> None:
        self.course = course
        self.submission = submission
        self.session = session
        self.seed = seed
        self.results: dict[str, Result] = {}
        self._sources: dict[str, Source] = {}
        self._decided: dict[str, Trace] = {}
        self._kata = ""
        self._under_way: Result | None = None
        self._left = MAX_LEFT

    def source(self, kata: str) -> Source:
        """The submission's file for a kata, read once."""
        if kata not in self._sources:
            self._sources[kata] = self.submission.source(kata)
        return self._sources[kata]

    def rng(self, name: str) -> random.Random:
        """A source of numbers that depends on the seed and a name alone."""
        return random.Random(f"{self.seed}/{name}")

    def begin(self, result: Result) -> None:
        """A test begins; what another kata's runs have used up is nothing to it."""
        if result.kata != self._kata:
            self._kata = result.kata
            self.session.forget_use()
        for each in self.results.values():
            if each is self._under_way:
                self._put_away(each)
        self._under_way = self.results[f"{result.kata}/{result.name}"] = result

    def _put_away(self, result: Result) -> None:
        """Let go of what nobody looks at any more of a test that is over: only failures are told with their traces."""
        if result.last is not None:
            trace = result.last.trace
            trace = trace.outline() if result.verdict == "passed" else self._afforded(trace)
            result.last = replace(result.last, trace=trace)

    def _afforded(self, trace: Trace) -> Trace:
        """The trace, to be kept to the end; only how it ended where there is no room for more."""
        if any(trace is decided for decided in self._decided.values()):
            return trace  # it is kept already
        if trace.kept > self._left:
            return trace.outline()
        self._left -= trace.kept
        return trace

    def decided(self, kata: str) -> Trace | None:
        """The run that has shown that the submission cannot be played at all in this kata, if one has."""
        return self._decided.get(kata)

    # --- playing ---------------------------------------------------------------------------------------

    def play(self, result: Result, request: Request, strike: int | None = None) -> Trace:
        """Play one scenario for a test and return its trace, whatever came of it.

        Args:
            strike: the suspension point at which the submission is cancelled; None: it is left alone.

        Raises:
            GraderFault: for whatever goes wrong on this side; a submission is not to blame for it.
        """
        try:
            return self._play(result, request, strike)
        except (GraderFault, OSError):
            raise
        except Exception as error:
            raise GraderFault(f"{type(error).__name__}: {error}") from error

    def _play(self, result: Result, request: Request, strike: int | None) -> Trace:
        kata = self.course.find(result.kata)
        source = self.source(kata.name)
        performance = Performance(
            kata=kata.name,
            source=source.data,
            signatures=kata.signatures,
            scenario=request.shipped,
            wall_clock=request.wall_clock,
            strike=strike,
            importable=kata.importable,
            network=kata.network,
        )
        # Played again, alone, a run is dealt other tokens: what the one before knew is of no use to it.
        again = "/again" if self.session.alone else ""
        seed = f"world/{result.kata}/{result.name}/{result.plays}{again}"
        result.plays += 1
        room = max(0, min(MAX_KEPT, MAX_KEPT_BY_TEST - result.kept))
        trace = self._decided.get(kata.name) or self._trace(source, performance, request.world, seed, room)
        result.kept += trace.kept
        # What a shared process has met may be an earlier run's doing; the test is run again alone then.
        if trace.decides and not self.session.shared and not self.session.stalled:
            self._decided[kata.name] = self._afforded(trace)
        result.planned |= request.world.scripts.keys()
        result.asked |= trace.asked
        result.last = Played(performance, request.world, seed, trace)
        return trace

    def _trace(self, source: Source, performance: Performance, world: World, seed: str, room: int) -> Trace:
        if source.problem:
            return Trace(ended="refused", problem=source.problem, decides=True)
        return self.session.play(performance, world, self.rng(seed), room)

    def replay(self, played: Played, kata: Kata, session: Session) -> Trace:
        """Play the same scenario with the reference solution, in a session of its own."""
        performance = replace(played.performance, source=kata.solution.read_bytes())
        return session.play(performance, played.world, self.rng(played.seed))


@dataclass(frozen=True)
class Request:
    """What a test asks to be played, and what it expects of every run."""

    scenario: Callable[..., Any]
    data: dict[str, Any]
    world: World
    raises: type[BaseException] | str | None = None
    hygiene: bool = True
    allow: Sequence[str] = ()
    wall_clock: float = WALL_CLOCK

    @cached_property
    def shipped(self) -> bytes:
        """The scenario and its data as bytes, made once for all runs."""
        return ship(self.scenario, self.data)


def judge(trace: Trace, request: Request) -> None:
    """Fail the test for whatever no run may do, and for an error that was not asked for.

    Raises:
        Failure: with one sentence for the learner.
    """
    if trace.ended != "finished":
        line = f" (line {trace.problem_line})" if trace.problem_line else ""
        raise Failure(f"{printable(trace.problem or trace.ended)}{line}")
    error = trace.error
    if error is not None and _unwritten(error):
        raise Failure(f"{UNWRITTEN}: it raises NotImplementedError{where(error)}.")
    # Before hygiene: an error that nobody expects breaks off the scenario, which then leaves things behind itself.
    judge_error(error, trace, request)
    if isinstance(trace.result, Alien):
        raise Failure(f"It returned {trace.result!r}, which is no plain data such as a list or a string.")
    if request.hygiene:
        breach = first_breach(trace, request.allow)
        if breach:
            raise Failure(breach)


def judge_error(error: Error | None, trace: Trace, request: Request) -> None:
    """Fail the test for an error that was not asked for, or for the lack of one that was."""
    if request.raises is None:
        if error is not None:
            raise Failure(f"It raised {describe(error)}{where(error)}.")
        return
    wanted = request.raises if isinstance(request.raises, str) else known_name(request.raises)
    if error is None:
        raise Failure(f"It should have raised {wanted}; it returned {shorten(trace.result)}.")
    if not error.is_a(wanted) and not any(leaf.is_a(wanted) for leaf in error.leaves()):
        raise Failure(f"It should have raised {wanted}; it raised {describe(error)}{where(error)}.")


def first_breach(trace: Trace, allow: Iterable[str] = ()) -> str:
    """What a run did that no run of any kata may do, as a sentence; empty if nothing."""
    if "blocked" not in allow:
        for stretch in trace.blocked:
            line = f", line {stretch.line}" if stretch.line else ""
            return f"The event loop was blocked for {stretch.end - stretch.start:g} s{line}."
    if "leaks" not in allow:
        if trace.leaks:
            leak = trace.leaks[0]
            line = f" (waiting in line {leak.frames[-1].line})" if leak.frames else ""
            more = f", and {len(trace.leaks) - 1} more" if len(trace.leaks) > 1 else ""
            return f"A task was left running: {printable(leak.name)}{line}{more}."
        calls = trace.open_calls()
        if calls:
            shown = ", ".join(sorted({f"`{printable(call.label)}`" for call in calls}))
            return f"Left unfinished: {len(calls)} call{'s' * (len(calls) > 1)} of {shown}."
    if "complaints" not in allow and trace.complaints:
        return printable(trace.complaints[0])
    return ""


def _unwritten(error: Error) -> bool:
    return error.is_a(NotImplementedError) or any(_unwritten(member) for member in error.errors)


def where(error: Error) -> str:
    """The learner's line that an error came from, to be put behind it; empty if there is none."""
    if error.frames:
        return f" (line {error.frames[-1].line})"
    return where(error.errors[0]) if error.errors else ""


def describe(error: Error) -> str:
    """An error in a few words."""
    text = printable(error.shown)
    if error.message:
        text += f": {printable(error.message[:200])}"
    if error.errors:
        text += f" [{', '.join(describe(member) for member in error.errors[:3])}{', …' if error.errors[3:] else ''}]"
    return text


def shorten(value: Any, limit: int = 160) -> str:
    """A value's repr, cut in the middle if it is long."""
    text = repr(value)
    if len(text) > limit:  # first, since what is made visible takes up much more for a moment
        return f"{printable(text[: limit - 40])} … {printable(text[-36:])}"
    return printable(text)
