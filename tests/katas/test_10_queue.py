"""The suite of 10_queue: each side goes at its own pace within a limit, and nobody is left at the end."""

import asyncio
import contextlib
from collections import Counter
from functools import partial
from itertools import pairwise

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing

# --- items that are exceptions -------------------------------------------------------------------------


def made(item):
    """An item as the submission gets it: what begins with this word stands for an exception object."""
    return ValueError(*item[1:]) if isinstance(item, list) and item[:1] == ["exception"] else item


def told(item):
    """An item as the trace has it: the other way."""
    return ["exception", *item.args] if isinstance(item, ValueError) else item


def stands_for_exception(rng):
    """An item that is an exception object, which is no failure of anybody's; see `made`."""
    return ["exception", f"an item like any other, number {rng.randrange(100, 1000)}"]


# --- a task of somebody else's -------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def beside(stage):
    """A task that the caller has begun waits meanwhile; says whether it lives at the end."""
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        stage.note("bystander lives", not task.done() and not task.cancelling())
        task.cancel()
        await asyncio.wait([task])


def assert_bystander_lives(trace, who, moment):
    """The task that the caller had begun was not cancelled."""
    assert trace.noted("bystander lives") == [True], (
        f"The caller had 1 task of its own; when {who} failed, at {moment:g} s, that task was cancelled too."
    )


# --- pump ----------------------------------------------------------------------------------------------


class Belt:
    """Items one by one, as long as `read` gives them; afterwards, and after an error, there is nothing more."""

    def __init__(self, stage, many):
        self._read = stage.calls("read")
        self._stage = stage
        self._left = list(range(many))

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._left:
            raise StopAsyncIteration
        place = self._left.pop(0)
        try:
            return made(await self._read(place))
        except Exception:
            self._left.clear()
            raise

    async def aclose(self):
        self._stage.note("items were closed")


@scenario
async def factory(kata, stage, *, many, size, workers):
    """An item may be an exception object: `consume` tells what it stands for."""

    async def consume(item):
        return await stage.calls("consume")(told(item))

    return await kata.pump(Belt(stage, many), consume, size=size, workers=workers)


@scenario
async def factories(kata, stage, *, manies):
    """Two of them, one after the other."""
    return [await kata.pump(Belt(stage, many), stage.calls("consume"), size=1, workers=1) for many in manies]


def distinct(rng, many):
    """So many different numbers, in no order."""
    return rng.sample(range(100, 1000), many)


def reads(items, delay=0.0):
    """A `read` that gives these items, one by one."""
    return [call(delay, item) for item in items]


@timing
@points(2)
async def test_a_worker_takes_the_next_item_as_soon_as_it_is_free(run, rng):
    """All workers consume at the same time, and each takes the next item the moment it is free."""
    many, long = 6, rng.randint(5, 8)
    world = calls(read=reads(distinct(rng, many)), consume=[long, 1, 1, 1, 1, 1])
    trace = await run(factory, many=many, size=rng.randint(1, 3), workers=2, world=world)
    assert trace.starts("consume") == [0, 0, 1, 2, 3, 4]
    assert trace.elapsed == max(long, 5)


@timing
async def test_workers_consume_at_the_same_time(run, rng):
    """As many items are consumed at the same time as there are workers, no more and no fewer."""
    workers = rng.randint(2, 5)
    world = calls(read=reads(distinct(rng, 3 * workers)), consume=1.5)
    trace = await run(factory, many=3 * workers, size=rng.randint(1, 4), workers=workers, world=world)
    assert trace.peak("consume") == workers
    assert trace.elapsed == 4.5


@timing
async def test_an_item_is_consumed_as_soon_as_it_is_there(run, rng):
    """A slow source keeps nobody from consuming what is there already, and an empty queue is not the end."""
    many = rng.randint(4, 7)
    world = calls(read=reads(distinct(rng, many), 1.0), consume=1.5)
    trace = await run(factory, many=many, size=rng.randint(1, 3), workers=3, world=world)
    assert trace.starts("consume") == [place + 1 for place in range(many)]
    assert trace.elapsed == many + 1.5


@timing
async def test_more_workers_than_items_and_none_at_all(run, rng):
    """More workers than items do no harm, and no items take no time."""
    many = rng.randint(2, 3)
    trace = await run(
        factory, many=many, size=5, workers=many + 3, world=calls(read=reads(distinct(rng, many)), consume=2.0)
    )
    assert trace.result == trace.all_given("consume")
    assert trace.elapsed == 2
    trace = await run(factory, many=0, size=2, workers=3)
    assert trace.result == []
    assert trace.elapsed == 0


