"""The event loop on the virtual clock, alone: every known trap of such loops, and asyncio's own promises."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import math
import operator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checker.runner.clock import Clock, Deadlock, LocalTime, Spinning
from checker.runner.loop import VirtualEventLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

without_deadline = settings(deadline=None)
"""A busy machine may take its time over an example."""

sizes = st.sampled_from([10.0**exponent for exponent in range(-9, 13)])
factors = st.one_of(
    st.just(1.0),
    st.sampled_from([1 / 3, 2 / 3, 0.1, 0.7, 1.1]),
    st.floats(min_value=0.0, max_value=10.0, allow_subnormal=False),
)
spans = st.builds(operator.mul, sizes, factors)
"""Virtual seconds of every size, with thirds and tenths, which have no exact float."""

starts = st.one_of(st.just(0.0), st.just(1000.0), spans)


def make_clock(start: float = 0.0, turns: int = 1000) -> Clock:
    """A clock of a process that seems to have no children: other tests' sandboxes may be alive meanwhile."""
    clock = Clock(LocalTime(), start=start, turns=turns)
    clock.has_children = lambda: False
    return clock


def run(main: Callable[[], Coroutine[Any, Any, T]], clock: Clock | None = None) -> T:
    """Run a coroutine function on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(clock or make_clock())) as runner:
        return runner.run(main())


def fire(clock: Clock, moments: list[float]) -> list[tuple[int, float]]:
    """Schedule a timer at each of these moments; returns (place in the list, time) in the order of firing."""
    fired: list[tuple[int, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        all_fired = loop.create_future()

        def note(place: int) -> None:
            fired.append((place, loop.time()))
            if len(fired) == len(moments):
                all_fired.set_result(None)

        for place, moment in enumerate(moments):
            loop.call_at(moment, note, place)
        await all_fired

    run(main, clock)
    return fired


# --- exact times ---------------------------------------------------------------------------------------


@without_deadline
@given(starts, st.lists(spans, min_size=1, max_size=30))
@example(0.0, [1 / 3])
@example(1e12, [1 / 3, 1e-9, 0.1])
@example(1000.0, [math.nextafter(1.0, 2.0), 1.0, math.nextafter(1.0, 0.0)])
def test_every_timer_fires_at_exactly_its_own_time(start: float, delays: list[float]) -> None:
    """Timers fire in the order of their times, and each sees its own time on the clock, at any size of it."""
    moments = [start + delay for delay in delays]
    in_order = sorted(range(len(moments)), key=moments.__getitem__)
    assert fire(make_clock(start), moments) == [(place, moments[place]) for place in in_order]


@pytest.mark.parametrize("moment", [1e-300, 1e6, 1e9, 2.0**40, 2.0**53, 1e12, 1e15, 1e18, 1e300])
def test_far_times_do_not_spin(moment: float) -> None:
    """A timer however far away takes a few turns of the loop, since the resolution grows with the time."""
    clock = make_clock(turns=10)
    assert fire(clock, [moment, math.nextafter(moment, math.inf)]) == [
        (0, moment),
        (1, math.nextafter(moment, math.inf)),
    ]


def test_a_timer_further_away_than_a_day_takes_one_jump() -> None:
    """Asyncio waits for a day at most: the clock is not asked to stop there."""
    asked: list[float | None] = []

    class Listening(LocalTime):
        def wait(self, until: float | None, point: bool, /) -> tuple[float, list[Callable[[], object]]]:
            asked.append(until)
            return super().wait(until, point)

    clock = make_clock()
    clock.source = Listening()
    run(lambda: asyncio.sleep(1e6), clock)
    assert asked == [1e6]


def test_neighbouring_times_stay_apart() -> None:
    """Of two timers one unit in the last place apart, only the first fires at the first's time."""
    after = math.nextafter(1000.5, math.inf)
    assert fire(make_clock(1000.0), [after, 1000.5]) == [(1, 1000.5), (0, after)]


