"""The suite of 11_timers: what is set for a certain moment happens at that moment, once, or not at all."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from checker.suite import cancellation, ordering, points, result, scenario, timing

INEXACT = (0.7, 1.4, 1.9, 2.8, 3.3, 3.8)
"""Intervals that no float holds exactly: some of 15 multiples, divided by them again, give less than a whole number."""


def late(seconds):
    """So many seconds late, or early, with as many digits as it takes to see them."""
    return f"{abs(seconds):.12g} s too {'late' if seconds > 0 else 'early'}"


def nth(number):
    """The number in a row: 1st, 2nd, 3rd, 4th, … up to the 20th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number, "th")
    return f"{number}{ending}"


# --- every ---------------------------------------------------------------------------------------------


@scenario
async def clockwork(kata, stage, *, interval, count, waits=0.0, blocks=(), fails_at=None, cls=ValueError, word=""):
    """The coroutine is made first, and begins to run after `waits` seconds; then time passes for a while."""

    def tick(number):
        stage.note("tick", number)
        if number == fails_at:
            raise cls(word)
        if 0 <= number < len(blocks):
            time.sleep(blocks[number])

    coroutine = kata.every(interval, count, tick)
    if waits:
        await asyncio.sleep(waits)
    task = stage.target(asyncio.create_task(coroutine))
    await asyncio.wait([task])
    stage.note("returned")
    await asyncio.sleep(3 * interval)
    return await task


@timing
@points(2)
async def test_it_ticks_at_every_interval_after_the_start(run, rng):
    """Tick i comes (i+1) intervals after the start, and it returns with the last tick."""
    # An interval that no clock of milliseconds ever meets, exact as a float.
    interval, count = rng.randint(3, 20) / 8 + rng.randint(1, 99) / 1024, rng.randint(4, 8)
    trace = await run(clockwork, interval=interval, count=count)
    assert trace.noted_at("tick") == [(place + 1) * interval for place in range(count)]
    assert trace.noted_at("returned") == [count * interval]
    # One that no float holds: what is computed from it and the clock may lie a hair above or below what it should be.
    interval, count = rng.choice(INEXACT), rng.randint(15, 20)
    trace = await run(clockwork, interval=interval, count=count)
    for number, at in enumerate(trace.noted_at("tick")):
        due = (number + 1) * interval
        assert abs(at - due) < 1e-6, (
            f"With an interval of {interval} s, which no float holds exactly, the {nth(number + 1)} tick should come "
            f"at {due:g} s; it came {late(at - due)}."
        )
    assert trace.noted_at("returned") == [count * interval]


@timing
async def test_the_start_is_when_it_begins_to_run(run, rng):
    """The start is when the coroutine begins to run, not when it was made."""
    waits, count = rng.randint(9, 20) / 8, rng.randint(2, 5)
    trace = await run(clockwork, interval=1.5, count=count, waits=waits)
    assert trace.noted_at("tick") == [waits + (place + 1) * 1.5 for place in range(count)]


@timing
@points(2)
async def test_ticks_do_not_drift(run, rng):
    """Ticks that block for a while, each for less than an interval, do not make the later ones late."""
    interval, count = rng.randint(2, 4), rng.randint(6, 12)
    blocks = [rng.randrange(8 * interval) / 8 for _ in range(count)]
    blocks[1] = interval - 0.125
    trace = await run(clockwork, interval=interval, count=count, blocks=blocks, allow=("blocked",))
    came, due = trace.noted_at("tick"), [(place + 1) * interval for place in range(count)]
    if len(came) == count and came[-1] == due[-1]:  # late in between, and yet no drift
        assert came == due, f"The last tick came at {due[-1]} s, as it should; some of those due at {due} s came late."
    assert came == due
    assert trace.noted_at("returned") == [count * interval + blocks[-1]]


