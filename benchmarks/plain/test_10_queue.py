"""The suite of 10_queue as one would write it without the checker: plain pytest, in the same process.

The same 32 behaviours as tests/katas/test_10_queue.py, with the same delays in units of `UNIT` seconds.
"""

import asyncio
from collections import Counter
from functools import partial
from itertools import accumulate, pairwise

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, failure_of

ITEMS = [417, 230, 865, 102, 774, 356, 981, 548]


def starts(calls):
    return [span.start for span in calls.spans]


class Belt:
    """Items one by one, as long as `read` gives them; afterwards, and after an error, there is nothing more."""

    def __init__(self, items, read):
        self.read, self.closed = read, False
        self._left = list(items)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._left:
            raise StopAsyncIteration
        item = self._left.pop(0)
        try:
            await self.read(item)
        except ValueError:
            self._left.clear()
            raise
        return item

    async def aclose(self):
        self.closed = True


def no_delay(items):
    return Belt(items, Calls(0))


async def test_a_worker_takes_the_next_item_as_soon_as_it_is_free(kata):
    consume = Calls([6, 1, 1, 1, 1, 1])
    await kata.pump(no_delay(ITEMS[:6]), consume, size=2, workers=2)
    assert starts(consume) == [about(at) for at in (0, 0, 1, 2, 3, 4)]
    assert consume.now() == about(6)


async def test_workers_consume_at_the_same_time(kata):
    consume = Calls(1.5)
    await kata.pump(no_delay(range(9)), consume, size=2, workers=3)
    assert consume.peak == 3
    assert consume.now() == about(4.5)


async def test_an_item_is_consumed_as_soon_as_it_is_there(kata):
    consume = Calls(1.5)
    await kata.pump(Belt(ITEMS[:5], Calls(1)), consume, size=2, workers=3)
    assert starts(consume) == [about(place + 1) for place in range(5)]
    assert consume.now() == about(6.5)


async def test_more_workers_than_items_and_none_at_all(kata):
    consume = Calls(2)
    assert await kata.pump(no_delay(ITEMS[:3]), consume, size=5, workers=6) == consume.values(ITEMS[:3])
    assert consume.now() == about(2)
    assert await kata.pump(no_delay([]), consume, size=2, workers=3) == []
    assert consume.now() == about(2)


@pytest.mark.parametrize("delay", [0.125, 0.0])
async def test_it_does_not_read_far_ahead(kata, delay):
    size, workers = 1, 2
    read, consume = Calls(delay), Calls([4, 4.5, *[5] * 10])
    await kata.pump(Belt(range(12), read), consume, size=size, workers=workers)
    assert len(consume.spans) == 12
    for now in (span.end for span in read.spans):
        unconsumed = sum(span.end <= now for span in read.spans) - sum(span.end <= now for span in consume.spans)
        assert unconsumed <= size + workers + 1


async def test_one_producer_reads_the_items_in_order(kata):
    read, consume = Calls(0.25), Calls([3.5, 1, 2, 2, 2, 2])
    await kata.pump(Belt(ITEMS[:6], read), consume, size=2, workers=3)
    assert read.peak == 1
    assert [span.args[0] for span in consume.spans] == ITEMS[:6]


async def test_results_stand_in_the_order_of_the_items(kata):
    belt = no_delay(ITEMS[:6])
    consume = Calls(dict(zip(ITEMS, [14, 3, 8, 1, 19, 5], strict=False)))
    assert await kata.pump(belt, consume, size=2, workers=3) == consume.values(ITEMS[:6])
    assert not belt.closed


async def test_equal_items_are_all_consumed(kata):
    items, consume = [0, [1], 0, 5, [1], 5, 0], Calls(1)
    results = await kata.pump(no_delay(items), consume, size=2, workers=1)
    assert [span.args[0] for span in consume.spans] == items
    assert results == [span.value for span in consume.spans]


@pytest.mark.parametrize(("workers", "seconds"), [(1, 7), (2, 4)])
async def test_a_failure_takes_its_own_place(kata, workers, seconds):
    bad = ITEMS[0], ITEMS[2], ITEMS[3]
    consume = Calls({item: Call(1, error=ValueError if item in bad else None) for item in ITEMS})
    results = await kata.pump(no_delay(ITEMS[:7]), consume, size=2, workers=workers)
    assert results == consume.values(ITEMS[:7])
    assert consume.now() == about(seconds)


