"""Runs CPython's own asyncio tests on the standard loop and on the virtual one, and compares test by test.

Whatever passes on the standard loop must pass on the virtual one.  What cannot is listed in `EXCEPTIONS`,
each with its reason; an exception that passes all the same is stale and fails the comparison too.

    python tests/cpython/run_asyncio_tests.py             # every module
    python tests/cpython/run_asyncio_tests.py test_locks  # some of them
    python tests/cpython/run_asyncio_tests.py -v          # with the traceback of every difference

Needs nothing installed but a Python that carries its `test` package.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# fmt: off
MODULES = [
    "test_tasks", "test_subprocess", "test_events", "test_ssl", "test_taskgroups", "test_sslproto", "test_base_events",
    "test_buffered_proto", "test_context", "test_eager_task_factory", "test_futures", "test_futures2", "test_locks",
    "test_pep492", "test_protocols", "test_queues", "test_runners", "test_selector_events", "test_sendfile",
    "test_server", "test_sock_lowlevel", "test_staggered", "test_streams", "test_threads", "test_timeouts",
    "test_transports", "test_unix_events", "test_waitfor",
]
# fmt: on
"""The longest ones first, so that two processes end at about the same time."""

LOOPS = ("standard", "virtual")

SILENCE = 60.0
"""Real seconds that one test may take before it counts as hung; the longest takes about five."""


class Exempt(NamedTuple):
    """A test that cannot pass on the virtual loop, and why."""

    test: str
    """Its id below `test.test_asyncio`; an `fnmatch` pattern."""
    reason: str


EXCEPTIONS: tuple[Exempt, ...] = (
    Exempt(
        "test_events.*EventLoopTests.test_signal_handling_while_selecting",
        "sets a real alarm (signal.setitimer) and waits for it: nothing that the virtual loop can see is at work",
    ),
    Exempt("test_events.*EventLoopTests.test_signal_handling_args", "the same"),
)


# --- the child: one module on one loop ---------------------------------------------------------------


class Recorder(unittest.TestResult):
    """Writes one line of JSON as each test begins and as it ends: [id, outcome, details]."""

    def __init__(self, out: int) -> None:
        super().__init__()
        self._out = out
        self._outcome = ("passed", "")

    def _write(self, test: Any, outcome: str, details: str = "") -> None:
        line = json.dumps([test.id().removeprefix("test.test_asyncio."), outcome, details])
        os.write(self._out, line.encode() + b"\n")

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._outcome = ("passed", "")
        self._write(test, "started")

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        signal.setitimer(signal.ITIMER_REAL, 0)  # one left behind would end a later test
        self._write(test, *self._outcome)

    def _failed(self, test: Any, error: Any) -> None:
        details = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]
        if isinstance(test, unittest.TestCase):
            self._outcome = ("failed", details)
        else:  # setUpClass or setUpModule, which begin and end no test
            self._write(test, "failed", details)

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._failed(test, err)

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._failed(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(test, err)

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._outcome = ("skipped", reason)

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._outcome = ("failed", "An unexpected success.")


def _tests(suite: unittest.TestSuite) -> Iterator[Any]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests(test)
        else:
            yield test


def run_module(module: str, loop: str, out: int, leave_out: list[str], only: list[str]) -> None:
    """Run one module's tests in this process, and write down what becomes of them."""
    with _virtual_loops() if loop == "virtual" else nullcontext():
        suite = unittest.defaultTestLoader.loadTestsFromName(f"test.test_asyncio.{module}")
        chosen = []
        for test in _tests(suite):
            name = test.id().removeprefix("test.test_asyncio.")
            if name not in leave_out and (not only or name in only):
                chosen.append(test)
        unittest.TestSuite(chosen).run(Recorder(out))


def _virtual_loops() -> Any:
    if importlib.util.find_spec("checker") is None:
        sys.path.append(str(Path(__file__).resolve().parents[2]))
    from checker.runner.clock import Clock, LocalTime
    from checker.runner.loop import installed

    return installed(Clock(LocalTime(), start=1000.0))


# --- the parent: all modules on both loops ------------------------------------------------------------


@dataclass
class Played:
    """What became of one module's tests on one loop."""

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, line: bytes) -> None:
        """Take in a line of the child's."""
        name, outcome, details = json.loads(line)
        if outcome != "started" and self.outcomes.get(name) == "failed":
            return
        self.outcomes[name] = outcome
        self.details[name] = details

    def close(self, how: str) -> bool:
        """The child has ended: what was started and has not ended has `how`. Whether there was such a test."""
        hung = [name for name, outcome in self.outcomes.items() if outcome == "started"]
        for name in hung:
            self.outcomes[name] = how
        return bool(hung)


def play(module: str, loop: str, only: list[str]) -> Played:
    """Run a module in children of its own: as many as it takes, since a test that hangs costs one."""
    played = Played()
    began = time.monotonic()
    while True:
        how = _play_once(module, loop, only, played)
        if not played.close(how):
            break
    if how != "finished":
        played.outcomes[f"{module} as a whole"] = how
    played.seconds = time.monotonic() - began
    return played