def most_ahead(trace, done):
    """The most reads that had ended at any moment beyond what was `done` by then, and that moment."""
    ends = sorted(float(span.end) for span in trace.calls("read") if span.end is not None)
    ahead = [(sum(end <= now for end in ends) - sum(end <= now for end in done), now) for now in ends]
    return max(ahead, default=(0, 0.0))


@ordering
@points(2)
async def test_it_does_not_read_far_ahead(run, rng):
    """Never more than `size` + `workers` + 1 items are read whose `consume` has not ended."""
    for delay in (0.125, 0.0):
        size, workers = rng.randint(1, 3), rng.randint(1, 3)
        items = distinct(rng, 4 * (size + workers))
        world = calls(read=reads(items, delay), consume=[4.0, 4.5, 5.0])
        trace = await run(factory, many=len(items), size=size, workers=workers, world=world)
        most, now = most_ahead(trace, [float(span.end) for span in trace.calls("consume")])
        assert most <= size + workers + 1, (
            f"With size {size} and {workers} workers, {most} items had been read at {now:g} s "
            f"whose `consume` had not ended; at most {size + workers + 1} may be."
        )
        assert trace.count("consume") == len(items)


@ordering
async def test_one_producer_reads_the_items_in_order(run, rng):
    """The items are read one after another, and their `consume` is called once each, in their order."""
    items = distinct(rng, 6)
    trace = await run(factory, many=6, size=2, workers=3, world=calls(read=reads(items, 0.25), consume=[3.5, 1, 2]))
    assert trace.peak("read") == 1
    assert trace.order("consume") == items


@result
@points(2)
async def test_results_stand_in_the_order_of_the_items(run, rng):
    """Results come in the order of the items, whichever is consumed first; `items` stays open."""
    items = distinct(rng, rng.randint(5, 8))
    delays = dict(zip(items, [30, *rng.sample(range(1, 30), len(items) - 1)], strict=True))
    for item, nothing in zip(rng.sample(items, 3), (None, 0, ""), strict=True):
        delays[item] = call(delays[item], nothing)
    world = calls(read=reads(items), consume=delays)
    trace = await run(factory, many=len(items), size=2, workers=3, world=world)
    if isinstance(trace.result, list):
        count = len(trace.result)
        assert count == len(items), (
            f"Of {len(items)} items, for which `consume` returned also None, 0 and '', it gave {count} results."
        )
    assert trace.result == [trace.given("consume", item) for item in items]
    assert not trace.noted("items were closed"), "The pump closed `items`, which are the caller's to close."


@result
async def test_a_second_pump_starts_afresh(run, rng):
    """A second call knows nothing of the first: it returns the results of its own items."""
    trace = await run(factories, manies=[3, 2], world=calls(read=reads(distinct(rng, 5)), consume=1.0))
    given = trace.all_given("consume")
    assert trace.result == [given[:3], given[3:]]


@result
async def test_equal_items_are_all_consumed(run, rng):
    """The same item may come several times, and be 0, None, a list or an exception: each time it is consumed."""
    items = [0, [1], 0, None, [1], 5, "", None, stands_for_exception(rng)]
    rng.shuffle(items)
    trace = await run(factory, many=9, size=2, workers=1, world=calls(read=reads(items), consume=1.0))
    assert trace.order("consume") == items
    assert trace.result == trace.all_given("consume")


@result
@points(2)
async def test_a_failure_takes_its_own_place(run, rng):
    """A failed `consume` leaves its exception in its place, and its worker goes on."""
    items = distinct(rng, 7)
    bad = rng.sample(items[:5], 3)
    classes = rng.sample([ValueError, KeyError, TypeError, RuntimeError, TimeoutError, OSError], 6)
    for workers, seconds in ((1, 7), (2, 4)):
        delays = {item: call(1.0, error=classes.pop()) if item in bad else 1.0 for item in items}
        world = calls(read=reads(items), consume=delays)
        trace = await run(factory, many=7, size=2, workers=workers, world=world)
        assert trace.result == [trace.given("consume", item) for item in items]
        assert trace.elapsed == seconds
    # Of `consume` this is an error like any other; who reads items in the same `try` takes it for their end.
    delays = {item: call(1.0, error=StopAsyncIteration if item in bad else None) for item in items}
    trace = await run(factory, many=7, size=2, workers=1, world=calls(read=reads(items), consume=delays))
    assert trace.count("consume") == 7, (
        "`consume` failed with StopAsyncIteration for 3 of 7 items, which is an error like any other and no end of "
        f"the items; {trace.count('consume')} of the 7 were consumed."
    )
    assert trace.result == [trace.given("consume", item) for item in items]


