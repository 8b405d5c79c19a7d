"""The suite of 11_timers as one would write it without the checker: plain pytest, in the same process.

The same 22 behaviours as tests/katas/test_11_timers.py, with the same delays in units of `UNIT` seconds;
where those are hours or days of the wall clock, with units.
"""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from recorder import UNIT, Clock, about, cancel_at, failure_of


class Ticks:
    """A `tick` that writes down when it is called with what, and blocks or fails as it is told."""

    def __init__(self, blocks=(), failures=None):
        self.clock = Clock()
        self.numbers, self.moments = [], []
        self._blocks, self._failures = blocks, failures or {}

    def __call__(self, number):
        self.numbers.append(number)
        self.moments.append(self.clock.now())
        if number in self._failures:
            raise self._failures[number]
        if number < len(self._blocks):
            time.sleep(self._blocks[number] * UNIT)


async def test_it_ticks_at_every_interval_after_the_start(kata):
    ticks = Ticks()
    await kata.every(1.5 * UNIT, 6, ticks)
    assert ticks.clock.now() == about(9)
    await asyncio.sleep(2 * UNIT)
    assert ticks.moments == [about((place + 1) * 1.5) for place in range(6)]


async def test_the_start_is_when_it_begins_to_run(kata):
    ticks = Ticks()
    coroutine = kata.every(1.5 * UNIT, 3, ticks)
    await asyncio.sleep(1.75 * UNIT)
    await coroutine
    assert ticks.moments == [about(1.75 + (place + 1) * 1.5) for place in range(3)]


async def test_ticks_do_not_drift(kata):
    ticks = Ticks(blocks=[1, 2.875, 0.5, 2, 1.25, 0, 2.5, 1.5])
    await kata.every(3 * UNIT, 8, ticks)
    assert ticks.moments == [about((place + 1) * 3) for place in range(8)]
    assert ticks.clock.now() == about(25.5)


async def test_ticks_are_counted_from_0(kata):
    ticks = Ticks()
    await kata.every(0.5 * UNIT, 6, ticks)
    assert ticks.numbers == list(range(6))
    ticks = Ticks()
    await kata.every(0.5 * UNIT, 0, ticks)
    assert ticks.numbers == []
    assert ticks.clock.now() == about(0)


async def test_an_error_of_a_tick_ends_it(kata):
    failure = ValueError("bad")
    ticks = Ticks(failures={2: failure})
    assert await failure_of(kata.every(1.5 * UNIT, 6, ticks)) is failure
    assert ticks.clock.now() == about(4.5)
    await asyncio.sleep(2 * UNIT)
    assert ticks.numbers == [0, 1, 2]


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.5, 3.0])
async def test_cancelled_it_ticks_no_more(kata, moment):
    ticks = Ticks()
    await cancel_at(moment, kata.every(UNIT, 4, ticks))
    assert ticks.clock.now() == about(moment)
    told = len(ticks.numbers)
    await asyncio.sleep(1.5 * UNIT)
    assert len(ticks.numbers) == told


async def typing(kata, delay, steps):
    """At each time, `poke` with the arguments that stand there; with None instead, `cancel`."""
    clock, calls = Clock(), []
    bounce = kata.Debounce(delay * UNIT, lambda *args: calls.append((clock.now(), args)))
    for at, args in steps:
        await asyncio.sleep((at - clock.now()) * UNIT)
        if args is None:
            bounce.cancel()
        else:
            bounce.poke(*args)
    await asyncio.sleep(2 * delay * UNIT)
    return calls


async def test_it_calls_back_once_after_the_last_poke(kata):
    calls = await typing(kata, 1.75, [(at, ()) for at in (0.25, 1.25, 1.5, 2.75, 3.5)])
    assert calls == [(about(5.25), ())]


async def test_a_pause_lets_the_call_through(kata):
    times = 0.25, 1, 2, 4.25, 5.25, 5.75, 8
    calls = await typing(kata, 1.5, [(at, (at,)) for at in times])
    assert calls == [(about(3.5), (2,)), (about(7.25), (5.75,)), (about(9.5), (8,))]


@pytest.mark.parametrize("last", [("four", "five", "six"), (), ("seven",)])
async def test_the_arguments_are_those_of_the_last_poke(kata, last):
    calls = await typing(kata, 2, [(0, ("first", "poke")), (0.5, ("second",)), (1.5, last)])
    assert [args for _, args in calls] == [last]


async def test_cancel_drops_the_pending_call(kata):
    steps = [(0, ("dropped",)), (0.5, ("dropped too",)), (1.5, None), (3, ("heard",))]
    assert await typing(kata, 1.5, steps) == [(about(4.5), ("heard",))]


async def test_cancel_without_a_pending_call_does_no_harm(kata):
    steps = [(0, None), (1, (7,)), (4, None), (4.5, None), (5, (8,)), (5.5, None), (5.75, None), (6, (9,))]
    assert await typing(kata, 2, steps) == [(about(3), (7,)), (about(8), (9,))]


async def test_the_callback_may_poke(kata):
    clock, calls, others = Clock(), [], []

    def callback(left):
        calls.append((clock.now(), left))
        if left:
            bounce.poke(left - 1)

    bounce = kata.Debounce(UNIT, callback)
    other = kata.Debounce(2.125 * UNIT, lambda: others.append(clock.now()))
    bounce.poke(3)
    other.poke()
    await asyncio.sleep(6 * UNIT)
    assert calls == [(about(turn + 1), 3 - turn) for turn in range(4)]
    assert others == [about(2.125)]