@without_deadline
@given(starts, st.lists(spans, min_size=1, max_size=20))
def test_sleeps_in_a_row_add_up(start: float, delays: list[float]) -> None:
    """After sleeps one after another the clock shows exactly what adding the delays up gives."""
    clock = make_clock(start)

    async def main() -> None:
        for delay in delays:
            await asyncio.sleep(delay)

    run(main, clock)
    assert clock.now == functools.reduce(operator.add, delays, start)


@without_deadline
@given(st.lists(spans, min_size=1, max_size=20))
def test_sleeps_side_by_side_take_as_long_as_the_longest(delays: list[float]) -> None:
    """Concurrent sleeps end when the longest ends."""
    clock = make_clock()

    async def main() -> None:
        await asyncio.gather(*map(asyncio.sleep, delays))

    run(main, clock)
    assert clock.now == max(delays)


@without_deadline
@given(starts, spans.filter(bool), spans.filter(bool))
def test_a_time_limit_ends_at_exactly_its_time(start: float, limit: float, work: float) -> None:
    """`wait_for` either gives the result at the work's time or times out at the limit's."""
    clock = make_clock(start)

    async def main() -> bool:
        try:
            await asyncio.wait_for(asyncio.sleep(work), limit)
        except TimeoutError:
            return True
        return False

    timed_out = run(main, clock)
    assert clock.now == (start + limit if timed_out else start + work)
    assert timed_out == (start + limit <= start + work)


# --- the order of equal times ---------------------------------------------------------------------------


def test_ten_equal_sleeps_wake_in_order() -> None:
    """Tasks that sleep equally long go on in the order in which they fell asleep."""
    woken: list[int] = []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(1)
        woken.append(number)

    async def main() -> None:
        await asyncio.gather(*map(sleeper, range(10)))

    run(main)
    assert woken == list(range(10))


@without_deadline
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=60), st.data())
def test_equal_times_keep_their_order_whatever_is_cancelled(moments: list[float], data: st.DataObject) -> None:
    """Timers of equal times fire in the order of scheduling; cancelled ones are as if never there."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(moments), max_size=len(moments)))
    fired: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        handles = [loop.call_at(moment, fired.append, place) for place, moment in enumerate(moments)]
        for handle, keep in zip(handles, kept, strict=True):
            if not keep:
                handle.cancel()
        await asyncio.sleep(4)

    run(main)
    expected = [place for place, keep in enumerate(kept) if keep]
    assert fired == sorted(expected, key=moments.__getitem__)


def test_order_survives_the_rebuilding_of_the_heap() -> None:
    """Asyncio rebuilds its heap when more than a hundred timers, half of all, are cancelled."""
    fired: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        handles = [loop.call_later(1, fired.append, place) for place in range(400)]
        for place, handle in enumerate(handles):
            if place % 3:
                handle.cancel()
        await asyncio.sleep(1)

    run(main)
    assert fired == list(range(0, 400, 3))


def test_the_order_is_that_of_scheduling_by_whatever_call() -> None:
    """`call_at`, `call_later` and `sleep` to the same moment share one order."""
    order: list[str] = []

    async def sleeper() -> None:
        await asyncio.sleep(2)
        order.append("sleep")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(2, order.append, "later")
        task = loop.create_task(sleeper())
        await asyncio.sleep(0)
        loop.call_at(loop.time() + 2, order.append, "at")
        await task
        await asyncio.sleep(0)

    run(main)
    assert order == ["later", "at", "sleep"]  # the sleeping task needs a turn more to go on


def test_a_limit_as_long_as_the_work_runs_out() -> None:
    """Of a limit and a sleep of the same length the limit comes first, since it was set first."""

    async def main() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        run(main)


# --- timers and handles ---------------------------------------------------------------------------------


def test_a_cancelled_timer_holds_up_no_time() -> None:
    """Time goes straight to the next timer that is still on."""
    clock = make_clock()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in (1, 2, 5):
            loop.call_later(delay, pytest.fail, "It was cancelled.").cancel()
        await asyncio.sleep(3)

    run(main, clock)
    assert clock.now == 3


@pytest.mark.parametrize("delay", [0, -1, -1e9])
def test_a_timer_in_the_past_fires_without_time_passing(delay: float) -> None:
    """What is due already fires in the next turn, and time never goes back."""
    clock = make_clock(1000.0)

    async def main() -> None:
        fired = asyncio.Event()
        asyncio.get_running_loop().call_later(delay, fired.set)
        await fired.wait()

    run(main, clock)
    assert clock.now == 1000.0


def test_a_handle_knows_its_time() -> None:
    """`call_later` gives asyncio's own kind of handle, with its exact time."""

    async def main() -> tuple[asyncio.TimerHandle, asyncio.TimerHandle]:
        loop = asyncio.get_running_loop()
        return loop.call_later(1 / 3, print), loop.call_at(7, print)

    later, at = run(main, make_clock(10.0))
    assert (later.when(), at.when()) == (10.0 + 1 / 3, 7)
    assert at < later
    assert not later.cancelled()