@ordering
async def test_ticks_are_counted_from_0(run, rng):
    """Ticks are numbered 0, 1, 2, … in order; `count` 0 means none, and takes no time."""
    count = rng.randint(4, 8)
    trace = await run(clockwork, interval=0.5, count=count)
    assert trace.noted("tick") == list(range(count))
    interval, count = rng.choice(INEXACT), rng.randint(15, 20)
    trace = await run(clockwork, interval=interval, count=count)
    numbers = trace.noted("tick")
    assert numbers == list(range(count)), (
        f"With an interval of {interval} s, which no float holds exactly, ticks should be numbered 0 to {count - 1}, "
        f"each once and in order; their numbers were {numbers}."
    )
    trace = await run(clockwork, interval=0.5, count=0)
    assert trace.noted("tick") == []
    assert trace.noted_at("returned") == [0]


@result
async def test_an_error_of_a_tick_ends_it(run, rng):
    """An error of `tick` is raised at once, and there are no further ticks."""
    for cls in (ValueError, TimeoutError, rng.choice([KeyError, RuntimeError, TypeError, OSError])):
        fails_at, word = rng.randint(1, 3), f"word {rng.randrange(10**6)}"
        data = {"interval": 1.5, "count": 6, "fails_at": fails_at, "cls": cls, "word": word}
        trace = await run(clockwork, **data, raises=cls, allow=("complaints",))
        assert any(error.args == (word,) for error in trace.error.leaves()), (
            f"`tick` raised {cls.__name__}({word!r}); what came out is {trace.error!r}."
        )
        assert trace.noted("tick") == list(range(fails_at + 1))
        assert trace.noted_at("returned") == [(fails_at + 1) * 1.5]


@scenario
async def ticks_until_struck(kata, stage, *, interval, count):
    ticks = []

    def tick(number):
        ticks.append(number)
        stage.note("tick", number)

    task = stage.target(asyncio.create_task(kata.every(interval, count, tick)))
    await asyncio.wait([task])
    stage.note("returned")
    await asyncio.sleep(3 * interval)
    await task
    return ticks