async def test_an_error_of_the_items_is_raised(kata):
    read = Calls([0.25, 0.25, 0.25, Call(0.5, error=ValueError)])
    consume = Calls([Call(9 + place, cleanup=cleanup) for place, cleanup in enumerate([1.5, 0.5, 2.25])])
    assert await failure_of(kata.pump(Belt(range(6), read), consume, size=4, workers=3)) is read.of(3).value
    assert consume.outcomes() == ["cancelled"] * 3
    assert not any(span.interrupted for span in consume.spans)
    assert consume.now() == about(1.25 + 2.25)


async def test_the_items_stay_open(kata):
    async def belt():
        for item in range(12):
            await asyncio.sleep(0.125 * UNIT)
            yield item

    items = belt()
    await cancel_at(5, kata.pump(items, Calls(20), size=2, workers=2))
    assert [item async for item in items]


@pytest.mark.parametrize("moment", [0.0, 0.75, 2.25, 4.0])
async def test_a_cancelled_pump_stands_still(kata, moment):
    belt, consume = Belt(ITEMS[:6], Calls(0.5)), Calls([1, 2.75, 1.125, 2, 1, 1])
    await cancel_at(moment, kata.pump(belt, consume, size=1, workers=2))
    assert len(asyncio.all_tasks()) == 1
    assert belt.read.running == consume.running == 0
    assert consume.now() == about(moment)
    assert not belt.closed


async def drain(kata, names, consume, arrivals, stop_at, stop="stop"):
    """Items arrive at their times, and `stop` at its own; None: never."""
    queue, loop = asyncio.Queue(), asyncio.get_running_loop()
    for at, item in [*arrivals, (stop_at, stop)]:
        if at == 0:
            queue.put_nowait(item)
        elif at is not None:
            loop.call_later(at * UNIT, queue.put_nowait, item)
    consumers = [partial(consume, name) for name in names]
    before = list(consumers)
    results = await kata.drain(queue, consumers, stop)
    assert consumers == before
    return results


def by_consumer(consume, names):
    return [[span.value for span in consume.spans if span.args[0] == name] for name in names]


def consumed(consume):
    return [span.args[1] for span in consume.spans]


async def test_consumers_work_at_the_same_time(kata):
    consume = Calls(1.5)
    await drain(kata, "abc", consume, [(0, item) for item in range(9)], stop_at=0)
    assert consume.peak == 3
    assert consume.now() == about(4.5)
    assert sorted(consumed(consume)) == list(range(9))


async def test_an_empty_queue_is_not_the_end(kata):
    consume = Calls(1.5)
    await drain(kata, "abc", consume, [(at, at) for at in (1, 2, 3, 4)], stop_at=10)
    assert starts(consume) == [about(at) for at in (1, 2, 3, 4)]
    assert consume.now() == about(10)


async def test_a_consumer_has_one_item_at_a_time(kata):
    consume = Calls({"a": 1.75, "b": 6.125, "c": 1})
    await drain(kata, "abc", consume, [(0, item) for item in range(12)], stop_at=0)
    assert consumed(consume) == list(range(12))
    for name in "abc":
        own = [span for span in consume.spans if span.args[0] == name]
        assert all(one.end <= other.start for one, other in pairwise(own))
    assert consume.now() == about(max(span.end for span in consume.spans))


async def test_each_consumer_has_a_list_of_its_own(kata):
    consume = Calls({"a": 7, "b": 4, "c": 5})
    results = await drain(kata, "abc", consume, [(item / 2, item) for item in range(9)], stop_at=5.25)
    assert results == by_consumer(consume, "abc")
    assert sorted(consumed(consume)) == list(range(9))


async def test_stop_alone_and_nobody_to_stop(kata):
    consume = Calls(1)
    assert await drain(kata, "abc", consume, [], stop_at=2.5) == [[], [], []]
    assert consume.now() == about(2.5)
    for stop_at in (0, None):
        assert await drain(kata, "", consume, [], stop_at) == []
    assert consume.now() == about(2.5)


async def test_calls_under_way_finish_and_count(kata):
    consume = Calls([7, 3])
    results = await drain(kata, "abc", consume, [(0.5, 1), (0.75, 2)], stop_at=2)
    assert consume.outcomes() == ["done", "done"]
    assert results == by_consumer(consume, "abc")
    assert consume.now() == about(7.5)


