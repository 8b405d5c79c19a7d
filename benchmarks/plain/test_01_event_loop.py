"""The suite of 01_event_loop as one would write it without the checker: plain pytest, in the same process.

The same 13 behaviours as tests/katas/test_01_event_loop.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
import gc
import threading

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, monotonic

URL = "http://site.example"
SITES = [(f"{URL}/{place}", delay) for place, delay in enumerate((2.5, 4, 1, 3))]


class Stopwatch:
    """Tells how many units have passed since it was made."""

    def __init__(self):
        self.began = monotonic()

    def read(self):
        return (monotonic() - self.began) / UNIT


async def test_a_visit_waits_its_delay_without_blocking_the_loop(kata):
    watch = Stopwatch()

    async def clock():
        await asyncio.sleep(1.75 * UNIT)
        return watch.read()

    _, struck = await asyncio.gather(kata.visit(URL, 3.5 * UNIT), clock())
    assert struck == about(1.75)
    assert watch.read() == about(3.5)


async def test_visits_started_together_take_as_long_as_the_longest(kata):
    watch = Stopwatch()

    async def visit(url, delay):
        await kata.visit(url, delay * UNIT)
        return watch.read()

    ended = await asyncio.gather(*(visit(url, delay) for url, delay in SITES))
    elapsed = watch.read()
    assert ended == [about(delay) for _, delay in SITES]
    assert elapsed == about(4)


async def test_a_visit_says_what_it_visited(kata):
    told = await asyncio.gather(*(kata.visit(url, delay * UNIT) for url, delay in SITES[:2]))
    assert told == [f"{url} visited" for url, _ in SITES[:2]]


@pytest.mark.parametrize("moment", [0.0, 1.0, 2.5])
async def test_a_cancelled_visit_ends_at_once(kata, moment):
    watch = Stopwatch()
    await cancel_at(moment, kata.visit(URL, 4 * UNIT))
    assert watch.read() == about(moment)


def test_visit_now_runs_one_visit_to_its_end(kata):
    watch = Stopwatch()
    assert kata.visit_now(URL, 3.5 * UNIT) == f"{URL} visited"
    assert watch.read() == about(3.5)


def open_loops():
    """Those whose `close` nobody has called."""
    found = [thing for thing in gc.get_objects() if isinstance(thing, asyncio.AbstractEventLoop)]
    return {id(loop) for loop in found if not loop.is_closed()}


def test_visit_now_can_be_called_twice(kata):
    before, watch = open_loops(), Stopwatch()
    told = [kata.visit_now(url, delay * UNIT) for url, delay in SITES[:3]]
    assert watch.read() == about(7.5)
    assert told == [f"{url} visited" for url, _ in SITES[:3]]
    assert open_loops() <= before


def test_visit_now_works_in_another_thread(kata):
    told = []
    thread = threading.Thread(target=lambda: told.append(kata.visit_now(URL, 2 * UNIT)))
    watch = Stopwatch()
    thread.start()
    thread.join()
    assert told == [f"{URL} visited"]
    assert watch.read() == about(2)


class Promise:
    """Can be awaited, and is neither a coroutine nor a future."""

    def __init__(self, answer):
        self.answer, self.opened = answer, 0

    def __await__(self):
        self.opened += 1
        return self.answer("promise").__await__()


def make_future(answer):
    """A future, filled by a task, which stays alive as its callback."""
    future = asyncio.get_running_loop().create_future()
    filler = asyncio.create_task(answer("future"))
    filler.add_done_callback(lambda task: future.set_result(task.result()))
    return future


MAKERS = {
    "coroutine": lambda answer: answer("coroutine"),
    "task": lambda answer: asyncio.create_task(answer("task")),
    "future": make_future,
    "promise": Promise,
}


async def test_every_kind_of_awaitable_is_awaited(kata):
    answer = Calls(2)
    found = [await kata.resolve(make(answer)) for make in MAKERS.values()]
    assert found == answer.values(MAKERS)


async def test_objects_of_any_class_with_await_are_awaited(kata):
    class Other:
        def __await__(self):
            return answer("other").__await__()

    answer = Calls(2)
    found = [await kata.resolve(thing) for thing in (Other(), Promise(answer))]
    assert found == [span.value for span in answer.spans]
    assert len(found) == len(answer.spans)


async def test_ordinary_values_come_back_unchanged(kata):
    numbers = (number for number in [17])
    for thing in (17, [17], None, numbers, open_loops, kata):
        assert await kata.resolve(thing) is thing
    assert list(numbers) == [17]
    answer = Calls(1)
    assert await kata.resolve(answer("coroutine")) == answer.spans[0].value


async def test_the_result_is_not_awaited_again(kata):
    async def give(thing):
        return thing

    box = Promise(Calls(1))
    assert await kata.resolve(give(box)) is box
    assert box.opened == 0
    assert await kata.resolve(box) == box.answer.spans[0].value


async def test_an_awaited_error_comes_through(kata):
    answer = Calls({"good": 1, "bad": Call(1, ValueError), "bad task": Call(2, LookupError)})
    assert await kata.resolve(answer("good")) == answer.of("good").value
    with pytest.raises(ValueError) as raised:
        await kata.resolve(answer("bad"))
    assert raised.value is answer.of("bad").value
    with pytest.raises(LookupError) as raised:
        await kata.resolve(asyncio.create_task(answer("bad task")))
    assert raised.value is answer.of("bad task").value


@pytest.mark.parametrize("moment", [0.0, 1.0, 3.5])
async def test_a_cancellation_reaches_what_is_awaited(kata, moment):
    answer = Calls(5)
    await cancel_at(moment, kata.resolve(answer("slow")))
    assert answer.outcomes() == ["cancelled"]