@cancellation
@points(2)
async def test_cancelled_it_ticks_no_more(sweep, rng):
    """Cancelled at any point, it ends with CancelledError at once, and there are no further ticks."""
    interval, count = rng.randint(2, 12) / 8, rng.randint(3, 5)
    for trace in await sweep(ticks_until_struck, interval=interval, count=count, returns=list(range(count))):
        late = [at for at in trace.noted_at("tick") if at > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; a tick came at {late[0]!r} s."
        due = [number for number in range(count) if (number + 1) * interval <= trace.struck_at]
        came = len(trace.noted("tick"))
        assert came <= len(due), (
            f"Cancelled at {trace.struck_at!r} s, when {len(due)} ticks were due, one every {interval} s; {came} came."
        )
        assert trace.noted_at("returned") == [trace.struck_at]


# --- Debounce ------------------------------------------------------------------------------------------


@scenario
async def typing(kata, stage, *, delay, steps):
    """At each time, `poke` with the arguments that stand there; with None instead, `cancel`."""
    bounce = kata.Debounce(delay, stage.callback("call"))
    for at, args in steps:
        if at > stage.now:
            await asyncio.sleep(at - stage.now)
        if args is None:
            bounce.cancel()
        else:
            bounce.poke(*args)
    await asyncio.sleep(3 * delay)


def bursts(rng, delay, many):
    """Times of `many` pokes that come faster, one after another, than `delay`."""
    times, now = [], rng.randint(0, 4) / 8
    for _ in range(many):
        times.append(now)
        now += rng.randrange(1, round(8 * delay)) / 8
    return times


@timing
@points(2)
async def test_it_calls_back_once_after_the_last_poke(run, rng):
    """Of pokes that come close together only the last one counts: one call, `delay` seconds after it, 0 seconds too."""
    delay = rng.randint(8, 20) / 8
    times = bursts(rng, delay, rng.randint(4, 7))
    for args in ([], [rng.randrange(1000)]):  # the same each time: it is no less a poke
        trace = await run(typing, delay=delay, steps=[(at, args) for at in times])
        assert trace.noted_at("call") == [times[-1] + delay]
    steps = [(0.5, ["first"]), (0.5, ["second"]), (1.5, None)]
    trace = await run(typing, delay=0, steps=steps)
    came = trace.noted_at("call")
    assert came == [0.5], f"With a delay of 0 s and two pokes in one turn of the loop, at 0.5 s, calls came at {came}."


@timing
async def test_a_pause_lets_the_call_through(run, rng):
    """A pause longer than `delay` lets the call through; the next poke begins anew."""
    delay = rng.randint(8, 20) / 8
    first = bursts(rng, delay, 3)
    pause = first[-1] + delay + rng.randint(1, 9) / 8
    second = [pause + at for at in bursts(rng, delay, 3)]
    alone = second[-1] + delay + 0.5
    trace = await run(typing, delay=delay, steps=[(at, [at]) for at in [*first, *second, alone]])
    assert trace.noted_at("call") == [first[-1] + delay, second[-1] + delay, alone + delay]
    assert trace.noted("call") == [[first[-1]], [second[-1]], [alone]]


@result
async def test_the_arguments_are_those_of_the_last_poke(run, rng):
    """The callback gets the arguments of the last poke, however many they are, None and 0 too."""
    number = rng.randrange(1, 10**6)
    nothing = rng.sample([None, "", 0, False, number], 5)
    for last in ([number + place for place in range(rng.randint(2, 3))], [], [number], nothing, [None]):
        trace = await run(typing, delay=2.0, steps=[(0, ["first", "poke"]), (0.5, ["second"]), (1.5, last)])
        assert trace.noted("call") == [last]


@timing
async def test_cancel_drops_the_pending_call(run, rng):
    """`cancel` drops the call that is pending, and later pokes work again."""
    delay = rng.randint(8, 20) / 8
    steps = [(0, ["dropped"]), (0.5, ["dropped too"]), (delay, None), (2 * delay, ["heard"])]
    trace = await run(typing, delay=delay, steps=steps)
    assert trace.noted("call") == [["heard"]]
    assert trace.noted_at("call") == [3 * delay]


@result
async def test_cancel_without_a_pending_call_does_no_harm(run, rng):
    """`cancel` does no harm before the first poke, twice, or after the call."""
    word, other = rng.sample(range(1000), 2)
    steps = [(0, None), (1, [word]), (4, None), (4.5, None), (5, [other]), (5.5, None), (5.75, None), (6, [word])]
    trace = await run(typing, delay=2.0, steps=steps)
    assert trace.noted("call") == [[word], [word]]
    assert trace.noted_at("call") == [3, 8]


@scenario
async def echo(kata, stage, *, delay, many, then=None):
    """The callback pokes itself; a second one knows nothing of the first. `then`: while that poke is pending."""

    def callback(left):
        stage.note("call", left)
        if left:
            bounce.poke(left - 1)

    bounce, other = kata.Debounce(delay, callback), kata.Debounce(2 * delay + 0.125, stage.callback("other"))
    bounce.poke(many)
    other.poke("other")
    await asyncio.sleep(1.5 * delay)
    if then == "poke":
        bounce.poke(0)
    elif then == "cancel":
        bounce.cancel()
    await asyncio.sleep(delay * (many + 3))


@ordering
async def test_the_callback_may_poke(run, rng):
    """The callback may poke, and is called again, unless a poke or `cancel` follows; other Debounces do not matter."""
    delay, many = rng.randint(4, 12) / 8, rng.randint(2, 4)
    trace = await run(echo, delay=delay, many=many)
    assert trace.noted("call") == list(range(many, -1, -1))
    assert trace.noted_at("call") == [(turn + 1) * delay for turn in range(many + 1)]
    assert trace.noted_at("other") == [2 * delay + 0.125]
    for then, moments in (("poke", [delay, 2.5 * delay]), ("cancel", [delay])):
        trace = await run(echo, delay=delay, many=many, then=then)
        came = trace.noted_at("call")
        assert came == moments, (
            f"With a delay of {delay} s the callback poked at {delay} s, and at {1.5 * delay} s there was "
            f"a `{then}` from outside; calls should come at {moments} s, and came at {came} s."
        )
        assert trace.noted_at("other") == [2 * delay + 0.125]


# --- run_at --------------------------------------------------------------------------------------------


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


@scenario
async def appointment(kata, stage, *, after, waits=0.0, hours=None, args=(), cancels=False):
    """A moment `after` seconds away, as a clock shows it that is `hours` ahead of UTC; None: naive."""
    await asyncio.sleep(waits)
    moment = time.time() + after
    when = datetime.fromtimestamp(moment, None if hours is None else timezone(timedelta(hours=hours)))
    handle = kata.run_at(when, stage.callback("call"), *args)
    stage.note("returned")
    if cancels:
        handle.cancel()
    await asyncio.sleep(max(after, 0) + 10)
    return isinstance(handle, asyncio.TimerHandle)


@scenario
async def summer_time(kata, stage, *, change, shown, after):
    """The clocks of the zone change before that moment, or have changed since."""
    zone = Zone(datetime.fromisoformat(change))
    kata.run_at(datetime.fromisoformat(shown).replace(tzinfo=zone), stage.callback("call"))
    await asyncio.sleep(after + 7200)


def noon(rng):
    """Some day of some year at twelve, UTC."""
    return datetime(rng.randint(2025, 2035), rng.randint(1, 12), rng.randint(1, 28), 12, tzinfo=UTC)


@timing
@points(2)
async def test_it_runs_at_that_moment_of_any_zone(run, rng):
    """The callback runs at the moment of the wall clock, in whatever zone that is given, and gets its arguments."""
    # 1/64 s is 15,625 microseconds: the smallest fraction that is exact as a float and in a datetime.
    for hours, most in ((0, 6), (rng.randint(1, 12), 600), (-rng.randint(1, 12) + 0.5, 600)):
        after, waits = rng.randrange(1, most, 2) / 64, rng.randint(1, 20) / 8
        args = [rng.randrange(1000) for _ in range(2)]
        wall_clock = noon(rng).timestamp()
        trace = await run(appointment, after=after, waits=waits, hours=hours, args=args, wall_clock=wall_clock)
        assert trace.noted_at("call") == [waits + after]
        assert trace.noted("call") == [args]


@timing
async def test_a_naive_moment_is_local_time(run, rng):
    """A moment without a zone is local time."""
    after = rng.randint(90_000, 3 * 86400)  # more than a day: who drops the days, or waits no longer than one, is early
    trace = await run(appointment, after=after, waits=1.5, wall_clock=noon(rng).timestamp())
    for at in trace.noted_at("call"):
        assert abs(at - 1.5 - after) < 1e-6, (
            f"`run_at` was given a naive moment {after} s ahead; the callback ran {late(at - 1.5 - after)}."
        )
    assert len(trace.noted("call")) == 1, (
        f"`run_at` was given a naive moment {after} s ahead; "
        f"the callback ran {len(trace.noted('call'))} times, expected once."
    )
    assert trace.noted("call") == [[]]


@timing
async def test_the_offset_of_that_moment_counts(run, rng):
    """Across a change to summer time it is the zone's offset at `when` that counts, not the one of today."""
    start = noon(rng)
    change = (start + timedelta(hours=rng.randint(4, 20))).replace(tzinfo=None)
    after = (change - start.replace(tzinfo=None)).seconds + rng.randint(2, 9) * 3600
    shown = start.replace(tzinfo=None) + timedelta(seconds=after, hours=2)
    trace = await run(summer_time, change=str(change), shown=str(shown), after=after, wall_clock=start.timestamp())
    assert trace.noted_at("call") == [after]


@ordering
@points(2)
async def test_a_moment_already_past_is_never_inline(run, rng):
    """A moment already past runs on the next turn of the loop, after `run_at` has returned its TimerHandle."""
    for hours in (None, rng.randint(-9, 9)):
        waits = rng.randint(1, 9) / 8
        after, wall_clock = -rng.randint(1, 10**6), noon(rng).timestamp()
        args = rng.sample(range(1000), 2)
        trace = await run(appointment, after=after, waits=waits, hours=hours, args=args, wall_clock=wall_clock)
        assert trace.noted_at("call") == [waits]
        events = [note.label for note in trace.notes]
        assert events == ["returned", "call"], (
            f"For a moment already past, `run_at` should return first and the callback run then; saw {events}."
        )
        assert trace.result is True, "For a moment already past, what `run_at` returned is no TimerHandle."
        for given in trace.noted("call"):
            assert given == args, (
                f"For a moment already past, `run_at` was given the arguments {args}; the callback got {given}."
            )


@result
async def test_the_handle_can_be_cancelled(run, rng):
    """It returns a TimerHandle, of a moment to come or already past; once that is cancelled nothing runs."""
    for after in (rng.randint(2, 9), -rng.randint(2, 9)):
        trace = await run(appointment, after=after, hours=0, cancels=True, wall_clock=noon(rng).timestamp())
        assert trace.result is True, "What `run_at` returned is no TimerHandle."
        assert trace.noted("call") == []


# --- call_from_thread ----------------------------------------------------------------------------------


@scenario
async def errand(kata, stage, *, at, asks, fails=False, takes=0.0):
    """Threads ask for the callback, each at its time and with its number, while the loop is asleep.

    The callback takes so many seconds.
    """
    loop = asyncio.get_running_loop()

    def callback(*args):
        stage.note("call", list(args))
        try:
            stage.note("in the loop's thread", asyncio.get_running_loop() is loop)
        except RuntimeError:
            stage.note("in the loop's thread", False)
        if takes:
            time.sleep(takes)
        if fails:
            raise KeyError("no", *args)
        return ["seen", *args]

    def work(seconds, number):
        time.sleep(seconds)
        try:
            answer = kata.call_from_thread(loop, callback, number, -number)
        except KeyError as error:
            answer = ["raised", *error.args]
        stage.note("returned", number)
        return answer

    tasks = [asyncio.create_task(asyncio.to_thread(work, *ask)) for ask in zip(at, asks, strict=True)]
    await asyncio.sleep(100)
    return await asyncio.gather(*tasks)


@timing
@points(2)
async def test_a_sleeping_loop_is_woken(run, rng):
    """The callback runs at once, in the loop's thread, though the loop was asleep."""
    at, number = rng.randint(1, 9), rng.randrange(1000)
    trace = await run(errand, at=[at], asks=[number])
    assert trace.noted_at("call") == [at]
    assert trace.noted("in the loop's thread") == [True]
    assert trace.noted_at("returned") == [at]


@ordering
async def test_the_thread_waits_for_the_callback(run, rng):
    """The thread goes on only when the callback has run in the loop's thread, however long that takes."""
    for takes in (0, rng.randint(1000, 2000)):
        at, number = rng.randint(1, 9), rng.randrange(1000)
        trace = await run(errand, at=[at], asks=[number], takes=takes, allow=("blocked",))
        events = [note.label for note in trace.notes]
        assert events == ["call", "in the loop's thread", "returned"], f"The callback should run first; saw {events}."
        assert trace.noted("in the loop's thread") == [True]
        assert trace.noted_at("returned") == [at + takes]
        assert trace.result == [["seen", number, -number]]


@result
@points(2)
async def test_the_thread_gets_the_result(run, rng):
    """Each of several threads gets the result of its own call, also when they ask at the same time."""
    asks = rng.sample(range(1000), 3)
    trace = await run(errand, at=rng.sample(range(1, 9), 3), asks=asks)
    assert trace.result == [["seen", number, -number] for number in asks]
    assert trace.noted("in the loop's thread") == [True] * 3
    # The second and the third ask in the middle of the first callback; and then all of them at one moment.
    for at, takes in (([1.0, 1.5, 1.75], 1.0), ([1.0] * 3, 0.0)):
        trace = await run(errand, at=at, asks=asks, takes=takes, allow=("blocked",))
        expected = [["seen", number, -number] for number in asks]
        assert trace.result == expected, (
            f"3 threads asked at {at} s, callbacks took {takes:g} s, and each thread should get the answer to its own "
            f"call: {expected}; they got {trace.result}."
        )


class RefusedError(Exception):
    """An error of the suite's own."""


@scenario
async def errors_and_then(kata, stage, *, kinds, word):
    """One thread, many calls: all but the last one fail, each with an error of its own class."""
    loop = asyncio.get_running_loop()

    def fail(cls):
        raise cls(word)

    def work():
        for cls in kinds:
            stage.note("asked", cls.__name__)
            try:
                answer = kata.call_from_thread(loop, fail, cls)
            except Exception as error:
                stage.note("raised", [type(error).__name__, *map(str, error.args)])
            else:
                stage.note("returned", [cls.__name__, repr(answer)])
        stage.note("word", kata.call_from_thread(loop, str.upper, word))

    threading.Thread(target=work, daemon=True).start()
    await asyncio.sleep(10)


@result
async def test_an_error_is_raised_in_the_thread(run, rng):
    """An error of the callback is raised in the calling thread, of the same type and with the same arguments."""
    asks = rng.sample(range(1000), 2)
    trace = await run(errand, at=rng.sample(range(1, 9), 2), asks=asks, fails=True)
    for number, answer in zip(asks, trace.result, strict=True):
        if isinstance(answer, list) and answer[:1] == ["raised"]:
            assert answer == ["raised", "no", number, -number], (
                f"A callback raised KeyError('no', {number}, {-number}); "
                f"in the calling thread came out KeyError({', '.join(map(repr, answer[1:]))}): other arguments."
            )
    assert trace.result == [["raised", "no", number, -number] for number in asks]
    assert trace.noted("in the loop's thread") == [True] * 2
    kinds = rng.sample([TimeoutError, OSError, ZeroDivisionError, AttributeError, EOFError, RefusedError], 6)
    word = f"word {rng.randrange(10**6)}"
    trace = await run(errors_and_then, kinds=kinds, word=word, allow=("complaints",))
    raised, returned = trace.noted("raised"), trace.noted("returned")
    asked = f"A callback raised {trace.noted('asked')[-1]}({word!r})"
    lost = [f"A callback raised {name}({word!r}); `call_from_thread` returned {answer}." for name, answer in returned]
    assert not lost, lost[0]
    for cls, error in zip(kinds, raised, strict=False):
        assert error == [cls.__name__, word], (
            f"A callback raised {cls.__name__}({word!r}); "
            f"in the calling thread came out {error[0]}({', '.join(map(repr, error[1:]))})."
        )
    assert len(raised) == len(kinds), f"{asked}; 10 s later the thread that had called it still waited for an answer."
    assert trace.noted("word") == [word.upper()]


@scenario
async def odd_results(kata, stage, *, word, values):
    loop = asyncio.get_running_loop()
    kept = []

    def work():
        answers = []
        for callback in (kept.append, ValueError):
            time.sleep(1)
            answers.append(kata.call_from_thread(loop, callback, word))
        others = [kata.call_from_thread(loop, values.__getitem__, place) for place in range(len(values))]
        return answers + others

    nothing, error, *others = await asyncio.to_thread(work)
    return [kept, nothing, str(error), *others]


@result
async def test_any_result_is_a_result(run, rng):
    """A callback may return None, 0 or the like, and an exception that is returned is not raised."""
    word = f"word {rng.randrange(10**6)}"
    values = rng.sample([0, "", False, [], rng.randint(1, 9)], 5)
    trace = await run(odd_results, word=word, values=values)
    assert trace.result == [[word], None, word, *values]
