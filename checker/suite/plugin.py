"""The pytest plugin: fixtures for suites, words for failed assertions, results for the grader.

Bare `pytest` grades the reference solutions; `pytest --submission katas` the stubs.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest.assertion import util as assertions
from _pytest.runner import runtestprotocol

from checker.suite import PROPERTIES, explain, sweeping
from checker.suite.grader import (
    BREACHES,
    MAX_POINTS_SWEPT,
    UNWRITTEN,
    Failure,
    Grader,
    Played,
    Request,
    Result,
    judge,
)
from checker.suite.scenario import names_target
from checker.suite.swept import Swept
from checker.trace import Trace
from checker.world.script import BadWorld, World
from checker.world.session import WALL_CLOCK, GraderFault, Session

GRADER: pytest.StashKey[Grader] = pytest.StashKey()
RESULT: pytest.StashKey[Result] = pytest.StashKey()

Run = Callable[..., Awaitable[Trace]]
Sweep = Callable[..., Awaitable[list[Trace]]]

MOST_REPETITIONS = 3
"""How often a test is run again where the grader stands still each time."""


# --- the session -----------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of bare pytest; `kata` brings its own grader along."""
    group = parser.getgroup("katas")
    group.addoption("--submission", default=None, help="what the suites grade: a file or folder; default: solutions")
    group.addoption("--seed", type=int, default=None, help="draws the numbers of every run; default: a new one")
    group.addoption("--sandbox", default="auto", help="auto, bwrap, landlock or none")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for name in PROPERTIES:
        config.addinivalue_line("markers", f"{name}: the property that this test of a suite is about")
    config.addinivalue_line("markers", "points(n): how many points this test of a suite is worth; default 1")


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is graded, and with which seed."""
    grader = _grader(config)
    return f"submission: {getattr(grader.submission, 'path', 'by value')}, seed: {grader.seed}"


def _grader(config: pytest.Config) -> Grader:
    if GRADER not in config.stash:
        from checker.course import installed_course
        from checker.submission import Submission

        course = installed_course()
        path = config.getoption("--submission")
        seed = config.getoption("--seed")
        preload = sorted({module for kata in course.katas for module in kata.preload})
        config.stash[GRADER] = Grader(
            course,
            Submission(Path(path) if path else course.root / "solutions"),
            Session(config.getoption("--sandbox"), preload),
            random.SystemRandom().randrange(2**32) if seed is None else seed,
        )
        config.add_cleanup(config.stash[GRADER].session.close)
    return config.stash[GRADER]


# --- one test --------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a suite's test; one whose failure may not be the submission's doing is run again, and that counts."""
    if not _is_of_a_suite(item):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with _interruptible(), _compared_in_words():
        reports = _reports(item, nextitem, _grader(item.config).session)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _reports(item: pytest.Item, nextitem: pytest.Item | None, session: Session) -> list[pytest.TestReport]:
    """Run a test until it passes, or fails by the submission's doing alone.

    Runs of a submission share a process as long as they leave nothing behind that can be seen. What cannot
    be seen, such as a changed attribute of a module, might still spoil the next run, and no right answer
    may fail for that: each run of the repetition has a process of its own.  Neither may it fail because the
    grader stood still, and with it the virtual clock, while limits of real time went on.
    """
    try:
        for _ in range(1 + MOST_REPETITIONS):
            session.shared = session.stalled = False
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if not _is_in_doubt(item.stash.get(RESULT, None), session):
                break
            session.alone = True
    finally:
        session.alone = False
    return reports


def _is_in_doubt(result: Result | None, session: Session) -> bool:
    if result is None or result.verdict == "passed":
        return False
    written = not result.message.startswith(UNWRITTEN)
    return session.stalled or (session.shared and result.verdict == "failed" and written)


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C break off whatever is being played.

    `asyncio.Runner`, in which pytest-asyncio runs a test, would have it cancel the test instead; but a test
    waits for its runs without giving the loop a turn, so nothing would come of it.
    """

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _compared_in_words() -> Generator[None]:
    """Say failed comparisons in words, and nothing beside.

    pytest looks for the differences between two lists where it finds itself on a server for CI, which for lists that a
    submission has made to that end takes minutes of the grader's own time. A hook cannot keep it from that.
    """

    def compared(op: str, left: object, right: object) -> str | None:
        said = explain.comparison(op, left, right, explain.current)
        return None if said is None else said.replace("\n", "\\n").replace("%", "%%")

    before, assertions._reprcompare = assertions._reprcompare, compared
    try:
        yield
    finally:
        assertions._reprcompare = before


def _is_of_a_suite(item: pytest.Item) -> bool:
    return item.path.name.startswith("test_") and item.path.parent.name == "katas"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a result for a suite's test."""
    if not _is_of_a_suite(item):
        return
    if next(item.iter_markers("skip"), None):
        return
    marks = [name for name in PROPERTIES if item.get_closest_marker(name)]
    doc = (getattr(item, "function", None) and item.function.__doc__) or item.name  # type: ignore[attr-defined]
    item.stash[RESULT] = Result(
        kata=item.path.stem.removeprefix("test_"),
        name=item.name,
        title=" ".join(doc.split()),
        aspect=marks[0] if marks else "result",
        max_points=1.0,
    )
    _grader(item.config).begin(item.stash[RESULT])
    item.stash[RESULT].max_points = _points(item)
    if len(marks) != 1:
        carries = " and ".join(f"@{name}" for name in marks) or "none"
        raise GraderFault(
            f"The test {item.name} is about one property, @{', @'.join(PROPERTIES[:-1])} or @{PROPERTIES[-1]};"
            f" it carries {carries}."
        )
    if any(mark.args or mark.kwargs for mark in item.iter_markers(marks[0])):
        raise GraderFault(f"The test {item.name} carries @{marks[0]}(…), which takes nothing; its worth is @points(2).")


