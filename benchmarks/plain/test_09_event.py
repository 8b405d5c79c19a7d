"""The suite of 09_event as one would write it without the checker: plain pytest, in the same process.

The same 14 behaviours as tests/katas/test_09_event.py, with the same delays in units of `UNIT` seconds.
"""

import asyncio
import time
from functools import partial

import pytest
from recorder import UNIT, Clock, Recorder, about, cancel_at, failure_of, go_home

RUNNERS = [41, 17, 86, 23, 59]
DELAYS = dict(zip(RUNNERS, [4, 2, 5, 1, 3], strict=True))


async def race(kata, runners, delays, start_at):
    """The starter is set at `start_at` units of time; None: never."""
    recorder, starter = Recorder(delays), asyncio.Event()
    if start_at == 0:
        starter.set()
    elif start_at is not None:
        asyncio.get_running_loop().call_later(start_at * UNIT, starter.set)
    field = [partial(recorder.job, name) for name in runners]
    before = list(field)
    result = await kata.start_together(starter, field)
    assert field == before
    assert starter.is_set() == (start_at == 0 or bool(runners))
    return recorder, result


async def test_nobody_runs_before_the_start(kata):
    recorder, _ = await race(kata, RUNNERS, 1, start_at=1.5)
    assert recorder.starts == {name: about(1.5) for name in RUNNERS}
    assert sorted(recorder.order) == sorted(RUNNERS)


async def test_all_run_at_the_same_time(kata):
    recorder, _ = await race(kata, RUNNERS, DELAYS.get, start_at=2)
    assert list(recorder.starts.values()) == [about(2)] * 5
    assert recorder.now() == about(7)


async def test_a_start_already_given_holds_nobody_up(kata):
    recorder, _ = await race(kata, RUNNERS[:3], 1.5, start_at=0)
    assert list(recorder.starts.values()) == [about(0)] * 3
    for start_at in (0, 2.5, None):
        recorder, result = await race(kata, [], 1.5, start_at)
        assert result == []
        assert recorder.now() == about(0)


async def test_results_stand_in_the_order_of_the_runners(kata):
    _, result = await race(kata, RUNNERS, DELAYS.get, start_at=1)
    assert result == [f"result of {name}" for name in RUNNERS]


async def test_the_same_runner_may_run_several_times(kata):
    recorder, starter = Recorder(2), asyncio.Event()

    async def runner():
        return await recorder.job(len(recorder.order))

    asyncio.get_running_loop().call_later(UNIT, starter.set)
    result = await kata.start_together(starter, [runner] * 3)
    assert sorted(result) == ["result of 0", "result of 1", "result of 2"]
    assert recorder.now() == about(3)


async def test_a_failure_stops_the_others(kata):
    failure, starter = ValueError("bad"), asyncio.Event()
    recorder = Recorder(lambda name: failure if name == 86 else name / 10)
    asyncio.get_running_loop().call_later(0.5 * UNIT, starter.set)
    assert await failure_of(kata.start_together(starter, [partial(recorder.job, name) for name in RUNNERS])) is failure
    assert recorder.now() == about(1.5)
    assert sorted(recorder.cancelled) == [17, 23, 41, 59]


@pytest.mark.parametrize("starts_all_the_same", [True, False])
@pytest.mark.parametrize("moment", [0.0, 0.75, 1.5, 3.0])
async def test_a_cancelled_race_is_over(kata, moment, starts_all_the_same):
    recorder, starter = Recorder(DELAYS.get), asyncio.Event()
    start = asyncio.get_running_loop().call_later(1.5 * UNIT, starter.set)
    await cancel_at(moment, kata.start_together(starter, [partial(recorder.job, name) for name in RUNNERS]))
    assert recorder.running == 0
    called = len(recorder.order)
    if not starts_all_the_same:
        start.cancel()
    await asyncio.sleep((2 - moment) * UNIT)
    assert len(recorder.order) == called
    assert len(asyncio.all_tasks()) == 1


GREEN, RED = 2.5, 1.5
CYCLE = GREEN + RED
LOOKS = [0.25, GREEN - 0.25, GREEN + 0.25, CYCLE - 0.25, CYCLE + 0.25, CYCLE + GREEN - 0.25, CYCLE + GREEN + 0.25]
COLOURS = [True, True, False, False, True, True, False]


async def look(light, moments):
    """Whether the light is green, so many units of time from now."""
    clock, seen = Clock(), []
    for moment in moments:
        await asyncio.sleep((moment - clock.now()) * UNIT)
        seen.append(light.is_green)
    return seen