def test_a_timer_runs_in_its_context() -> None:
    """`call_at` and `call_later` take a context as asyncio's do."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")
    context = contextvars.copy_context()
    context.run(variable.set, "inside")
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(1, lambda: seen.append(variable.get()), context=context)
        loop.call_later(1, lambda: seen.append(variable.get()))
        await asyncio.sleep(1)

    run(main)
    assert seen == ["inside", "outside"]


def test_wrong_calls_are_refused_as_by_asyncio() -> None:
    """No time, no callback or a closed loop are errors at the call, not later."""
    loop = VirtualEventLoop(make_clock())
    loop.set_debug(True)
    with pytest.raises(TypeError, match="None"):
        loop.call_at(None, print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="callable"):
        loop.call_at(1, "print")
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_at(1, print)


# --- the ends of all things --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wait",
    [
        lambda: asyncio.Event().wait(),
        lambda: asyncio.Queue[int]().get(),
        lambda: asyncio.sleep(math.inf),
        lambda: asyncio.gather(asyncio.Event().wait(), asyncio.Event().wait()),
    ],
)
def test_a_deadlock_ends_the_run_at_once(wait: Callable[[], Any]) -> None:
    """Nothing ready and nothing scheduled: the loop raises instead of waiting for ever."""

    async def main() -> None:
        await wait()

    with pytest.raises(Deadlock, match="nothing is scheduled"):
        run(main)


def test_a_deadlock_is_noticed_when_the_last_timer_has_fired() -> None:
    """As long as a timer is on, it is no deadlock; afterwards it is, at that timer's time."""
    clock = make_clock()

    async def main() -> None:
        asyncio.get_running_loop().call_later(5, list)
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(main, clock)
    assert clock.now == 5


@pytest.mark.parametrize("nap", [0, -1, 1e-30])
def test_a_loop_that_gets_nowhere_is_ended(nap: float) -> None:
    """`while True: await sleep(0)` ends, and so does a sleep too short to move the clock."""

    async def main() -> None:
        while True:
            await asyncio.sleep(nap)

    with pytest.raises(Spinning):
        run(main, make_clock(1000.0))


def test_callbacks_that_call_themselves_for_ever_are_ended() -> None:
    """It is the loop's turns that count, with tasks or without."""
    loop = VirtualEventLoop(make_clock())

    def again() -> None:
        loop.call_soon(again)

    again()
    with pytest.raises(Spinning):
        loop.run_forever()
    loop.close()


def test_turns_count_only_while_no_time_passes() -> None:
    """A long run is not a spinning one: with every step in time the count begins anew."""

    async def main() -> None:
        for _ in range(20):
            for _ in range(80):
                await asyncio.sleep(0)
            await asyncio.sleep(0.1)

    run(main, make_clock(turns=100))