async def test_stop_is_recognised_by_identity(kata):
    consume = Calls(0.5)
    arrivals = [(1, [7]), (2, [42]), (3, [7]), (4, [42]), (5, [7])]
    results = await drain(kata, "ab", consume, arrivals, stop_at=9, stop=[42])
    assert len(consume.spans) == 5
    assert results == by_consumer(consume, "ab")


async def test_the_same_consumer_may_stand_there_twice(kata):
    consume, queue, stop = Calls([1, 1.25, 1.5, 2, 2.25, 2.75]), asyncio.Queue(), object()
    for item in [*range(6), stop]:
        queue.put_nowait(item)
    results = await kata.drain(queue, [consume] * 2, stop)
    assert consume.peak == 2
    assert len(results) == 2
    assert Counter(results[0] + results[1]) == Counter(span.value for span in consume.spans)


async def test_a_failed_consumer_ends_the_others(kata):
    consume = Calls([20, Call(2, error=ValueError)])
    failure = await failure_of(drain(kata, "abcd", consume, [(0.25, 1), (0.5, 2)], stop_at=30))
    assert failure is consume.spans[1].value
    assert consume.now() == about(2.5)
    assert consume.outcomes() == ["cancelled", "failed"]
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("moment", [0.0, 0.75, 2.25, 3.5])
async def test_a_cancelled_drain_leaves_nobody_at_the_queue(kata, moment):
    consume = Calls([1, 2.75, 1.125, 2.5, 1])
    await cancel_at(moment, drain(kata, "abc", consume, [(item / 2, item) for item in range(5)], stop_at=4.25))
    assert len(asyncio.all_tasks()) == 1
    assert consume.running == 0
    assert consume.now() == about(moment)


class Sensor:
    """A source that is no generator, and has nothing to close."""

    def __init__(self, desk, name):
        self._desk, self._name = desk, name
        self._places = iter(range(len(desk.delays[name])))

    def __aiter__(self):
        return self

    async def __anext__(self):
        for place in self._places:
            return await self._desk.read((self._name, place))
        raise StopAsyncIteration


class Valve(Sensor):
    """A source that is no generator: that nobody reads any more does not close it."""

    async def aclose(self):
        await self._desk.close(self._name)
        self._desk.closed.append(self._name)


async def feed(desk, name):
    """A source that says when it has been closed."""
    try:
        for place in range(len(desk.delays[name])):
            yield await desk.read((name, place))
    except (asyncio.CancelledError, GeneratorExit):
        await desk.close(name)
        desk.closed.append(name)
        raise


class Desk:
    """Uses the items of a merge one by one, and closes the merge after so many of them."""

    def __init__(self, delays, *, kinds=(feed,), close=0, use=0):
        self.delays = delays
        self.read = Calls({(name, place): each for name, row in delays.items() for place, each in enumerate(row)})
        self.close, self.use = Calls(close), Calls(use)
        self.came, self.came_at, self.closed, self.closing = [], [], [], None
        self._sources = [kinds[place % len(kinds)](self, name) for place, name in enumerate(delays)]

    async def work(self, kata, most=None):
        merged = kata.merge(*self._sources)
        try:
            async for item in merged:
                self.came.append(item)
                self.came_at.append(self.read.now())
                await self.use(item)
                if len(self.came) == most:
                    break
        finally:
            self.closing = self.read.now()
            await merged.aclose()

    def reads(self, name):
        return [span for span in self.read.spans if span.args[0][0] == name]

    def arrivals(self):
        return [span.value for span in sorted(self.read.spans, key=lambda span: span.end)]

    def left_open(self):
        ended = [
            name
            for name, row in self.delays.items()
            if [span.outcome for span in self.reads(name)] == ["done"] * len(row)
            or any(span.outcome == "failed" for span in self.reads(name))
        ]
        return self.delays.keys() - ended - set(self.closed)

    def last_read(self):
        return max(span.end for span in self.read.spans)


DELAYS = {"a": [0.5, 1.5, 1, 2], "b": [1.25, 1, 2, 0.5], "c": [1.625, 1, 1, 2]}