async def drive(light, clock, moment):
    await asyncio.sleep(moment * UNIT)
    await light.drive()
    return clock.now()


async def run_later(light, moment):
    await asyncio.sleep(moment * UNIT)
    await light.run()


async def test_green_and_red_take_turns(kata):
    light = kata.TrafficLight(GREEN * UNIT, RED * UNIT)
    running = asyncio.create_task(light.run())
    assert await look(light, LOOKS) == COLOURS
    assert not running.done()
    await go_home([running])


async def test_drivers_go_on_green(kata):
    light, clock = kata.TrafficLight(GREEN * UNIT, RED * UNIT), Clock()
    running = asyncio.create_task(light.run())
    come = [0.25, GREEN - 0.5, GREEN + 0.25, CYCLE - 0.5, CYCLE + 0.5, CYCLE + GREEN + 0.5]
    gone = await asyncio.gather(*(drive(light, clock, moment) for moment in come))
    assert gone == [about(at) for at in (0.25, GREEN - 0.5, CYCLE, CYCLE, CYCLE + 0.5, 2 * CYCLE)]
    await go_home([running])


async def test_a_light_that_does_not_run_yet_is_green(kata):
    light, clock = kata.TrafficLight(GREEN * UNIT, RED * UNIT), Clock()
    running = asyncio.create_task(run_later(light, 10))
    drivers = [asyncio.create_task(drive(light, clock, moment)) for moment in (0.5, 9.5, 10 + GREEN + 0.5)]
    assert await look(light, [0.25, 9.75, *(10 + moment for moment in LOOKS)]) == [True, True, *COLOURS]
    assert await asyncio.gather(*drivers) == [about(0.5), about(9.5), about(10 + CYCLE)]
    await go_home([running])


@pytest.mark.parametrize("stop_at", [GREEN + RED / 2, GREEN / 2])
async def test_each_run_starts_green(kata, stop_at):
    light = kata.TrafficLight(GREEN * UNIT, RED * UNIT)
    await cancel_at(stop_at, light.run())
    await asyncio.sleep(0.25 * UNIT)
    running = asyncio.create_task(light.run())
    driver = asyncio.create_task(drive(light, Clock(), GREEN + 0.25))
    assert await look(light, LOOKS) == COLOURS
    assert await driver == about(CYCLE)
    await go_home([running])


@pytest.mark.parametrize("moment", [0.0, GREEN / 2, GREEN + 0.5, CYCLE + 0.5])
async def test_a_run_ends_when_it_is_cancelled(kata, moment):
    clock = Clock()
    await cancel_at(moment, kata.TrafficLight(GREEN * UNIT, RED * UNIT).run())
    assert clock.now() == about(moment)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("moment", [GREEN + 0.25, GREEN + 0.75, CYCLE - 0.25])
async def test_a_driver_who_turns_back_disturbs_nobody(kata, moment, alone):
    light, clock = kata.TrafficLight(GREEN * UNIT, RED * UNIT), Clock()
    running = asyncio.create_task(light.run())
    others = [asyncio.create_task(drive(light, clock, GREEN + at)) for at in (0.375, 0.5) if not alone]
    looking = asyncio.create_task(look(light, LOOKS))
    await cancel_at(moment, drive(light, clock, GREEN + 0.125))
    assert clock.now() == about(moment)
    assert await asyncio.gather(*others) == [about(CYCLE)] * len(others)
    assert await looking == COLOURS
    await go_home([running])


async def test_waiters_wake_at_once(kata):
    loop, event, clock = asyncio.get_running_loop(), asyncio.Event(), Clock()

    async def waiter():
        await event.wait()
        return clock.now()

    def work():
        time.sleep(3 * UNIT)
        kata.signal_from_thread(loop, event)
        time.sleep(3 * UNIT)

    working = asyncio.create_task(asyncio.to_thread(work))
    assert await asyncio.gather(*(waiter() for _ in range(3))) == [about(3)] * 3
    await working
    assert event.is_set()


async def test_the_event_stays_set(kata):
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def work():
        time.sleep(3 * UNIT)
        kata.signal_from_thread(loop, event)
        time.sleep(UNIT)
        kata.signal_from_thread(loop, event)

    async def patrol():
        for _ in range(100):
            await asyncio.sleep(0.375 * UNIT)

    patrolling = asyncio.create_task(patrol())
    assert not event.is_set()
    await asyncio.to_thread(work)
    await asyncio.sleep(UNIT)
    assert event.is_set()
    await go_home([patrolling])
