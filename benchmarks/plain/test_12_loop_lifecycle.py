"""The suite of 12_loop_lifecycle as one would write it without the checker: plain pytest, in the same process.

The same behaviours as tests/katas/test_12_loop_lifecycle.py, in real time.
"""

import asyncio
import concurrent.futures
import inspect
import threading
import time
from functools import partial

import pytest
from recorder import UNIT, Call, Calls, Clock, about


def jobs_of(work, names):
    return {name: partial(work, name) for name in names}


def assert_cleaned_up(work, cancelled, moment):
    spans = [work.of(name) for name in cancelled]
    assert [span.cancelled_at for span in spans] == about([moment] * len(spans))
    assert [span.outcome for span in spans] == ["cancelled"] * len(spans)
    assert not any(span.interrupted for span in spans)


class Pages:
    """Async generators that stay open, with a `finally` that takes a while."""

    def __init__(self):
        self.kept, self.closed = [], []

    async def turn(self, name):
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0.5 * UNIT)
            self.closed.append(name)

    async def begin(self, name):
        self.kept.append(self.turn(name))
        return await anext(self.kept[-1])


def test_all_jobs_run_at_the_same_time(kata):
    work = Calls({"a": 7, "b": 15, "c": 3, "d": 11})
    kata.run_all([partial(work, name) for name in "abcd"])
    assert work.now() == about(15)
    assert work.peak == 4
    clock = Clock()
    assert kata.run_all([]) == []
    assert clock.now() == about(0)


def test_results_stand_in_the_order_of_the_jobs(kata):
    work = Calls({"a": 7, "b": 15, "c": 3, "d": 11, "e": 1})
    jobs = [partial(work, name) for name in "abcde"]
    given = list(jobs)
    assert kata.run_all(jobs) == work.values("abcde")
    assert jobs == given


def test_a_job_may_be_given_several_times(kata):
    work = Calls(1)
    assert sorted(kata.run_all([work] * 3)) == sorted(span.value for span in work.spans)
    assert len(work.spans) == 3


def test_every_run_has_a_new_loop_and_closes_it(kata):
    work, loops = Calls(1), []

    async def job():
        loops.append(asyncio.get_running_loop())
        return await work()

    results = [*kata.run_all([job, job]), *kata.run_all([job])]
    assert len(set(results)) == 3
    assert loops[0] is loops[1]
    assert loops[1] is not loops[2]
    assert all(loop.is_closed() for loop in loops)


def test_run_all_closes_async_generators(kata):
    work, pages = Calls(2), Pages()
    kata.run_all([partial(pages.begin, 1), partial(pages.begin, 2), work])
    assert sorted(pages.closed) == [1, 2]
    assert work.now() == about(2.5)


def test_run_all_closes_async_generators_after_a_failure(kata):
    work, pages = Calls(Call(2, error=ValueError)), Pages()
    with pytest.raises((ValueError, ExceptionGroup)):
        kata.run_all([partial(pages.begin, 1), partial(pages.begin, 2), work])
    assert sorted(pages.closed) == [1, 2]
    assert work.now() == about(2.5)


def test_the_first_failure_is_raised(kata):
    work = Calls({"a": 1, "b": 8, "c": Call(4, error=OSError), "d": 10})
    with pytest.raises((OSError, ExceptionGroup)) as caught:
        kata.run_all([partial(work, name) for name in "abcd"])
    failure = work.of("c").value
    assert caught.value is failure or caught.value.exceptions == (failure,)
    assert work.now() == about(4)


def test_a_failure_cancels_the_rest_and_waits_for_their_cleanup(kata):
    rest = {"a": Call(20, cleanup=0.75), "b": Call(20, cleanup=2.5), "c": Call(20, cleanup=1.5)}
    work = Calls({"early": 1, "bad": Call(3, error=ValueError), **rest})
    with pytest.raises((ValueError, ExceptionGroup)):
        kata.run_all([partial(work, name) for name in ("a", "early", "b", "bad", "c")])
    assert_cleaned_up(work, rest, 3)
    assert work.now() == about(5.5)