def _points(item: pytest.Item) -> float:
    """How many points a test is worth."""
    mark = item.get_closest_marker("points")
    if mark is None:
        return 1.0
    match mark.args:
        case (int() | float() as worth,) if worth > 0:
            return float(worth)
    raise GraderFault(f"The test {item.name} says wrongly what it is worth; write @points(2), with a number above 0.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what pytest saw into a verdict."""
    report = yield
    result = item.stash.get(RESULT, None)
    if result is None:
        return report
    if call.excinfo is not None:
        error = call.excinfo.value
        if call.when != "call" or isinstance(error, GraderFault | OSError) or not result.plays:
            result.verdict = "error"
            result.message = f"The grader failed, not your code: {_fault(item, error)}"
        else:
            result.verdict = "failed"
            result.message = explain.sentence(error, result.last)
    elif call.when == "call":
        result.verdict = "passed"
    return report


def _fault(item: pytest.Item, error: BaseException) -> str:
    if isinstance(error, GraderFault):
        return str(error)
    if isinstance(error, BadWorld):
        return f"The test {item.name} cannot be played. {error}"
    return f"The test {item.name} broke off with {type(error).__name__}: {error}"


# --- fixtures --------------------------------------------------------------------------------------------


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Numbers drawn from the run's seed, the same for a test whatever else runs."""
    result = request.node.stash[RESULT]
    return _grader(request.config).rng(f"{result.kata}/{result.name}")


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Play a scenario and return its trace: `await run(scenario, world=…, **data)`.

    Keywords of its own: `world`; `raises=SomeError`, which the scenario must raise; `hygiene=False`, or
    `allow=("blocked", "leaks", "complaints")`, where a scenario breaks the rules of hygiene itself;
    `wall_clock`, seconds since the epoch at the start. All others go to the scenario.
    """

    async def play(scenario: Callable[..., Any], **keywords: Any) -> Trace:
        return _play(request, _request(request.node.name, scenario, keywords))

    return play


@pytest.fixture
def sweep(request: pytest.FixtureRequest) -> Sweep:
    """Cancel the submission at its first, second, third … suspension point: `await sweep(scenario, …)`.

    A point is a moment at which everything waits. Every trace must end in `CancelledError` (or in a failure
    that was already on its way), with nothing running on. Returns the traces; there is at least one.

    The run that is left alone at the end must have done some work: made a call under every label of the
    world but those in `uncalled`, or calls or notes at all; or else `returns`, which is what it must
    return. Where it had calls that took time, a cancelled run must have met one under way. So nobody earns
    a cancellation by merely waiting for it.
    """

    async def play(scenario: Callable[..., Any], **keywords: Any) -> list[Trace]:
        traces: list[Trace] = []
        runs: list[Played] = []
        result = request.node.stash[RESULT]
        kata = _grader(request.config).course.find(result.kata)
        # Where child processes are at work, time goes on in steps that are no points; a target may end on the way.
        counted = not kata.importable and not names_target(scenario)
        returns, uncalled = keywords.pop("returns", None), keywords.pop("uncalled", ())
        wanted = _request(request.node.name, scenario, keywords)
        if isinstance(uncalled, str) or not set(uncalled) <= set(wanted.world.scripts):
            raise GraderFault(
                f"The test {request.node.name} says uncalled={uncalled!r}; it may hold labels of its world:"
                f" {', '.join(map(repr, wanted.world.scripts)) or 'here there are none'}."
            )
        for point in range(1, MAX_POINTS_SWEPT + 1):
            trace = _grader(request.config).play(result, wanted, point)
            if result.last is not None:
                runs.append(result.last)
            explain.current = trace
            if counted:
                sweeping.judge_count(trace, point)
            if trace.struck_at is None:
                sweeping.judge_uncancelled(trace, wanted)
                sweeping.judge_work(trace, wanted, returns, uncalled)
                break
            sweeping.judge_struck(trace, wanted, point)
            traces.append(trace)
        else:  # whoever waits more often than that is left alone all the same, and must come to an end
            trace = _play(request, wanted)
            if result.last is not None:
                runs.append(result.last)
            sweeping.judge_work(trace, wanted, returns, uncalled)
        if not traces:
            raise Failure("It never waits for anything, so there is no moment at which to cancel it.")
        sweeping.judge_evidence(traces, trace)
        return Swept(result, runs[: len(traces)], runs[-1])

    return play


def _request(test: str, scenario: Callable[..., Any], keywords: dict[str, Any]) -> Request:
    own = {
        name: keywords.pop(name) for name in ("world", "raises", "hygiene", "allow", "wall_clock") if name in keywords
    }
    own.setdefault("world", World())
    own.setdefault("wall_clock", WALL_CLOCK)
    allow = own.get("allow", ())
    if isinstance(allow, str) or not set(allow) <= set(BREACHES):
        raise GraderFault(f"The test {test} allows {allow!r}; allow=(…,) may hold {', '.join(map(repr, BREACHES))}.")
    return Request(scenario, keywords, **own)


def _play(request: pytest.FixtureRequest, wanted: Request) -> Trace:
    trace = _grader(request.config).play(request.node.stash[RESULT], wanted)
    explain.current = trace
    judge(trace, wanted)
    return trace


__all__ = ["GRADER", "GraderFault"]