async def test_items_come_at_once_whoever_they_come_from(kata):
    desk = Desk(DELAYS)
    await desk.work(kata)
    assert desk.came_at == [about(at) for at in sorted(at for row in DELAYS.values() for at in accumulate(row))]
    assert starts(desk.read)[:3] == [about(0)] * 3
    assert desk.closing == about(5.625)


async def test_all_items_of_all_sources_come_in_the_order_of_their_arrival(kata):
    desk = Desk({"none": [], **DELAYS, "more": [1, 1.875, 0.5, 2, 1]}, kinds=(feed, Sensor))
    await desk.work(kata)
    assert len(desk.came) == 17
    assert desk.came == desk.arrivals()
    nothing = Desk({})
    await nothing.work(kata)
    assert nothing.came == []
    assert nothing.closing == about(0)


async def test_a_slow_source_holds_nobody_up(kata):
    desk = Desk({"slow": [5.5], "quick": [1] * 5})
    await desk.work(kata)
    assert desk.came == [span.value for span in [*desk.reads("quick"), *desk.reads("slow")]]
    assert len(desk.came) == 6


@pytest.mark.parametrize("delay", [0.25, 0.0])
async def test_at_most_two_items_of_a_source_are_read_ahead(kata, delay):
    desk = Desk({"a": [delay] * 7, "b": [delay] * 7}, use=3)
    await desk.work(kata)
    assert len(desk.came) == 14
    taken = dict(zip(desk.came, desk.came_at, strict=True))
    for name in "ab":
        own = desk.reads(name)
        for now in (span.end for span in own):
            assert sum(span.end <= now for span in own) - sum(taken[span.value] <= now for span in own) <= 2


async def test_a_failing_source_ends_the_merge(kata):
    delays = {"a": [0.75, 0.5, 9], "b": [1, Call(1.5, error=ValueError)], "c": [0.5, 9]}
    desk = Desk(delays, kinds=(Valve, feed, feed), close={"a": 4, "c": 2})
    assert await failure_of(desk.work(kata)) is desk.read.of(("b", 1)).value
    assert desk.came_at == [about(at) for at in (0.5, 0.75, 1, 1.25)]
    assert desk.closing > 2.5 + 4 - 0.1
    assert not desk.left_open()


async def test_who_holds_an_item_is_not_disturbed(kata):
    desk = Desk({"a": [0.5, 20], "b": [Call(1.25, error=ValueError)]}, use=3)
    assert await failure_of(desk.work(kata)) is desk.read.of(("b", 0)).value
    assert desk.use.outcomes() == ["done"]
    assert desk.closing == about(3.5)


@pytest.mark.parametrize("use", [0, 2])
async def test_a_closed_merge_closes_its_sources(kata, use):
    delays = {"a": [0.5, 1.5, 1, 9], "b": [1, 1, 2, 9], "c": [1.25, 1, 1, 9], "d": [2, 2, 2, 9]}
    desk = Desk(delays, kinds=(feed, Valve), close={"a": 4, "b": 1, "c": 7, "d": 3}, use=use)
    await desk.work(kata, most=3)
    assert desk.last_read() < desk.closing + 0.34
    assert not desk.left_open()


async def test_sources_that_cannot_be_closed(kata):
    desk = Desk(DELAYS, kinds=(Sensor, Valve, feed), close=1)
    await desk.work(kata, most=3)
    assert len(desk.came) == 3
    assert set(desk.closed) == {"b", "c"}
    assert desk.last_read() < desk.closing + 0.34


@pytest.mark.parametrize("moment", [0.25, 1.0, 1.75, 2.5, 3.5])
async def test_a_cancelled_merge_closes_its_sources(kata, moment):
    desk = Desk(DELAYS, kinds=(feed, Valve, feed), close={"a": 4, "b": 1, "c": 3})
    await cancel_at(moment, desk.work(kata))
    assert desk.last_read() < moment + 0.34
    assert not desk.left_open()
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("moment", [0.25, 1.0, 2.0, 3.5, 6.0])
async def test_cancelled_while_it_closes_its_sources_it_closes_them_all(kata, moment):
    delays = {"a": [0.5, 9], "b": [Call(1.25, error=ValueError)], "c": [0.75, 0.125, 9]}
    desk = Desk(delays, kinds=(Valve, feed, feed), close={"a": 4, "b": 1, "c": 2})
    task = asyncio.create_task(desk.work(kata))
    await asyncio.sleep(moment * UNIT)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await task
    assert not desk.left_open()