def test_when_the_time_is_up_it_stops(kata):
    work = Calls({"e": 1, "d": 2, "c": 3, "b": 20, "a": 30})
    assert kata.run_for(6.5 * UNIT, jobs_of(work, "edcba")) == ["c", "d", "e"]
    assert work.now() == about(6.5)
    assert work.peak == 5


def test_when_all_have_ended_it_returns(kata):
    work = Calls({"b": 1, "a": 2, "c": 5})
    assert kata.run_for(60 * UNIT, jobs_of(work, "bac")) == ["a", "b", "c"]
    assert work.now() == about(5)
    work = Calls(Call(5, error=ValueError))
    assert kata.run_for(60 * UNIT, jobs_of(work, "bac")) == []
    assert work.now() == about(5)
    clock = Clock()
    assert kata.run_for(60 * UNIT, {}) == []
    assert clock.now() == about(0)


def test_names_come_sorted(kata):
    work = Calls({"e": 4, "c": 16, "f": 9, "a": 12, "d": 2, "b": 7})
    jobs = jobs_of(work, "ecfadb")
    assert kata.run_for(30 * UNIT, jobs) == ["a", "b", "c", "d", "e", "f"]
    assert list(jobs) == ["e", "c", "f", "a", "d", "b"]


def test_a_job_may_have_several_names(kata):
    work = Calls(1)
    assert kata.run_for(30 * UNIT, dict.fromkeys("cab", work)) == ["a", "b", "c"]
    assert len(work.spans) == 3


def test_a_failed_job_is_not_named(kata):
    errors = {"b": Call(2, error=KeyError), "c": Call(3, error=RuntimeError)}
    work = Calls({"a": 1, "d": 4, "e": 50, **errors})
    assert kata.run_for(7 * UNIT, jobs_of(work, "dbeca")) == ["a", "d"]


def test_a_job_that_returns_after_the_deadline_is_not_named(kata):
    late = {"b": Call(50, then="returns", cleanup=1.5), "c": Call(50, KeyError, then="raises", cleanup=0.5)}
    work = Calls({"a": 1, **late})
    assert kata.run_for(4 * UNIT, jobs_of(work, "cab")) == ["a"]


def test_unfinished_jobs_are_cancelled_and_clean_up(kata):
    rest = {"b": Call(50, cleanup=0.75), "c": Call(50, cleanup=2.5), "d": Call(50, cleanup=1.5)}
    work = Calls({"a": 1, **rest})
    assert kata.run_for(4.5 * UNIT, jobs_of(work, "abcd")) == ["a"]
    assert_cleaned_up(work, rest, 4.5)
    assert work.now() == about(7)


def test_run_for_closes_its_loop_and_async_generators(kata):
    work, pages, loops = Calls({"quick": 1, "slow": 9}), Pages(), []

    async def job(name):
        loops.append(asyncio.get_running_loop())
        await pages.begin(name)
        await work(name)

    assert kata.run_for(2 * UNIT, {"quick": partial(job, "quick")}) == ["quick"]
    assert work.now() == about(1.5)
    assert kata.run_for(2 * UNIT, {"slow": partial(job, "slow")}) == []
    assert work.now() == about(4)
    assert pages.closed == ["quick", "slow"]
    assert loops[0] is not loops[1]
    assert all(loop.is_closed() for loop in loops)


@pytest.fixture
def host(kata):
    """A loop thread that has been started, and is stopped if the test has not done so."""
    host = kata.LoopThread()
    host.start()
    yield host
    host.stop()