@result
async def test_an_error_of_the_items_is_raised(run, rng):
    """An error of `items` itself is raised, and not before every worker has ended, its cleanup too."""
    slow = [call(9.0 + place, cleanup=rng.randint(1, 9) / 4) for place in range(4)]
    goods = ((ValueError, rng.randint(2, 4)), (ValueError, 0), (TimeoutError, 1), (rng.choice([OSError, EOFError]), 1))
    for cls, good in goods:
        world = calls(read=[*reads(distinct(rng, good), 0.25), call(0.5, error=cls)], consume=slow)
        trace = await run(factory, many=good + 3, size=4, workers=3, world=world, raises=cls)
        failure = trace.given("read", good)
        assert trace.error.holds(failure), f"`items` raised {failure!r}; what came out is {trace.error!r}."
        assert len(trace.interrupted()) == 0, "A `consume` was cancelled a second time while it cleaned up."


@scenario
async def unfinished(kata, stage, *, many, size, workers):
    """When the pump is over, the rest is read by whoever has handed the items in."""

    async def belt():
        for place in range(many):
            yield await stage.calls("read")(place)

    items = belt()
    pump = kata.pump(items, stage.calls("consume"), size=size, workers=workers)
    task = asyncio.create_task(pump)
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    rest = [item async for item in items]
    return [task.cancelled(), bool(rest)]


@cancellation
async def test_the_items_stay_open(run, rng):
    """Cancelled, it leaves `items` open: whoever handed them in can read on."""
    items = distinct(rng, 12)
    world = calls(read=reads(items, 0.125), consume=20.0)
    trace = await run(unfinished, many=12, size=rng.randint(1, 3), workers=rng.randint(1, 2), world=world)
    cancelled, went_on = trace.result
    assert cancelled, "Cancelled at 5 s, the pump should end in CancelledError."
    assert went_on, (
        "Cancelled at 5 s, in the middle of a `consume`, the pump left nothing to read: "
        "it had closed `items`, which are not its own, or had read all 12 of them."
    )