def _play_once(module: str, loop: str, only: list[str], played: Played) -> str:
    """Run one child to its end. Returns how it ended: finished, hung or died."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as order:
        order.write(json.dumps([list(played.outcomes), only]).encode())
        order.seek(0)
        read, write = os.pipe()
        command = [sys.executable, "-W", "ignore", __file__, "--child", module, loop, str(write)]
        child = subprocess.Popen(
            command, pass_fds=[write], stdin=order, stdout=printed, stderr=printed, start_new_session=True
        )
        os.close(write)
        heard_all = _listen(read, played)
        os.close(read)
        if not heard_all:
            child.kill()
        status = child.wait()
        if heard_all and status:
            printed.seek(0)
            played.details[f"{module} as a whole"] = printed.read().decode(errors="replace")[-3000:]
    return "hung" if not heard_all else "died" if status else "finished"


def _listen(read: int, played: Played) -> bool:
    """Take in all that a child writes; False as soon as it is silent for too long."""
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(read, selectors.EVENT_READ)
        while selector.select(SILENCE):
            data = os.read(read, 1 << 16)
            if not data:
                return True
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                played.note(line)
    return False


def play_all(modules: list[str], processes: int, only: list[str]) -> dict[tuple[str, str], Played]:
    """Run modules on both loops, a few processes at a time."""
    jobs = [(module, loop) for module in modules for loop in LOOPS]
    with ThreadPoolExecutor(processes) as pool:
        results = pool.map(lambda module, loop: play(module, loop, only), *zip(*jobs, strict=True))
        return dict(zip(jobs, results, strict=True))


# --- the comparison ----------------------------------------------------------------------------------


@dataclass
class Comparison:
    """What passes on the standard loop, and what becomes of it on the virtual one."""

    passed: int = 0
    excused: list[str] = field(default_factory=list)
    differences: dict[str, str] = field(default_factory=dict)
    unsteady: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)


def compare(played: dict[tuple[str, str], Played], whole: bool) -> Comparison:
    """Compare test by test; only a complete run can tell that a pattern matches nothing any more."""
    standard, virtual = (_outcomes(played, loop) for loop in LOOPS)
    found = Comparison()
    used = set()
    for name in dict.fromkeys([*standard, *virtual]):
        exempt = next((exempt for exempt in EXCEPTIONS if fnmatchcase(name, exempt.test)), None)
        used.add(exempt)
        theirs, ours = standard.get(name, "not run"), virtual.get(name, "not run")
        if theirs == ours == "passed":
            found.passed += 1
            if exempt is not None:
                found.stale.append(f"{name}: passes, though {exempt.test!r} excuses it")
        elif exempt is not None:
            found.excused += [name] * (theirs == "passed")
        elif theirs == "passed" or (theirs == "not run" and ours != "passed"):
            found.differences[name] = f"{theirs} on the standard loop, {ours} on the virtual one"
    if whole:
        found.stale += [f"{exempt.test!r} matches no test" for exempt in EXCEPTIONS if exempt not in used]
    return found


def _outcomes(played: dict[tuple[str, str], Played], loop: str) -> dict[str, str]:
    return {name: outcome for (_, its), one in played.items() if its == loop for name, outcome in one.outcomes.items()}


def look_again(found: Comparison, processes: int) -> dict[tuple[str, str], Played]:
    """Play what differs once more, by itself: many of these tests wait for real, and a busy machine is slow."""
    names = list(found.differences)
    modules = list(dict.fromkeys(name.split(".")[0].split(" ")[0] for name in names))
    again = play_all(modules, processes, names)
    second = compare(again, whole=False).differences
    found.unsteady = [name for name in names if name not in second]
    found.differences = second
    return again


def report(found: Comparison, played: dict[tuple[str, str], Played], verbose: bool) -> int:
    """Print what came out; returns the exit status."""
    details: dict[str, str] = {}
    for (_, loop), one in played.items():
        if loop == "virtual":
            details |= one.details
    for name, text in found.differences.items():
        print(f"DIFFERENCE {name}: {text}")
        if verbose:
            print(details.get(name, ""))
    for name in found.unsteady:
        print(f"UNSTEADY {name}: differed at first, and not when it was played by itself")
    for text in found.stale:
        print(f"STALE {text}: take it out of EXCEPTIONS")
    print(
        f"{found.passed} passed on both loops, {len(found.excused)} excused, {len(found.unsteady)} unsteady, "
        f"{len(found.differences)} differences, {len(found.stale)} stale exceptions"
    )
    return 1 if found.differences or found.stale else 0


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(f"test.test_asyncio.{module}") is not None
    except ModuleNotFoundError:
        return False


def main() -> int:
    """Run as a script. Exit status: 0 no unexplained difference, 1 some."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of test.test_asyncio; none: all")
    parser.add_argument("-p", "--processes", type=int, default=2, help="how many at a time")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of every difference")
    parser.add_argument("--child", nargs=3, metavar=("MODULE", "LOOP", "FD"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        module, loop, out = args.child
        run_module(module, loop, int(out), *json.load(sys.stdin))
        return 0
    there = [name for name in MODULES if _is_there(name)]
    if not there:
        print(f"skipped: this Python has no test package ({sys.executable})")
        return 0
    modules = args.modules or there
    if unknown := sorted(set(modules) - set(there)):
        parser.error(f"No module of test.test_asyncio here: {', '.join(unknown)}. Choose from: {', '.join(there)}")
    played = play_all(modules, args.processes, [])
    found = compare(played, whole=modules == there)
    if found.differences:
        played = look_again(found, args.processes)
    return report(found, played, args.verbose)


if __name__ == "__main__":
    sys.exit(main())