def test_what_is_submitted_runs_in_a_thread_of_the_loop(host):
    work, places = Calls({"a": 1, "b": Call(2, error=KeyError), "c": 1}), set()

    async def job(name):
        places.add((threading.get_ident(), asyncio.get_running_loop()))
        return await work(name)

    futures = [host.submit(job(name)) for name in "abc"]
    assert all(isinstance(future, concurrent.futures.Future) for future in futures)
    answers = [future.exception() or future.result() for future in futures]
    assert answers == work.values("abc")
    assert len(places) == 1
    assert places.pop()[0] != threading.get_ident()


def test_submitted_coroutines_run_at_the_same_time(host):
    work = Calls({"a": 7, "b": 13, "c": 4})
    concurrent.futures.wait([host.submit(work(name)) for name in "abc"])
    assert work.peak == 3
    assert work.now() == about(13)


def test_an_idle_loop_takes_what_comes_at_once(host):
    work = Calls(0.5)
    for pause in (6, 14):
        time.sleep(pause * UNIT)
        assert host.submit(work()).result() == work.spans[-1].value
    assert [span.start for span in work.spans] == about([6, 20.5])


def test_stop_cancels_every_task_and_waits_for_its_cleanup(host):
    work = Calls({"a": Call(60, cleanup=0.75), "b": Call(60, cleanup=2.5), "c": Call(60, cleanup=1.5)})
    kept = []

    async def begin(name):
        kept.append(asyncio.create_task(work(name)))

    host.submit(begin("a")).result()
    for name in "bc":
        host.submit(work(name))
    time.sleep(3.5 * UNIT)
    host.stop()
    assert_cleaned_up(work, "abc", 3.5)
    assert work.now() == about(6)
    assert kept[0].cancelled()


def test_stop_cancels_the_futures_that_are_not_done(host):
    work = Calls({"a": Call(60, cleanup=0.5), "b": 1, "c": Call(60, cleanup=0.5)})
    futures = [host.submit(work(name)) for name in "abc"]
    time.sleep(3 * UNIT)
    host.stop()
    assert [future.cancelled() for future in futures] == [True, False, True]
    assert futures[1].result(timeout=0) == work.of("b").value
    assert work.now() == about(3.5)


def test_stop_right_after_submit_leaves_no_future_open(host):
    work = Calls(60)
    futures = [host.submit(work()) for _ in range(3)]
    host.stop()
    assert [future.cancelled() for future in futures] == [True] * 3
    assert work.now() == about(0)


def test_stop_leaves_no_thread_and_no_loop(host):
    pages, clock, places = Pages(), Clock(), []

    async def job(name):
        places.append((threading.current_thread(), asyncio.get_running_loop()))
        await pages.begin(name)

    for name in "abc":
        host.submit(job(name)).result()
    time.sleep(3 * UNIT)
    other = threading.Thread(target=host.stop)
    other.start()
    other.join()
    assert sorted(pages.closed) == ["a", "b", "c"]
    assert clock.now() == about(3.5)
    assert all(loop.is_closed() and not thread.is_alive() for thread, loop in places)


def test_submit_works_between_start_and_stop_alone(kata):
    work, host = Calls(1), kata.LoopThread()
    early, late = work("early"), work("late")
    with pytest.raises(RuntimeError):
        host.submit(early)
    host.start()
    assert host.submit(work("in time")).result() == work.of("in time").value
    host.stop()
    with pytest.raises(RuntimeError):
        host.submit(late)
    assert [inspect.getcoroutinestate(coro) for coro in (early, late)] == ["CORO_CLOSED"] * 2


def test_a_second_start_raises(host):
    work = Calls(3)
    first = host.submit(work("first"))
    with pytest.raises(RuntimeError):
        host.start()
    second = host.submit(work("second"))
    assert [first.result(), second.result()] == work.values(["first", "second"])


def test_stop_is_harmless_where_there_is_nothing_to_stop(kata, host):
    kata.LoopThread().stop()
    work = Calls(2)
    assert host.submit(work()).result() == work.spans[0].value
    host.stop()
    host.stop()
    assert work.now() == about(2)
