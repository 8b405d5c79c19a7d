"""Grades a submission: runs the hidden suites of some katas over it and returns every result."""

from __future__ import annotations

import os
import random
import sys
import threading
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker import messages
from checker.course import Course, Kata
from checker.submission import Sources
from checker.values import printable
from checker.world.session import DEFAULT_BUDGET, Session

if TYPE_CHECKING:
    import pytest

    from checker.suite.grader import Grader, Result

BACKSTOP = 600
"""Real seconds that pytest-timeout gives one test; the grader's own limits come long before."""


class SuiteBroken(RuntimeError):
    """A suite could not be collected or run; the grader is at fault, not the submission."""


@dataclass
class Grading:
    """What came of grading one submission."""

    seed: int
    sandbox: str
    katas: list[Kata]
    results: list[Result]
    grader: Grader

    def of(self, kata: Kata) -> list[Result]:
        """The results of one kata, in the order of its suite."""
        return [result for result in self.results if result.kata == kata.name]


def grade(
    course: Course,
    submission: Sources,
    katas: Sequence[Kata],
    *,
    seed: int | None = None,
    sandbox: str = "auto",
    limits: messages.Limits | None = None,
    budget: float = DEFAULT_BUDGET,
    session: Session | None = None,
) -> Grading:
    """Grade a submission in these katas.

    Args:
        seed: draws every number of the run; None: a new one.
        sandbox: one of `checker.sandbox.KINDS`.
        limits: real limits of one run.
        budget: real seconds that all runs of a kata may take together.
        session: a sandbox to use, which stays open; None: one of its own.

    Raises:
        SuiteBroken: a suite cannot be run.
        GraderFault, Unavailable: no sandbox can be started.
    """
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    preload = sorted({module for kata in katas for module in kata.preload})
    own = session or Session(sandbox, preload, limits, budget)
    if any(not submission.source(kata.name).problem for kata in katas):
        own.start()  # it loads while pytest is being imported here
    try:
        grader = _run_suites(course, submission, katas, own, seed)
    finally:
        kind = own.probe() if own.kind == "auto" else own.kind  # where nothing was played, none has been chosen yet
        if session is None:
            own.close()
    return Grading(seed, kind, list(katas), list(grader.results.values()), grader)


def _run_suites(course: Course, submission: Sources, katas: Sequence[Kata], session: Session, seed: int) -> Grader:
    if sys.flags.optimize:
        raise SuiteBroken(
            "Python leaves out `assert`, by which suites judge: unset PYTHONOPTIMIZE, or start it without -O."
        )
    with _undisturbed():
        import pytest

        from checker.suite import plugin
        from checker.suite.grader import Grader

        grader = Grader(course, submission, session, seed)
        suites = [kata.suite for kata in katas if kata.suite.exists()]
        bridge = _Bridge(grader, suites)
        options = ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:faulthandler"]
        options += ["-p", "no:junitxml", "-p", "no:doctest", "-p", "no:unittest", "-p", "no:pastebin"]
        # The latter two look for garbage at the end, 25 ms each, and what they would find is not the submission's.
        options += ["-p", "no:debugging", "-p", "no:unraisableexception", "-p", "no:threadexception"]
        options += ["-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "--capture=no"]
        options += ["-o", "asyncio_mode=auto"]
        # One loop for all of them: no test leaves anything on it, since all that is played is played elsewhere.
        options += [
            word for what in ("test", "fixture") for word in ("-o", f"asyncio_default_{what}_loop_scope=session")
        ]
        if threading.current_thread() is not threading.main_thread():
            options.append("--timeout-method=thread")  # signals are for the main thread alone
        folder = str(course.root / "tests" / "katas")
        # Without the last one, every folder above the course would be searched, and its conftest.py executed.
        options += ["-c", os.devnull, "--rootdir", folder, "--confcutdir", folder, "--noconftest"]
        options += ["--import-mode=importlib", f"--timeout={BACKSTOP}"]
        if suites:
            status = pytest.main(options, plugins=[plugin, bridge])
            if status == pytest.ExitCode.INTERRUPTED and not bridge.broken:
                raise KeyboardInterrupt
            if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or bridge.broken:
                raise SuiteBroken(bridge.broken or f"The suites could not be run (pytest ended with {int(status)}).")
        return grader


@contextmanager
def _undisturbed() -> Generator[None]:
    """Let pytest hear of nothing that stands in the environment: `PYTEST_ADDOPTS=-x` would leave tests out.

    It leaves the process in the folder of the suites, which is undone.
    """
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)  # not by its name, which may be gone
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)
        for name in [name for name in os.environ if name.startswith("PYTEST_")]:
            del os.environ[name]
        os.environ.update(kept)


class _Bridge:
    """Hands grader and suites to pytest, and hears of suites that cannot be collected."""

    def __init__(self, grader: Grader, suites: Sequence[Path]) -> None:
        self._grader = grader
        self._suites = suites
        self.broken = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        from checker.suite.plugin import GRADER

        config.stash[GRADER] = self._grader
        # By their names, in their folder: in a whole path pytest would take `[` and `::` for parts of a test's name.
        config.invocation_params = config.InvocationParams(args=(), plugins=None, dir=config.rootpath)
        config.args = [suite.name for suite in self._suites]
        # Nobody reads pytest's own account of a failure, for which it would parse the suite again: 25 ms each.
        config.option.tbstyle = "value"

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]) -> None:
        import pytest

        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            error = call.excinfo.value
            # pytest wraps what a broken module raises into an account of how it came to import it.
            self.broken = _broken(node.path, error.__cause__ or error)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.broken:
            self.broken = f"The suite {report.nodeid} cannot be loaded: {report.longrepr}"


def _broken(suite: Path, error: BaseException) -> str:
    """One sentence on a suite that cannot be loaded, with the line in it that its author has to look at."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(suite)]
    if isinstance(error, SyntaxError) and error.filename == str(suite):
        lines, told = [error.lineno], error.msg
    else:
        told = str(error)
    line = f" (line {lines[-1]})" if lines else ""
    return f"The suite {suite.name} cannot be loaded: {printable(f'{type(error).__name__}: {told}')}{line}."


def python_version() -> str:
    """As it stands in reports."""
    return ".".join(map(str, sys.version_info[:3]))
