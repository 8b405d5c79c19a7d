"""The suite of 09_event: who waits for a signal goes on the moment it is given, and not before."""

import asyncio
import threading
import time
from functools import partial
from itertools import permutations

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing


async def go_home(tasks):
    """Cancel those who are still about, and raise what any of the others raised."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


# --- start_together ------------------------------------------------------------------------------------


@scenario
async def race(kata, stage, *, runners, start_at=None):
    """The starter is set at `start_at` seconds; None: never."""
    run = stage.calls("run")

    def runner(name):
        stage.note("called", name)
        return run(name)

    starter = asyncio.Event()
    if start_at == 0:
        starter.set()
    elif start_at is not None:
        asyncio.get_running_loop().call_later(start_at, starter.set)
    field = [partial(runner, name) for name in runners]
    given = list(field)
    results = await kata.start_together(starter, field)
    stage.note("list changed", field != given)
    stage.note("starter is set", starter.is_set())
    return results


def numbers(rng, count):
    """So many numbers for runners, in no order."""
    return rng.sample(range(10, 100), count)


def odd(rng):
    """A fraction of a second that no clock of quarters, tenths or hundredths ever meets, exact as a float."""
    return rng.randint(1, 99) / 1024


@ordering
@points(2)
async def test_nobody_runs_before_the_start(run, rng):
    """No runner is called before the starter is set; then each is called once."""
    start_at = rng.randint(2, 20) / 4 + odd(rng)
    runners = numbers(rng, rng.randint(3, 6))
    trace = await run(race, runners=runners, start_at=start_at, world=calls(run=1.0))
    early = [at for at in trace.noted_at("called") if at < start_at]
    assert not early, f"The starter was set at {start_at} s; a runner was called at {early[0]!r} s, awaited or not."
    assert trace.starts("run") == [start_at] * len(runners)
    assert sorted(trace.order("run")) == sorted(runners), (
        f"{len(runners)} runners, {sorted(runners)}, should be called once each; called were {trace.order('run')}."
    )


@timing
@points(2)
async def test_all_run_at_the_same_time(run, rng):
    """All run at the same time, so that the race takes as long as the slowest of them, however long that is."""
    start_at = rng.randint(2, 20) / 4
    runners = numbers(rng, 5)
    delays = dict(zip(runners, rng.sample(range(1, 20), 5), strict=True))
    trace = await run(race, runners=runners, start_at=start_at, world=calls(run=delays))
    assert trace.elapsed == start_at + max(delays.values())
    assert trace.starts("run") == [start_at] * 5
    # However long it takes to the start, or to the end: nobody has spoken of a limit.
    for start_at, delay in ((rng.randint(1000, 2000), 1.5), (1.5, rng.randint(1000, 2000))):
        trace = await run(race, runners=runners[:2], start_at=start_at, world=calls(run=delay))
        assert trace.elapsed == start_at + delay


@timing
async def test_a_start_already_given_holds_nobody_up(run, rng):
    """If the starter is set already all run at once; no runners take no time, set or not."""
    runners = numbers(rng, 3)
    trace = await run(race, runners=runners, start_at=0, world=calls(run=1.5))
    assert trace.starts("run") == [0, 0, 0]
    for start_at in (0, 2.5, None):
        trace = await run(race, runners=[], start_at=start_at)
        assert trace.result == []
        assert trace.elapsed == 0


@scenario
async def returned_errors(kata, stage, *, runners):
    """Every runner returns an exception object."""

    async def runner(name):
        return ValueError(name)

    starter = asyncio.Event()
    starter.set()
    try:
        answers = await kata.start_together(starter, [partial(runner, name) for name in runners])
    except ValueError as error:
        return f"raised {error!r}"
    return [[type(answer).__name__, str(answer)] for answer in answers]


@result
async def test_results_stand_in_the_order_of_the_runners(run, rng):
    """Results, returned exceptions too, come in the order of the runners; list and starter are left as they were."""
    runners = numbers(rng, rng.randint(4, 6))
    delays = dict(zip(runners, [20, *rng.sample(range(1, 20), len(runners) - 1)], strict=True))
    for name, nothing in zip(rng.sample(runners, 3), (None, 0, ""), strict=True):
        delays[name] = call(delays[name], nothing)
    trace = await run(race, runners=runners, start_at=1.0, world=calls(run=delays))
    if isinstance(trace.result, list):
        count = len(trace.result)
        assert count == len(runners), (
            f"Of {len(runners)} runners, which returned also None, 0 and '', it gave {count} results."
        )
    assert trace.result == [trace.given("run", name) for name in runners]
    assert trace.noted("list changed") == [False]
    assert trace.noted("starter is set") == [True]
    told = (await run(returned_errors, runners=runners)).result
    assert told == [["ValueError", str(name)] for name in runners], (
        f"{len(runners)} runners returned a ValueError object each, and none failed; what came of it: {told}."
    )


@scenario
async def two_races(kata, stage, *, fields):
    found = []
    for field in fields:
        starter = asyncio.Event()
        starter.set()
        found.append(await kata.start_together(starter, [partial(stage.calls("run"), name) for name in field]))
    return found


@result
async def test_every_race_has_results_of_its_own(run, rng):
    """A second call knows nothing of the first: it returns the results of its own runners."""
    names = numbers(rng, 5)
    trace = await run(two_races, fields=[names[:3], names[3:]], world=calls(run=1.0))
    given = [trace.given("run", name) for name in names]
    assert trace.result == [given[:3], given[3:]]


@scenario
async def twins(kata, stage, *, many):
    starter = asyncio.Event()
    asyncio.get_running_loop().call_later(1, starter.set)
    return await kata.start_together(starter, [stage.calls("run")] * many)


@result
async def test_the_same_runner_may_run_several_times(run, rng):
    """The same runner may stand in the list several times, and runs as often."""
    many = rng.randint(2, 4)
    trace = await run(twins, many=many, world=calls(run=2.0))
    assert trace.count("run") == many
    assert trace.result in [list(order) for order in permutations(trace.all_given("run"))]
    assert trace.elapsed == 3.0


@cancellation
async def test_a_failure_stops_the_others(run, rng):
    """The first runner that fails ends the race: the others are cancelled, and its error is raised."""
    runners = numbers(rng, 4)
    for cls in (ValueError, TimeoutError, rng.choice([KeyError, RuntimeError, TypeError, OSError])):
        bad = runners[rng.randrange(4)]
        script = {name: call(2.0, error=cls) if name == bad else 3.0 + place for place, name in enumerate(runners)}
        trace = await run(race, runners=runners, start_at=0.5, world=calls(run=script), raises=cls)
        assert trace.elapsed == 2.5
        failure = trace.given("run", bad)
        assert trace.error.holds(failure), f"The runner raised {failure!r}; what came out is {trace.error!r}."
        assert sorted(trace.outcomes("run")) == ["cancelled", "cancelled", "cancelled", "failed"], (
            f"One of 4 runners failed and 3 should have been cancelled; they ended like this: {trace.outcomes('run')}."
        )
    # All of them at the same moment: any of the errors will do, or several in a group; nobody need ask for the others.
    either = {"raises": Exception, "allow": ("complaints",)}
    trace = await run(race, runners=runners[:2], start_at=0.5, world=calls(run=call(2.0, error=ValueError)), **either)
    failures = trace.all_given("run")
    assert any(trace.error.holds(failure) for failure in failures), (
        f"2 of 2 runners failed at the same moment, with {failures}; what came out is {trace.error!r}."
    )
    assert trace.elapsed == 2.5


@scenario
async def called_off(kata, stage, *, runners, start_at, starts_all_the_same):
    """Where nobody waits for the start any more, it is given all the same, or never."""
    starter = asyncio.Event()
    start = asyncio.get_running_loop().call_later(start_at, starter.set)
    field = [partial(stage.calls("run"), name) for name in runners]
    task = stage.target(asyncio.create_task(kata.start_together(starter, field)))
    await asyncio.wait([task])
    if not starts_all_the_same:
        start.cancel()
    await asyncio.sleep(start_at + 1)
    return await task


@cancellation
@points(2)
async def test_a_cancelled_race_is_over(sweep, rng):
    """Cancelled at any point, before the start too, it ends with CancelledError, and nobody runs on or starts."""
    delays = dict(enumerate(rng.sample(range(1, 9), 3)))
    for same in (True, False):
        world = calls(run=delays)
        for trace in await sweep(called_off, runners=[0, 1, 2], start_at=1.5, starts_all_the_same=same, world=world):
            late = [span for span in trace.calls("run") if span.end is None or span.end > trace.struck_at]
            assert not late, f"Cancelled at {trace.struck_at!r} s; runner {late[0].key} ran after that."


# --- TrafficLight --------------------------------------------------------------------------------------


async def look(stage, light, moments, label="green"):
    """Note whether the light is green, so many seconds from now."""
    start = stage.now
    for moment in moments:
        await asyncio.sleep(start + moment - stage.now)
        stage.note(label, light.is_green)


@scenario
async def crossing(kata, stage, *, green, red, run_at=0, watch=(), drivers=(), closes_at):
    """The light is looked at, and drivers come, at the moments given; a second light is never run."""
    light, spare = kata.TrafficLight(green, red), kata.TrafficLight(green, red)

    async def run():
        await asyncio.sleep(run_at)
        await light.run()

    async def driver(number, moment):
        await asyncio.sleep(moment)
        await light.drive()
        stage.note(f"driver {number} went")

    running = asyncio.create_task(run())
    others = [asyncio.create_task(driver(number, moment)) for number, moment in enumerate(drivers, 1)]
    others.append(asyncio.create_task(look(stage, light, watch)))
    others.append(asyncio.create_task(look(stage, spare, watch, "spare is green")))
    try:
        await asyncio.sleep(closes_at)
        stage.note("still running", not running.done())
    finally:
        await go_home([running, *others])


@scenario
async def crossroads(kata, stage, *, first, second):
    """Two lights run; a driver waits at the second one, while the first one turns green."""
    lights = [kata.TrafficLight(*first), kata.TrafficLight(*second)]
    tasks = [asyncio.create_task(light.run()) for light in lights]

    async def driver():
        await asyncio.sleep(second[0] + 0.25)
        await lights[1].drive()
        stage.note("driver went")

    tasks.append(asyncio.create_task(driver()))
    try:
        await asyncio.sleep(sum(second) + 1)
    finally:
        await go_home(tasks)


def phases(rng):
    """Unequal seconds of green and red."""
    green, red = rng.sample(range(2, 9), 2)
    return green / 2, red / 2


def around_changes(green, red, rounds):
    """Moments shortly before and after each change of the light, and whether it is green then."""
    moments, colours = [], []
    for turn in range(rounds):
        begin = turn * (green + red)
        moments += [begin + 0.125, begin + green - 0.125, begin + green + 0.125, begin + green + red - 0.125]
        colours += [True, True, False, False]
    return moments, colours


def assert_colours(trace, colours, green, red):
    """At each look the light showed the right colour."""
    for at, saw, colour in zip(trace.noted_at("green"), trace.noted("green"), colours, strict=True):
        assert saw == colour, (
            f"{green} s green, {red} s red: at {at!r} s `is_green` should be {colour}; it was {saw!r}."
        )


@result
@points(2)
async def test_green_and_red_take_turns(run, rng):
    """While it runs, the light is green for `green` seconds, red for `red` seconds, and so on until it is cancelled."""
    green, red = phases(rng)
    moments, colours = around_changes(green, red, 3)
    trace = await run(crossing, green=green, red=red, watch=moments, closes_at=moments[-1] + 0.5)
    assert_colours(trace, colours, green, red)
    assert trace.noted("still running") == [True]


@timing
@points(2)
async def test_drivers_go_on_green(run, rng):
    """A driver who comes on green goes at once; those who come on red go the moment it turns green."""
    green, red = phases(rng)
    cycle = green + red
    drivers = [0.25, green - 0.25, green + 0.25, cycle - 0.25, cycle + 0.25, cycle + green + 0.5]
    trace = await run(crossing, green=green, red=red, drivers=drivers, closes_at=2 * cycle + 0.5)
    leave = [0.25, green - 0.25, cycle, cycle, cycle + 0.25, 2 * cycle]
    for number, (comes, goes) in enumerate(zip(drivers, leave, strict=True), 1):
        went = trace.noted_at(f"driver {number} went")
        assert went == [goes], (
            f"{green} s green, {red} s red: a driver who comes at {comes} s should go at {goes} s; "
            f"it {f'went at {went[0]!r} s' if went else 'never went'}."
        )
    trace = await run(crossroads, first=[0.5, 1.0], second=[1.0, red + 1])
    went = trace.noted_at("driver went")
    assert went == [red + 2], (
        f"Of two lights one turns green again at 1.5 s, the other at {red + 2} s; "
        f"a driver who waited at the other one went at {went}."
    )


@result
async def test_a_light_that_does_not_run_yet_is_green(run, rng):
    """Before its own `run()` a light is green and drivers go at once; the first green then lasts as long as any."""
    green, red = phases(rng)
    run_at = rng.randint(10, 20)
    drivers = [0.5, run_at - 0.5, run_at + green + 0.5]
    moments, colours = around_changes(green, red, 2)
    watch = [0.25, run_at - 0.25, *(run_at + moment for moment in moments)]
    trace = await run(
        crossing, green=green, red=red, run_at=run_at, watch=watch, drivers=drivers, closes_at=watch[-1] + 0.5
    )
    assert_colours(trace, [True, True, *colours], green, red)
    for at, saw in zip(trace.noted_at("spare is green"), trace.noted("spare is green"), strict=True):
        assert saw, f"Of two lights only the first is run; at {at!r} s `is_green` of the second was {saw!r}."
    assert trace.noted_at("driver 1 went") == [0.5]
    assert trace.noted_at("driver 2 went") == [run_at - 0.5]
    assert trace.noted_at("driver 3 went") == [run_at + green + red]


@scenario
async def second_run(kata, stage, *, green, red, comes_at, stop_at, pause, watch, driver_at):
    """The light runs, is stopped, and runs again; only then it is looked at. A driver comes in each run."""
    light = kata.TrafficLight(green, red)

    async def driver(name, moment):
        await asyncio.sleep(moment)
        await light.drive()
        stage.note(f"{name} went")

    first = asyncio.create_task(light.run())
    early = asyncio.create_task(driver("early driver", comes_at))
    tasks = [early]
    try:
        await asyncio.sleep(stop_at)
        await go_home([first])
        await asyncio.sleep(pause)
        tasks += [asyncio.create_task(light.run()), asyncio.create_task(driver("driver", driver_at))]
        await look(stage, light, watch)
    finally:
        await go_home(tasks)


@result
async def test_each_run_starts_green(run, rng):
    """Stopped on green or on red, a light starts green again, also for who still waits; all else begins anew."""
    green, red = phases(rng)
    # All through two rounds, for what an earlier run has left behind may come at any moment.
    moments = [number / 8 + 1 / 16 for number in range(int(16 * (green + red)))]
    colours = [moment % (green + red) < green for moment in moments]
    for stop_at in (green + red / 2, green / 2):
        pause = rng.randint(1, 3) / 8
        comes_at, goes = stop_at - 0.125, stop_at + pause
        data = {"green": green, "red": red, "stop_at": stop_at, "pause": pause, "comes_at": comes_at}
        trace = await run(second_run, **data, watch=moments, driver_at=green + 0.25)
        assert_colours(trace, colours, green, red)
        went = trace.noted_at("early driver went")  # on red, the stopped light may let the driver go before
        assert [at <= goes for at in went] == [True], (
            f"{green} s green, {red} s red: the light was stopped at {stop_at} s and run again from {goes} s on. "
            f"A driver who came at {comes_at} s must have gone by then, and "
            f"{f'went at {went[0]!r} s' if went else 'never went'}."
        )
        assert trace.noted_at("driver went") == [stop_at + pause + green + red]


@scenario
async def lights_out(kata, stage, *, green, red, closes_at):
    """The light runs until it is struck, or is closed down at last; says whether it is green then."""
    light = kata.TrafficLight(green, red)
    task = stage.target(asyncio.create_task(light.run()))
    await asyncio.wait([task], timeout=closes_at)
    if task.done():
        return await task
    shown = light.is_green
    task.cancel()
    await asyncio.wait([task])
    return shown


@cancellation
async def test_a_run_ends_when_it_is_cancelled(sweep, rng):
    """Cancelled on green or on red, `run` ends with CancelledError and leaves nothing behind."""
    green, red = phases(rng)
    await sweep(lights_out, green=green, red=red, closes_at=green + red + green + 0.25, returns=False)


@scenario
async def turns_back(kata, stage, *, green, red, drivers, watch):
    """One of several drivers, the target, may turn back; the light is looked at as ever."""
    light = kata.TrafficLight(green, red)

    async def driver(name, moment):
        await asyncio.sleep(moment)
        await light.drive()
        stage.note(f"{name} went")

    target = stage.target(asyncio.create_task(driver("first", drivers[0])))
    others = [asyncio.create_task(light.run())]
    others += [asyncio.create_task(driver(f"driver {number}", at)) for number, at in enumerate(drivers[1:], 2)]
    try:
        await look(stage, light, watch)
        await asyncio.wait([target], timeout=1)
    finally:
        await go_home(others)
    return await target


@scenario
async def lonely_driver(kata, stage, *, green, red):
    """The only driver, the target, comes on red; with it the light goes out."""
    light = kata.TrafficLight(green, red)

    async def driver():
        await asyncio.sleep(green + 0.25)
        await light.drive()

    target = stage.target(asyncio.create_task(driver()))
    running = asyncio.create_task(light.run())
    await asyncio.wait([target])
    stage.note("the driver's end")
    await go_home([running])
    return await target


@cancellation
@points(2)
async def test_a_driver_who_turns_back_disturbs_nobody(sweep, rng):
    """A cancelled `drive` ends at once and leaves nothing; the others go at the next green, and the light goes on."""
    green, red = phases(rng)
    cycle = green + red
    moments, colours = around_changes(green, red, 2)
    drivers = [green + 0.25, green + 0.375, green + 0.5]
    for trace in await sweep(turns_back, green=green, red=red, drivers=drivers, watch=moments):
        for number in (2, 3):
            assert trace.noted_at(f"driver {number} went") == [cycle]
        assert_colours(trace, colours, green, red)
    for trace in await sweep(lonely_driver, green=green, red=red):
        assert trace.noted_at("the driver's end") == [trace.struck_at]


# --- signal_from_thread --------------------------------------------------------------------------------


@scenario
async def sensor(kata, stage, *, at, waiters):
    """A thread works for a while, signals, and works on. The event notes in which thread it is set."""
    loop = asyncio.get_running_loop()
    home = threading.get_ident()

    class Signal(asyncio.Event):
        def set(self):
            stage.note("set in the loop's thread", threading.get_ident() == home)
            super().set()

    event = Signal()

    async def waiter():
        await event.wait()
        stage.note("woke")

    def work():
        time.sleep(at)
        kata.signal_from_thread(loop, event)
        time.sleep(20)

    tasks = [asyncio.create_task(waiter()) for _ in range(waiters)]
    try:
        await asyncio.to_thread(work)
        stage.note("event is set", event.is_set())
    finally:
        await go_home(tasks)


@timing
@points(2)
async def test_waiters_wake_at_once(run, rng):
    """A signal from another thread is given in the loop's, and wakes all who wait at once, though the loop slept."""
    at, waiters = rng.randint(1, 9), rng.randint(2, 4)
    trace = await run(sensor, at=at, waiters=waiters)
    # Who calls `asyncio.Event.set` past it notes nothing, and is believed.
    assert False not in trace.noted("set in the loop's thread"), (
        f"At {at} s `event.set()` was called in the thread that signals, and not in the loop's: "
        "asyncio's events are not thread-safe."
    )
    assert trace.noted_at("woke") == [at] * waiters
    assert trace.noted("event is set") == [True]


@scenario
async def busy_loop(kata, stage, *, at):
    """Here the loop has something to do for a long time, and the event is asked only later."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    kept = [event.is_set()]

    def work():
        time.sleep(at)
        kata.signal_from_thread(loop, event)
        time.sleep(1)
        kata.signal_from_thread(loop, event)

    async def patrol():
        for _ in range(50):
            await asyncio.sleep(0.375)

    task = asyncio.create_task(patrol())
    try:
        await asyncio.to_thread(work)
        await asyncio.sleep(1)
        kept.append(event.is_set())
        await event.wait()
    finally:
        await go_home([task])
    return kept


@result
async def test_the_event_stays_set(run, rng):
    """A signal that nobody waits for is not lost, and a second one does no harm: the event stays set."""
    trace = await run(busy_loop, at=rng.randint(1, 9))
    assert trace.result == [False, True]