def assert_still(traces):
    """From its cancellation on nothing was read or consumed, and the items were not closed."""
    for trace in traces:
        late = [span for span in trace.spans if span.end is None or span.end > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; a `{late[0].label}` ran on after that."
        closed = trace.noted("items were closed")
        assert not closed, f"Cancelled at {trace.struck_at!r} s, the pump closed `items`, which stay the caller's."


@cancellation
@points(2)
async def test_a_cancelled_pump_stands_still(sweep, rng):
    """Cancelled at any point, it ends; it reads and consumes no more."""
    size, delays = rng.randint(1, 2), [1, 2.75, 1.125, 2, 1]
    world = calls(read=reads(distinct(rng, 6), 0.5), consume=delays)
    assert_still(await sweep(factory, many=6, size=size, workers=2, world=world))


@cancellation
async def test_a_pump_stands_still_whatever_its_consumers_answer(sweep, rng):
    """Cancelled, it stands still also where a `consume` answers with an error, which may come out instead."""
    rude = [call(delay, error=ValueError, then="raises") for delay in (1, 2.75, 1.125, 2, 1)]
    world = calls(read=reads(distinct(rng, 6), 0.5), consume=rude)
    assert_still(await sweep(factory, many=6, size=rng.randint(1, 2), workers=2, world=world, allow=("complaints",)))


# --- drain ---------------------------------------------------------------------------------------------


@scenario
async def office(kata, stage, *, names, arrivals, stop_at, stop="stop", room=0, bystander=False):
    """Items arrive at their times, and `stop` at its own; None: never. The queue has room for so many; 0: for all.

    An item may be an exception object: the consumers tell what it stands for. A bystander is a task of the caller's.
    """
    queue = asyncio.Queue(room)
    loop = asyncio.get_running_loop()

    async def consume(name, item):
        return await stage.calls("consume")(name, told(item))

    for at, item in [(at, made(item)) for at, item in arrivals]:
        loop.call_later(at, queue.put_nowait, item) if at else queue.put_nowait(item)
    if stop_at == 0:
        queue.put_nowait(stop)
    elif stop_at is not None:
        loop.call_later(stop_at, queue.put_nowait, stop)
    consumers = [partial(consume, name) for name in names]
    given = list(consumers)
    async with beside(stage) if bystander else contextlib.nullcontext():
        results = await kata.drain(queue, consumers, stop)
    stage.note("list changed", consumers != given)
    return results


def odd(rng):
    """A fraction of a second that no clock of quarters, tenths or hundredths ever meets, exact as a float."""
    return rng.randint(1, 99) / 1024


def people(rng, many):
    """So many names that nobody can know."""
    return [f"{place}-{rng.randrange(10**6)}" for place in range(many)]


def by_consumer(trace, names):
    """What the world gave each consumer, in its own order."""
    return [[span.value for span in trace.calls("consume") if span.key == name] for name in names]


def consumed(trace):
    """The items that were consumed, in starting order."""
    return [span.args[1] for span in trace.calls("consume")]


@timing
@points(2)
async def test_consumers_work_at_the_same_time(run, rng):
    """All consumers work at the same time, and whoever is free takes the next item at once."""
    names = people(rng, rng.randint(2, 4))
    items = distinct(rng, 3 * len(names))
    trace = await run(office, names=names, arrivals=[(0, item) for item in items], stop_at=0, world=calls(consume=1.5))
    assert trace.peak("consume") == len(names)
    assert trace.elapsed == 4.5
    assert sorted(consumed(trace)) == sorted(items), f"The items were {items}; consumed were {consumed(trace)}."


@timing
async def test_an_empty_queue_is_not_the_end(run, rng):
    """Consumers wait at an empty queue, however long; only `stop` ends them, and then at once."""
    many, late = rng.randint(3, 5), odd(rng)
    arrivals = [(place + 1 + late, item) for place, item in enumerate(distinct(rng, many))]
    for stop_at in (many + rng.randint(4, 9), many + rng.randint(1000, 2000)):
        trace = await run(office, names=people(rng, 3), arrivals=arrivals, stop_at=stop_at, world=calls(consume=1.5))
        assert trace.starts("consume") == [place + 1 + late for place in range(many)]
        assert trace.elapsed == stop_at


@ordering
async def test_a_consumer_has_one_item_at_a_time(run, rng):
    """Each consumer is called with one item at a time, in the order of the queue, and the quick take more of them."""
    names, items = people(rng, 3), distinct(rng, 12)
    delays = dict(zip(names, rng.sample([1.0, 1.75, 2.5, 6.125], 3), strict=True))
    arrivals = [(0, item) for item in items]
    trace = await run(office, names=names, arrivals=arrivals, stop_at=0, world=calls(consume=delays))
    began = {span.args[1]: span.start for span in trace.calls("consume")}
    in_order = sorted(began) == sorted(items) and all(began[one] <= began[next_] for one, next_ in pairwise(items))
    assert in_order, f"The items came as {items}; they were consumed as {consumed(trace)}."
    for name in names:
        own = [span for span in trace.calls("consume") if span.key == name]
        busy = any(trace.overlaps(one, other) for one, other in pairwise(own))
        assert not busy, "A consumer was called with an item while its last call was still under way."
    assert trace.elapsed == max(span.end for span in trace.calls("consume"))


@result
@points(2)
async def test_each_consumer_has_a_list_of_its_own(run, rng):
    """Returns one list a consumer, with its results in its own order; `stop` is left out."""
    names = people(rng, 3)
    delays = dict(zip(names, rng.sample(range(4, 12), 3), strict=True))
    items = [*distinct(rng, 6), 0, None, "", stands_for_exception(rng)]
    rng.shuffle(items)
    arrivals = [(place / 2, item) for place, item in enumerate(items)]
    delays[names[0]] = call(delays[names[0]], None)
    trace = await run(office, names=names, arrivals=arrivals, stop_at=5.25, world=calls(consume=delays))
    assert trace.result == by_consumer(trace, names)
    assert sorted(consumed(trace), key=repr) == sorted(items, key=repr), (
        f"10 items came before `stop`; consumed were {consumed(trace)}."
    )
    assert trace.noted("list changed") == [False]


@scenario
async def two_days(kata, stage, *, name, days):
    found = []
    for items in days:
        queue = asyncio.Queue()
        for item in [*items, "stop"]:
            queue.put_nowait(item)
        found.append(await kata.drain(queue, [partial(stage.calls("consume"), name)], "stop"))
    return found


@result
async def test_a_second_drain_starts_afresh(run, rng):
    """A second call knows nothing of the first: it reads its own queue, and returns its own results."""
    items = distinct(rng, 5)
    trace = await run(two_days, name="one", days=[items[:3], items[3:]], world=calls(consume=1.0))
    assert consumed(trace) == items
    given = [span.value for span in trace.calls("consume")]
    assert trace.result == [[given[:3]], [given[3:]]]


@result
async def test_stop_alone_and_nobody_to_stop(run, rng):
    """Who gets no item has an empty list; without consumers there is nothing to wait for."""
    names = people(rng, 3)
    for room in (0, 1):
        trace = await run(office, names=names, arrivals=[], stop_at=2.5, room=room)
        assert trace.result == [[], [], []]
        assert trace.elapsed == 2.5
    for stop_at in (0, None):
        trace = await run(office, names=[], arrivals=[], stop_at=stop_at)
        assert trace.result == []
        assert trace.elapsed == 0


@result
async def test_calls_under_way_finish_and_count(run, rng):
    """When `stop` arrives the calls under way come to their end, and their results count."""
    names, long = people(rng, 3), rng.randint(5, 9)
    arrivals = [(0.5, 1), (0.75, 2)]
    trace = await run(office, names=names, arrivals=arrivals, stop_at=2.0, world=calls(consume=[long, 3.0]))
    assert trace.outcomes("consume") == ["done", "done"]
    assert trace.result == by_consumer(trace, names)
    assert trace.elapsed == long + 0.5


@result
async def test_stop_is_recognised_by_identity(run, rng):
    """An item that merely equals `stop` is an item like any other."""
    mark, other = [rng.randrange(100)], [rng.randrange(100, 200)]
    arrivals = [(place + 1, list(item)) for place, item in enumerate([other, mark, other, mark, other])]
    names = people(rng, 2)
    trace = await run(office, names=names, arrivals=arrivals, stop_at=9, stop=list(mark), world=calls(consume=0.5))
    assert trace.count("consume") == 5
    assert trace.result == by_consumer(trace, names)
    for stop in (None, []):
        items = rng.sample([0, "", False, []], 4)
        arrivals = [(place + 1, item) for place, item in enumerate(items)]
        trace = await run(office, names=names, arrivals=arrivals, stop_at=9, stop=stop, world=calls(consume=0.5))
        assert consumed(trace) == items, (
            f"The object `stop` was {stop!r}, and came after the 4 items {items}; consumed were {consumed(trace)}."
        )
        assert trace.result == by_consumer(trace, names)
        assert trace.elapsed == 9


@scenario
async def twins(kata, stage, *, items):
    queue = asyncio.Queue()
    stop = object()
    for item in [*items, stop]:
        queue.put_nowait(item)
    return await kata.drain(queue, [stage.calls("consume")] * 2, stop)


@result
async def test_the_same_consumer_may_stand_there_twice(run, rng):
    """The same consumer may be in the list twice: it then works twice at the same time and has two lists."""
    trace = await run(twins, items=distinct(rng, 6), world=calls(consume=[1, 1.25, 1.5, 2, 2.25, 2.75]))
    assert trace.peak("consume") == 2
    lists = trace.result if isinstance(trace.result, list) else []
    assert len(lists) == 2, f"Two consumers should give two lists; returned was {trace.result!r}."
    assert Counter(each for one in lists for each in one) == Counter(trace.all_given("consume")), (
        f"The two lists should hold the 6 results between them; returned was {trace.result!r}."
    )


@cancellation
async def test_a_failed_consumer_ends_the_others(run, rng):
    """If a consumer fails the others are cancelled, at work or at the queue, and its error is raised."""
    at = rng.randint(2, 8) / 2
    arrivals = [(0.25, 1), (0.5, 2)]
    for cls in (ValueError, TimeoutError, rng.choice([KeyError, RuntimeError, TypeError, OSError])):
        data = {"names": people(rng, 4), "arrivals": arrivals, "stop_at": 30, "bystander": True}
        world = calls(consume=[20.0, call(at, error=cls)])
        trace = await run(office, **data, world=world, raises=cls)
        failure = trace.calls("consume")[1].value
        assert trace.error.holds(failure), f"The consumer raised {failure!r}; what came out is {trace.error!r}."
        assert trace.elapsed == at + 0.5
        assert trace.outcomes("consume") == ["cancelled", "failed"]
        assert_bystander_lives(trace, "a consumer", at + 0.5)
    # All of them at the same moment: any of the errors will do, or several in a group; nobody need ask for the others.
    either = {"raises": Exception, "allow": ("complaints",)}
    arrivals, world = [(0.25, 1), (0.25, 2)], calls(consume=call(at, error=ValueError))
    trace = await run(office, names=people(rng, 2), arrivals=arrivals, stop_at=30, world=world, **either)
    failures = trace.all_given("consume")
    assert any(trace.error.holds(failure) for failure in failures), (
        f"2 of 2 consumers failed at the same moment, with {failures}; what came out is {trace.error!r}."
    )
    assert trace.elapsed == at + 0.25


@cancellation
@points(2)
async def test_a_cancelled_drain_leaves_nobody_at_the_queue(sweep, rng):
    """Cancelled at any point, it ends with CancelledError, and nobody works or waits at the queue any more."""
    arrivals = [(place / 2, item) for place, item in enumerate(distinct(rng, 5))]
    world = calls(consume=[1, 2.75, 1.125, 2.5, 1])
    for trace in await sweep(office, names=people(rng, 3), arrivals=arrivals, stop_at=4.25, world=world):
        late = [span for span in trace.spans if span.end is None or span.end > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; a consumer worked on after that."


# --- merge ---------------------------------------------------------------------------------------------


async def feed(stage, name, many):
    """A source that says, when it is broken off, that it closes, and when it has closed."""
    try:
        for place in range(many):
            yield made(await stage.calls("read")(name, place))
    except (asyncio.CancelledError, GeneratorExit):
        await stage.calls("close")(name)
        stage.note("closed", name)
        raise


class Sensor:
    """A source that is no generator, and has nothing to close."""

    def __init__(self, stage, name, many):
        self._stage, self._name = stage, name
        self._places = iter(range(many))

    def __aiter__(self):
        return self

    async def __anext__(self):
        for place in self._places:
            return made(await self._stage.calls("read")(self._name, place))
        raise StopAsyncIteration


class Valve(Sensor):
    """A source that is no generator: that nobody reads any more does not close it."""

    async def aclose(self):
        await self._stage.calls("close")(self._name)
        self._stage.note("closed", self._name)


@scenario
async def desk(kata, stage, *, sources, most=10**6, kinds=(feed,), bystander=False):
    """Items are used one by one, and the merge is closed after so many of them.

    An item may be an exception object: what it stands for is noted, used and returned. A bystander is a task of the
    caller's.
    """
    made = [kinds[place % len(kinds)](stage, name, many) for place, (name, many) in enumerate(sources.items())]
    async with beside(stage) if bystander else contextlib.nullcontext():
        return await read_through(stage, kata.merge(*made), most)


async def read_through(stage, merged, most):
    """Use so many items, and close the merge."""
    used = []
    try:
        async for arrival in merged:
            item = told(arrival)
            stage.note("item", item)
            await stage.calls("use")(item)
            used.append(item)
            if len(used) == most:
                break
    finally:
        stage.note("closing")
        await merged.aclose()
    return used


def by_source(delays):
    """A `read` whose n-th call for a source takes what is n-th in its list of delays."""
    return lambda name, place: delays[name][place]


def staggered(rng, names, many):
    """Delays for several sources, no two of which have an item at the same time."""
    return {
        name: [rng.randint(1, 4) / 2 + (place / 8 if turn == 0 else 0) for turn in range(many)]
        for place, name in enumerate(names)
    }


def left_open(trace, sources):
    """The sources that were not read to their end, did not fail and were not closed."""
    read = Counter(span.key for span in trace.calls("read") if span.outcome == "done")
    failed = [span.key for span in trace.calls("read") if span.outcome == "failed"]
    return [
        name for name, many in sources.items() if read[name] < many and name not in [*failed, *trace.noted("closed")]
    ]


@timing
@points(2)
async def test_items_come_at_once_whoever_they_come_from(run, rng):
    """Each item is there the moment its source has it, and the merge ends with the last source."""
    names = people(rng, 3)
    trace = await run(desk, sources=dict.fromkeys(names, 4), world=calls(read=by_source(staggered(rng, names, 4))))
    arrivals = sorted(float(span.end) for span in trace.calls("read"))
    assert trace.noted_at("item") == arrivals
    assert trace.count("read") == 12
    first_reads = [span.start for span in trace.calls("read")[:3]]
    assert first_reads == [0, 0, 0], f"All 3 sources should be read from the start; reading began at {first_reads} s."
    assert trace.elapsed == arrivals[-1]


@result
@points(2)
async def test_all_items_of_all_sources_come_in_the_order_of_their_arrival(run, rng):
    """All items of all sources come, in the order of their arrival; without sources, none."""
    names = people(rng, 4)
    sources = dict(zip(names, [3, 0, 5, rng.randint(1, 4)], strict=True))
    delays = staggered(rng, names, 5)
    for name, nothing in ((names[0], None), (names[2], 0)):  # what looks like nothing is an item as well
        delays[name][1] = call(delays[name][1], nothing)
    delays[names[2]][3] = call(delays[names[2]][3], stands_for_exception(rng))  # and so is what looks like a failure
    world = calls(read=by_source(delays))
    trace = await run(desk, sources=sources, kinds=(feed, Sensor), world=world)
    assert trace.count("read") == sum(sources.values())
    assert trace.result == [span.value for span in sorted(trace.calls("read"), key=lambda span: float(span.end))]
    trace = await run(desk, sources={})
    assert trace.result == []
    assert trace.elapsed == 0


@ordering
async def test_a_slow_source_holds_nobody_up(run, rng):
    """A source that has nothing yet, for however long, does not keep back the items of the others."""
    slow, quick = people(rng, 2)
    many = rng.randint(4, 6)
    delays = {slow: [many + rng.randint(1000, 2000) + 0.5], quick: [1.0] * many}
    trace = await run(desk, sources={slow: 1, quick: many}, world=calls(read=by_source(delays)))
    assert trace.count("read") == many + 1
    late = [span.value for span in trace.calls("read") if span.key == slow]
    early = [span.value for span in trace.calls("read") if span.key == quick]
    assert trace.noted("item") == early + late


@ordering
@points(2)
async def test_at_most_two_items_of_a_source_are_read_ahead(run, rng):
    """Whoever takes the items slowly is not left behind: at most two of a source are read ahead."""
    names = people(rng, 2)
    for delay, some in ((0.25, names), (0.0, names), (0.25, names[:1]), (0.0, names[:1])):
        many = rng.randint(7, 9)
        world = calls(read=delay, use=3.0)
        trace = await run(desk, sources=dict.fromkeys(some, many), world=world)
        assert len(trace.noted("item")) == len(some) * many, (
            f"Of {len(some) * many} items of all sources, {len(trace.noted('item'))} came."
        )
        taken = list(zip(trace.noted_at("item"), trace.noted("item"), strict=True))
        for name in some:
            own = [span for span in trace.calls("read") if span.key == name]
            values = [span.value for span in own]
            ahead = []
            for span in own:
                read = sum(each.end <= span.end for each in own)
                ahead.append((read - sum(at <= span.end and item in values for at, item in taken), span.end))
            most, now = max(ahead, key=lambda each: each[0])
            whole = ", to its end" if most >= many - 2 else ""
            assert most <= 2, f"At {now!r} s a source had been read {most} items ahead{whole}; at most 2 may be."


@result
async def test_a_failing_source_ends_the_merge(run, rng):
    """A failing source ends the merge with its error, after the other sources have been closed."""
    names = people(rng, 3)
    close = dict(zip(names, rng.sample(range(1, 9), 3), strict=True))
    sources = {names[0]: 3, names[1]: 3, names[2]: 2}
    for cls in (ValueError, TimeoutError, rng.choice([KeyError, RuntimeError, TypeError, OSError])):
        delays = {names[0]: [0.75, 0.5, 9], names[1]: [1.0, call(1.5, error=cls)], names[2]: [0.5, 9]}
        data = {"sources": sources, "kinds": (Valve, feed, feed), "bystander": True}
        trace = await run(desk, **data, world=calls(read=by_source(delays), close=close), raises=cls)
        failure = next(span.value for span in trace.calls("read") if span.outcome == "failed")
        assert trace.error.holds(failure), f"The source raised {failure!r}; what came out is {trace.error!r}."
        assert trace.noted_at("item") == [0.5, 0.75, 1, 1.25]
        assert trace.noted_at("closing")[0] >= 2.5 + max(close[names[0]], close[names[2]]), (
            f"The source failed at 2.5 s and closing the others takes {close[names[0]]} s and {close[names[2]]} s, "
            f"but the error was there at {trace.noted_at('closing')[0]!r} s."
        )
        assert not left_open(trace, sources), (
            f"{len(left_open(trace, sources))} of the 2 other sources were not closed."
        )
        assert_bystander_lives(trace, "a source", 2.5)


@cancellation
async def test_who_holds_an_item_is_not_disturbed(run, rng):
    """A source that fails while somebody uses an item ends the merge, not that somebody's work."""
    names = people(rng, 2)
    delays = {names[0]: [0.5, 20], names[1]: [call(rng.randint(3, 8) / 4, error=ValueError)]}
    world = calls(read=by_source(delays), use=3.0)
    trace = await run(desk, sources={names[0]: 2, names[1]: 1}, world=world, raises=ValueError)
    later = trace.count("use") - 1
    assert later <= 0, f"A source failed while the first item was in use, and {later} more came after that."
    assert trace.outcomes("use") == ["done"]
    assert trace.noted_at("closing") == [3.5]


@cancellation
@points(2)
async def test_a_closed_merge_closes_its_sources(run, rng):
    """Closed early, it stops reading, and closes all sources, those with an `aclose`, before it returns."""
    names = people(rng, 4)
    sources = dict.fromkeys(names, 9)
    close = dict(zip(names, rng.sample(range(1, 9), 4), strict=True))
    for use in (0.0, 2.0):
        world = calls(read=by_source(staggered(rng, names, 9)), close=close, use=use)
        trace = await run(desk, sources=sources, most=rng.randint(2, 4), kinds=(feed, Valve), world=world)
        closing = trace.noted_at("closing")[0]
        late = [span for span in trace.calls("read") if span.end > closing]
        assert not late, f"The merge was closed at {closing!r} s; a source was still being read at {late[0].end!r} s."
        count = len(left_open(trace, sources))
        assert count == 0, f"When the merge had been closed, {count} of its 4 sources had not."
    world = calls(read=by_source(staggered(rng, names[:1], 9)), close=1.0)
    trace = await run(desk, sources={names[0]: 9}, most=2, kinds=(Valve,), world=world)
    assert not left_open(trace, {names[0]: 9}), "When a merge of a single source had been closed, that source had not."


@cancellation
async def test_sources_that_cannot_be_closed(run, rng):
    """A source without an `aclose` is only not read any more; that does not keep the others from being closed."""
    names = people(rng, 3)
    sources = dict.fromkeys(names, 6)
    world = calls(read=by_source(staggered(rng, names, 6)), close=1.0)
    trace = await run(desk, sources=sources, most=rng.randint(2, 4), kinds=(Sensor, Valve, feed), world=world)
    assert len(trace.result) > 0
    assert sorted(set(trace.noted("closed"))) == sorted(names[1:]), (
        f"2 of 3 sources can be closed; {len(set(trace.noted('closed')))} were."
    )
    closing = trace.noted_at("closing")[0]
    late = [span for span in trace.calls("read") if span.end > closing]
    assert not late, f"The merge was closed at {closing!r} s; a source was still being read at {late[0].end!r} s."


@cancellation
@points(2)
async def test_a_cancelled_merge_closes_its_sources(sweep, rng):
    """Cancelled at any point, it ends with CancelledError, reads no more and closes the sources."""
    names = people(rng, 3)
    sources = dict(zip(names, [2, 3, 2], strict=True))
    close = dict(zip(names, rng.sample(range(1, 9), 3), strict=True))
    world = calls(read=by_source(staggered(rng, names, 4)), close=close)
    # Left alone, every source comes to its end: there may be nothing to close.
    for trace in await sweep(desk, sources=sources, kinds=(feed, Valve, feed), uncalled=["close"], world=world):
        late = [span for span in trace.calls("read") if span.end > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; a source was still being read at {late[0].end!r} s."
        count = len(left_open(trace, sources))
        assert count == 0, f"Cancelled at {trace.struck_at!r} s, it left {count} of its sources open."


@cancellation
async def test_cancelled_while_it_closes_its_sources_it_closes_them_all(sweep, rng):
    """Cancelled while it closes its sources, it still lets all of them close before it ends."""
    names = people(rng, 3)
    sources = dict.fromkeys(names, 3)
    delays = {names[0]: [0.5, 9], names[1]: [call(1.25, error=ValueError)], names[2]: [0.75, 0.125, 9]}
    close = dict(zip(names, rng.sample(range(1, 9), 3), strict=True))
    world = calls(read=by_source(delays), close=close)
    for trace in await sweep(desk, sources=sources, kinds=(Valve, feed, feed), world=world, raises=ValueError):
        count = len(left_open(trace, sources))
        assert count == 0, f"Cancelled at {trace.struck_at!r} s, it left {count} of its sources open."
