"""The clock itself: whom it asks for the time, what it does with the answer, and how threads sleep on it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import selectors
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from checker.runner.clock import LONGEST_SELECT, Clock, Deadlock, LocalTime, Spinning, has_children
from checker.runner.loop import VirtualEventLoop

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[float, list["Callable[[], object]"]]


class Script:
    """A source of time that ends calls at set moments, as the grader's world does, and notes what it is asked."""

    def __init__(self, endings: dict[float, Callable[[], object]] | None = None) -> None:
        self.endings = dict(sorted((endings or {}).items()))
        self.asked: list[float | None] = []
        self.points: list[bool] = []
        self.spun = 0

    def wait(self, until: float | None, point: bool, /) -> Answer:
        self.asked.append(until)
        self.points.append(point)
        first = min(self.endings, default=None)
        if first is None or (until is not None and until < first):
            return LocalTime().wait(until, point)
        return first, [self.endings.pop(first)]

    def spinning(self) -> None:
        self.spun += 1


def make_clock(source: Any, **options: Any) -> Clock:
    """A clock of a process that seems to have no children: other tests' sandboxes may be alive meanwhile."""
    clock = Clock(source, **options)
    clock.has_children = lambda: False
    return clock


def idle(clock: Clock, deadline: float | None) -> list[Any]:
    """Let a loop that has nothing ready until `deadline` wait on the clock once."""
    loop = VirtualEventLoop(clock)
    with contextlib.closing(loop), selectors.DefaultSelector() as selector:
        return clock.idle(loop, selector, deadline)


# --- time that nobody owns -----------------------------------------------------------------------------


def test_local_time_jumps_to_wherever_it_is_asked_to() -> None:
    """Without an owner of time, waiting until a moment makes it that moment exactly."""
    assert LocalTime().wait(1 / 3, True) == (1 / 3, [])


def test_local_time_knows_a_deadlock_and_a_spinning_loop() -> None:
    """Without an owner of time, whoever waits for nothing or turns too often is told so by an error."""
    with pytest.raises(Deadlock):
        LocalTime().wait(None, True)
    with pytest.raises(Spinning):
        LocalTime().spinning()


# --- a loop alone asks the source ------------------------------------------------------------------------


@pytest.mark.parametrize(("deadline", "asked"), [(1 / 3, 1 / 3), (1e300, 1e300), (None, None), (math.inf, None)])
def test_the_source_is_asked_for_the_exact_deadline(deadline: float | None, asked: float | None) -> None:
    """What the loop waits for reaches the source unrounded; a timer that never comes is none."""
    source = Script({2e300: int})
    idle(make_clock(source), deadline)
    assert source.asked == [asked]


def test_the_source_may_stop_earlier_than_asked() -> None:
    """If a call ends before the loop's own timer, it is that call's time, and its ending is delivered then."""
    delivered: list[float] = []
    clock = make_clock(Script({3.0: lambda: delivered.append(clock.now)}))
    idle(clock, 5.0)
    assert (clock.now, delivered) == (3.0, [3.0])
    idle(clock, 5.0)
    assert (clock.now, delivered) == (5.0, [3.0])


def test_a_delivery_wakes_the_loop() -> None:
    """A future that a delivery settles is seen at the time of the delivery, with timers on either side of it."""

    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        source.endings[2.5] = partial(future.set_result, None)
        seen = []
        await asyncio.sleep(1)
        seen.append(("timer", loop.time()))
        await future
        seen.append(("call", loop.time()))
        await asyncio.sleep(1)
        seen.append(("timer", loop.time()))
        return seen

    source = Script()
    loop = VirtualEventLoop(make_clock(source))
    future = loop.create_future()
    with contextlib.closing(loop):
        assert loop.run_until_complete(main()) == [("timer", 1.0), ("call", 2.5), ("timer", 3.5)]


def test_deliveries_come_in_order_and_after_the_time_has_moved() -> None:
    """First the clock shows the new time, then whoever follows it, then what has ended, in its order."""
    order: list[Any] = []

    class Two(LocalTime):
        def wait(self, until: float | None, point: bool, /) -> Answer:
            return 7.0, [partial(order.append, "first"), partial(order.append, "second")]

    clock = make_clock(Two())
    clock.moved_hook = lambda: order.append(clock.now)
    idle(clock, None)
    assert order == [7.0, "first", "second"]


def test_a_loop_with_nothing_to_do_is_at_a_point_and_a_thread_that_sleeps_is_not() -> None:
    """Only there may a sweep cancel: a thread in the middle of its sleep could not hear of it."""
    clock = make_clock(source := Script())
    idle(clock, 1.0)
    clock.block(2.0)
    assert (source.asked, source.points) == ([1.0, 2.0], [True, False])