def from_now(seconds, zone=UTC):
    return datetime.fromtimestamp(time.time() + seconds, zone)


class Appointment:
    """A callback that writes down when it is called with what."""

    def __init__(self):
        self.clock, self.calls = Clock(), []

    def __call__(self, *args):
        self.calls.append((self.clock.now(), args))


@pytest.mark.parametrize("hours", [0, 8, -5.5])
async def test_it_runs_at_that_moment_of_any_zone(kata, hours):
    appointment = Appointment()
    await asyncio.sleep(1.25 * UNIT)
    kata.run_at(from_now(5 * UNIT, timezone(timedelta(hours=hours))), appointment, 12, 34)
    await asyncio.sleep(6 * UNIT)
    assert appointment.calls == [(about(6.25), (12, 34))]


@pytest.fixture
def far_east(monkeypatch):
    """The local time is eight hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


async def test_a_naive_moment_is_local_time(kata, far_east):
    appointment = Appointment()
    await asyncio.sleep(1.5 * UNIT)
    kata.run_at(from_now(4 * UNIT, None), appointment)
    await asyncio.sleep(5 * UNIT)
    assert appointment.calls == [(about(5.5), ())]


class Zone(tzinfo):
    """A zone one hour ahead of UTC whose clocks go forward by another hour when they show `change`."""

    def __init__(self, change):
        self._change = change

    def dst(self, moment):
        return timedelta(hours=moment.replace(tzinfo=None) >= self._change)

    def utcoffset(self, moment):
        return timedelta(hours=1) + self.dst(moment)

    def tzname(self, moment):
        return "X"


async def test_the_offset_of_that_moment_counts(kata):
    appointment, now = Appointment(), from_now(0).replace(tzinfo=None)
    zone = Zone(now + timedelta(hours=1, seconds=2 * UNIT))
    shown = now + timedelta(hours=2, seconds=5 * UNIT)
    kata.run_at(shown.replace(tzinfo=zone), appointment)
    await asyncio.sleep(7 * UNIT)
    assert appointment.calls == [(about(5), ())]


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=-7))])
async def test_a_moment_already_past_is_never_inline(kata, zone):
    appointment = Appointment()
    await asyncio.sleep(0.5 * UNIT)
    handle = kata.run_at(from_now(-5000, zone), appointment, 1)
    assert appointment.calls == []
    assert isinstance(handle, asyncio.TimerHandle)
    await asyncio.sleep(UNIT)
    assert appointment.calls == [(about(0.5), (1,))]


@pytest.mark.parametrize("after", [4, -4])
async def test_the_handle_can_be_cancelled(kata, after):
    appointment = Appointment()
    handle = kata.run_at(from_now(after * UNIT), appointment)
    assert isinstance(handle, asyncio.TimerHandle)
    handle.cancel()
    await asyncio.sleep((max(after, 0) + 1) * UNIT)
    assert appointment.calls == []


class Errand:
    """Threads ask for a callback, each at its time and with its number, while the loop is asleep."""

    def __init__(self, kata, fails=False):
        self.kata, self.fails = kata, fails
        self.clock, self.loop = Clock(), asyncio.get_running_loop()
        self.threads, self.events = [], []

    def callback(self, *args):
        self.threads.append(threading.get_ident())
        self.events.append(("call", self.clock.now()))
        if self.fails:
            raise KeyError("no", *args)
        return ["seen", *args]

    def ask(self, at, number):
        time.sleep(at * UNIT)
        try:
            answer = self.kata.call_from_thread(self.loop, self.callback, number, -number)
        except KeyError as error:
            answer = ["raised", *error.args]
        self.events.append(("returned", self.clock.now()))
        return answer

    async def run(self, asks):
        """The answers; every callback ran in the thread of the loop."""
        async with asyncio.timeout(20 * UNIT):
            answers = await asyncio.gather(*(asyncio.to_thread(self.ask, at, number) for at, number in asks.items()))
        assert self.threads == [threading.get_ident()] * len(asks)
        return answers


async def test_a_sleeping_loop_is_woken(kata):
    errand = Errand(kata)
    await errand.run({4: 17})
    assert sorted(errand.events) == [("call", about(4)), ("returned", about(4))]


async def test_the_thread_waits_for_the_callback(kata):
    errand = Errand(kata)
    assert await errand.run({4: 17}) == [["seen", 17, -17]]
    assert [label for label, _ in errand.events] == ["call", "returned"]


async def test_the_thread_gets_the_result(kata):
    assert await Errand(kata).run({6: 17, 2: 5, 4: 230}) == [["seen", number, -number] for number in (17, 5, 230)]


async def test_an_error_is_raised_in_the_thread(kata):
    answers = await Errand(kata, fails=True).run({5: 17, 3: 230})
    assert answers == [["raised", "no", number, -number] for number in (17, 230)]


@pytest.mark.parametrize(("give", "told"), [(lambda word: None, "None"), (ValueError, "ValueError('word')")])
async def test_any_result_is_a_result(kata, give, told):
    loop, given = asyncio.get_running_loop(), []

    def callback(word):
        given.append(word)
        return give(word)

    def work():
        time.sleep(UNIT)
        return kata.call_from_thread(loop, callback, "word")

    async with asyncio.timeout(10 * UNIT):
        assert repr(await asyncio.to_thread(work)) == told
    assert given == ["word"]
