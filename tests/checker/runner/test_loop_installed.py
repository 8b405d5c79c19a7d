"""How loops come onto the virtual clock, and who is told of what happens on them."""

from __future__ import annotations

import asyncio
import selectors
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from checker.runner.clock import Clock, LocalTime
from checker.runner.loop import RealEventLoop, VirtualEventLoop, installed

if TYPE_CHECKING:
    from collections.abc import Callable


def make_clock(start: float = 0.0) -> Clock:
    """A clock of a process that seems to have no children: other tests' sandboxes may be alive meanwhile."""
    clock = Clock(LocalTime(), start=start)
    clock.has_children = lambda: False
    return clock


async def nap() -> float:
    """Sleep for an hour; returns the loop's time."""
    await asyncio.sleep(3600)
    return asyncio.get_running_loop().time()


def by_new_event_loop() -> float:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(nap())
    finally:
        loop.close()


def by_policy() -> float:
    loop = asyncio.get_event_loop_policy().new_event_loop()
    try:
        return loop.run_until_complete(nap())
    finally:
        loop.close()


def by_class() -> float:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(nap())


def by_name_of_the_best() -> float:
    with asyncio.Runner(loop_factory=getattr(asyncio, "EventLoop", asyncio.SelectorEventLoop)) as runner:
        return runner.run(nap())


def by_run() -> float:
    return asyncio.run(nap())


def by_runner() -> float:
    with asyncio.Runner() as runner:
        return runner.run(nap())


@pytest.mark.parametrize(
    "make",
    [by_run, by_runner, by_new_event_loop, by_policy, by_class, by_name_of_the_best],
    ids=lambda make: make.__name__,
)
def test_plain_functions_get_the_same_clock(make: Callable[[], float]) -> None:
    """However a plain function makes its loop, it runs on the installed clock, and without a warning."""
    clock = make_clock(1000.0)
    with warnings.catch_warnings():
        if make is not by_policy:  # policies as such are deprecated from Python 3.14 on
            warnings.simplefilter("error")
        with installed(clock):
            assert [make(), make()] == [4600.0, 8200.0]
    assert clock.now == 8200.0


def test_installing_leaves_nothing_behind() -> None:
    """Afterwards every name is what it was, in whatever order clocks were installed."""
    outer, inner = make_clock(), make_clock()
    with installed(outer):
        with installed(inner):
            assert asyncio.run(nap()) == 3600.0
        assert (outer.now, inner.now) == (0.0, 3600.0)
        asyncio.run(nap())
    assert outer.now == 3600.0
    assert VirtualEventLoop.default_clock is None
    assert asyncio.SelectorEventLoop is RealEventLoop
    loop = asyncio.new_event_loop()
    loop.close()
    assert type(loop) is RealEventLoop


def test_a_loop_may_have_a_clock_of_its_own() -> None:
    """Where no clock is installed, each loop begins at zero."""
    for _ in range(2):
        loop = VirtualEventLoop()
        loop.clock.has_children = lambda: False
        assert loop.run_until_complete(nap()) == 3600.0
        loop.close()


# --- who is told ------------------------------------------------------------------------------------------


def test_every_task_and_every_loop_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook hears of each task of a loop as it is made, and each loop is in the register."""
    made: list[asyncio.Task[Any]] = []
    registered: list[bool] = []

    def note(task: asyncio.Task[Any], loop: VirtualEventLoop) -> None:
        made.append(task)  # a task group gives it its name a moment later
        registered.append(loop in VirtualEventLoop.opened)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(nap(), name="first")
            group.create_task(nap(), name="second")

    monkeypatch.setattr(VirtualEventLoop, "task_hook", note)
    with installed(make_clock()):
        asyncio.run(main())
    # Around them: the main task, and those with which `asyncio.run` shuts down.
    assert [task.get_name() for task in made[1:3]] == ["first", "second"]
    assert all(registered)


def test_an_abandoned_async_generator_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves an async generator to the garbage collector is named, and it is closed all the same."""
    told: list[str] = []
    closed: list[str] = []
    monkeypatch.setattr(VirtualEventLoop, "complain", told.append)

    async def numbers() -> Any:
        try:
            yield 1
        finally:
            closed.append("closed")

    async def main() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(0)

    with installed(make_clock()):
        asyncio.run(main())
    assert [sentence.partition(" was left")[0].rpartition(".")[2] for sentence in told] == ["numbers"]
    assert closed == ["closed"]