def test_ready_descriptors_come_before_time_moves() -> None:
    """What has just come in is handed over first, and no time passes for it."""
    clock = make_clock(Script())
    loop = VirtualEventLoop(clock)
    read, write = os.pipe()
    with contextlib.closing(loop), selectors.DefaultSelector() as selector:
        selector.register(read, selectors.EVENT_READ)
        os.write(write, b"!")
        (event,) = clock.idle(loop, selector, 1e9)
    os.close(read)
    os.close(write)
    assert (event[0].fd, clock.now) == (read, 0.0)


# --- turns -----------------------------------------------------------------------------------------------


def test_turns_without_progress_are_counted() -> None:
    """The source is told after every so many turns without time passing."""
    source = Script()
    clock = make_clock(source, turns=10)
    for _ in range(10):
        clock.turned()
    assert source.spun == 0
    clock.turned()
    assert source.spun == 1


def test_progress_sets_the_turns_back() -> None:
    """Time that passes, or a delivery without time, begins the count anew."""
    source = Script({1.0: int})
    clock = make_clock(source, turns=10)
    for deadline in (1.0, 1.0, 2.0):
        for _ in range(10):
            clock.turned()
        idle(clock, deadline)
        source.endings[1.0 if clock.now < 2 else 9.0] = int
    assert source.spun == 0


# --- sleeping threads --------------------------------------------------------------------------------------


def test_a_thread_alone_sleeps_until_its_moment() -> None:
    """A blocking sleep goes on through whatever ends meanwhile, each at its time."""
    ended: list[float] = []
    clock = make_clock(Script({1.0: lambda: ended.append(clock.now), 2.0: lambda: ended.append(clock.now)}))
    clock.block(2.5)
    assert (clock.now, ended) == (2.5, [1.0, 2.0])


def test_a_thread_alone_waits_for_a_delivery() -> None:
    """Blocking on a lock moves time to where somebody's delivery opens it."""
    gate = threading.Lock()
    gate.acquire()
    clock = make_clock(Script({1.0: int, 2.0: gate.release, 3.0: int}))
    clock.block_on(gate)
    assert clock.now == 2.0


def test_a_lock_that_nothing_opens_is_a_deadlock() -> None:
    """Blocking on a lock where nothing will ever end is told like any deadlock."""
    gate = threading.Lock()
    gate.acquire()
    with pytest.raises(Deadlock):
        make_clock(LocalTime()).block_on(gate)


# --- a crowd, with nobody looking on -----------------------------------------------------------------------


class Sockets:
    """A selector with a socket beside the loop's own pipe, so that waiting on it is real; `select` is scripted."""

    def __init__(self, select: Callable[[float | None], list[Any]]) -> None:
        self.select = select

    def get_map(self) -> dict[int, Any]:
        return {1: None, 2: None}


def idle_really(clock: Clock, deadline: float | None, select: Callable[[float | None], list[Any]]) -> list[Any]:
    """Let a loop with a socket wait until `deadline` once, for real."""
    loop = VirtualEventLoop(clock)
    with contextlib.closing(loop):
        return clock.idle(loop, Sockets(select), deadline)  # type: ignore[arg-type]


def test_waiting_for_real_ends_at_exactly_the_deadline() -> None:
    """When nothing has come in, it is the timer's time, whatever the clock on the wall shows."""
    clock = make_clock(LocalTime(), start=1000.0)
    idle_really(clock, 1000.0 + 1 / 3, lambda _: [])
    assert clock.now == 1000.0 + 1 / 3


def test_what_comes_in_comes_before_the_deadline() -> None:
    """However late an answer is seen, the timer that it came before has not passed."""
    clock = make_clock(LocalTime())
    assert idle_really(clock, 1e-9, lambda _: ["event"]) == ["event"]
    assert clock.now <= 1e-9


@pytest.mark.parametrize("deadline", [1e9, 1e18, math.inf])
def test_no_selector_is_told_to_wait_for_years(deadline: float) -> None:
    """A selector refuses very long times: it is asked again instead, and time does not jump for that."""
    told: list[float | None] = []
    clock = make_clock(LocalTime())
    idle_really(clock, deadline, lambda timeout: told.append(timeout) or [])  # type: ignore[func-returns-value]
    assert told == [LONGEST_SELECT]
    assert clock.now < deadline


def test_time_does_not_go_back_for_a_loop_that_comes_late() -> None:
    """If another thread's loop has moved time further meanwhile, it stays there."""
    clock = make_clock(LocalTime())

    def select(_: float | None) -> list[Any]:
        clock.now = 50.0
        return []

    idle_really(clock, 1.0, select)
    assert clock.now == 50.0


# --- child processes -----------------------------------------------------------------------------------


def test_a_child_counts_until_it_is_waited_for() -> None:
    """A child is there while it lives and, since somebody is about to hear of it, until it is reaped."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert has_children()
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_children()
