"""Threads and loops that sleep on virtual time together, since somebody outside sees when all are asleep."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from checker.runner.clock import Clock
from checker.runner.loop import VirtualEventLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from checker.runner.clock import Onlooker

ONLOOKER = """
import os, sys, time
from checker.runner.observer import Observer
observer = Observer()
while os.read(0, 1):
    while not observer.is_quiet([os.getppid()], lambda: [os.getppid()]):
        time.sleep(0.0002)
    os.write(1, b"q")
"""


class Child:
    """An onlooker in a process of its own, as it must be: from within, nobody can tell who sleeps."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._ask = process.stdin.fileno()
        self._answer = process.stdout.fileno()
        self.over = threading.Lock()
        self.over.acquire()
        self.ended = False

    def wait_until_quiet(self, patience: int = 0) -> bool:
        if not self.ended:
            os.write(self._ask, b"?")
            os.read(self._answer, 1)
        if self.ended:
            self.over.release()
            raise SystemExit  # ends the driver's thread, and nothing else
        return True


class Endless:
    """Time for a driver that goes on when the test is over: nothing to come is no deadlock then."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, until: float | None, point: bool, /) -> tuple[float, list[Callable[[], object]]]:
        self.now = self.now if until is None else until
        return self.now, []

    def spinning(self) -> None:
        raise AssertionError("The loop turned too often.")


def make_clock(onlooker: Onlooker) -> Clock:
    """A clock of a process that seems to have no children: the onlooker here is one, and none of its business."""
    clock = Clock(Endless(), onlooker=onlooker)
    clock.has_children = lambda: False
    return clock


@pytest.fixture
def watched() -> Generator[Clock]:
    """A clock whose process is looked at from outside, so that a crowd sleeps on virtual time."""
    with subprocess.Popen([sys.executable, "-c", ONLOOKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        onlooker = Child(process)
        clock = make_clock(onlooker)
        yield clock
        onlooker.ended = True
        if clock.crowded:
            onlooker.over.acquire()  # the driver has asked for the last time


def test_a_pool_of_five_does_ten_jobs_of_a_second_in_two(watched: Clock) -> None:
    """Pool threads sleep on the virtual clock: ten jobs of a second each on five threads take exactly two."""
    ends: list[float] = []

    def job() -> None:
        watched.block(watched.now + 1.0)
        ends.append(watched.now)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(5) as pool:
            await asyncio.gather(*(loop.run_in_executor(pool, job) for _ in range(10)))
            return loop.time()

    with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(watched)) as runner:
        assert runner.run(main()) == 2.0
    assert ends == [1.0] * 5 + [2.0] * 5


def test_loops_and_threads_share_one_time(watched: Clock) -> None:
    """A loop in another thread, a sleeping thread and the main loop wake one after another, each at its time."""
    woken: list[tuple[str, float]] = []

    async def nap(name: str, *moments: float) -> None:
        loop = asyncio.get_running_loop()
        for moment in moments:
            await asyncio.sleep(moment - loop.time())
            woken.append((name, loop.time()))

    def other() -> None:
        with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(watched)) as runner:
            runner.run(nap("other", 1.5, 3.5))

    def sleeper() -> None:
        for moment in (2.0, 4.0):
            watched.block(moment)
            woken.append(("thread", watched.now))

    async def main() -> None:
        await asyncio.gather(nap("main", 1.0, 3.0, 5.0), asyncio.to_thread(other), asyncio.to_thread(sleeper))

    with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(watched)) as runner:
        runner.run(main())
    assert woken == [
        ("main", 1.0),
        ("other", 1.5),
        ("thread", 2.0),
        ("main", 3.0),
        ("other", 3.5),
        ("thread", 4.0),
        ("main", 5.0),
    ]


def test_alarms_of_one_moment_ring_in_their_order(watched: Clock) -> None:
    """Alarms ring in the order of their times, then of setting; one that is called off does not ring."""
    rung: list[str] = []
    gate = threading.Lock()
    gate.acquire()
    watched.alarm(2.0, gate.release)
    watched.alarm(1.0, partial(rung.append, "second"))
    off = watched.alarm(1.0, partial(rung.append, "called off"))
    watched.alarm(1.0, partial(rung.append, "third"))
    watched.alarm(0.5, partial(rung.append, "first"))
    off()
    gate.acquire()
    assert rung == ["first", "second", "third"]


def test_talk_with_the_grader_is_not_taken_for_sleep() -> None:
    """What looked quiet while somebody waited for the grader's answer is looked at again before time moves."""
    seen: list[float] = []
    over = threading.Lock()
    over.acquire()

    class Talking:
        def wait_until_quiet(self, patience: int = 0) -> bool:
            seen.append(clock.now)
            if len(seen) == 1:
                clock.exchange(int)
            if len(seen) == 3:
                over.release()
                raise SystemExit
            return True

    clock = make_clock(Talking())
    clock.alarm(1.0, int)
    over.acquire()
    assert seen == [0.0, 0.0, 1.0]


def test_an_onlooker_may_take_ever_longer_while_only_child_processes_work() -> None:
    """Each step of real time may be twice as long as the one before, until there is something to wake."""
    granted: list[int] = []
    over = threading.Lock()
    over.acquire()

    class Working:
        def wait_until_quiet(self, patience: int = 0) -> bool:
            granted.append(patience)
            if len(granted) == 4:
                clock.alarm(3600.0, int)
            if len(granted) == 6:
                over.release()
                raise SystemExit
            return False

    clock = make_clock(Working())
    clock.expect_crowd()
    over.acquire()
    assert granted == [0, 1, 2, 3, 0, 0]
