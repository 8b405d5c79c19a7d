"""The suite of 13_thread_pool as one would write it without the checker: plain pytest, in the same process.

The same behaviours as tests/katas/test_13_thread_pool.py, in real time.
"""

import asyncio
import threading
import time

import pytest
from recorder import UNIT, Clock, about, end_of_cancelled, ticking


class Blocking:
    """A callable that blocks its thread and writes its calls down; a script says how long, and what comes of it."""

    def __init__(self, script):
        self.script = script
        self.clock = Clock()
        self.starts, self.ends = [], []
        self.running = self.peak = 0
        self.lock = threading.Lock()

    def __call__(self, key=None):
        delay, outcome = self.script[key] if isinstance(self.script, dict) else self.script
        with self.lock:
            self.starts.append(self.clock.now())
            self.running += 1
            self.peak = max(self.peak, self.running)
        time.sleep(delay * UNIT)
        with self.lock:
            self.running -= 1
            self.ends.append(self.clock.now())
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def page(title):
    return f"<html><head><title>{title}</title></head><body><p>{title} at length</p></body></html>"


def site(delays):
    return Blocking({f"/{place}": (delay, page(f"Page {place}")) for place, delay in enumerate(delays)})


def page_titles(count):
    return [f"Page {place}" for place in range(count)]


async def test_as_many_fetches_at_once_as_workers(kata):
    fetch = site([1.375] * 9)
    await kata.titles(fetch, list(fetch.script), 3)
    assert fetch.peak == 3
    assert fetch.clock.now() == about(3 * 1.375)


async def test_the_loop_stays_free_while_pages_are_fetched(kata):
    fetch = site([1.5] * 4)
    with ticking(until=3):
        await kata.titles(fetch, list(fetch.script), 2)
    assert fetch.clock.now() == about(3)


async def test_titles_stand_in_the_order_of_the_urls(kata):
    fetch = site([10, 4.5, 1, 7, 2.5])
    assert await kata.titles(fetch, list(fetch.script), 3) == page_titles(5)


async def titles_of(kata, *pages):
    fetch = Blocking({f"/{place}": (1.25, html) for place, html in enumerate(pages)})
    return await kata.titles(fetch, list(fetch.script), len(pages))


async def test_a_title_tag_may_be_written_in_many_ways(kata):
    found = await titles_of(
        kata,
        "<HTML><HEAD><TITLE>loud</TITLE></HEAD></HTML>",
        '<html><Title lang="en" id="t1">mixed</tITLE></html>',
        "<html><title>tall\nand\nmore</title></html>",
    )
    assert found == ["loud", "mixed", "tall\nand\nmore"]


async def test_a_title_is_stripped(kata):
    bare = "<html><body><h1>bare</h1></body></html>"
    found = await titles_of(kata, bare, page("\n\t  A title \n"), page(""), page(" \n "), bare)
    assert found == [None, "A title", "", "", None]


async def test_only_the_first_title_counts(kata):
    html = "<html><title>first</title><body><svg><title>second</title></svg></body></html>"
    assert await titles_of(kata, html) == ["first"]


async def test_a_failure_takes_its_own_place(kata):
    fetch, failures = site([5, 1, 2, 1, 3]), [ValueError("bad"), ConnectionError("bad")]
    fetch.script.update({"/1": (1, failures[0]), "/3": (1, failures[1])})
    assert await kata.titles(fetch, list(fetch.script), 2) == ["Page 0", failures[0], "Page 2", failures[1], "Page 4"]


async def test_a_url_may_be_given_twice(kata):
    urls = ["/0", "/1", "/0", "/0"]
    assert await kata.titles(site([1, 2.25]), urls, 2) == ["Page 0", "Page 1", "Page 0", "Page 0"]
    assert urls == ["/0", "/1", "/0", "/0"]


async def test_the_pool_is_gone_in_the_end(kata):
    fetch, before = site([4, 1, 2, 1]), threading.active_count()
    assert await kata.titles(fetch, [], 2) == []
    assert threading.active_count() == before
    assert await kata.titles(fetch, list(fetch.script), 2) == page_titles(4)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert threading.active_count() == before


@pytest.mark.parametrize(("moment", "begun"), [(0.0, 2), (0.5, 2), (1.5, 3), (2.75, 4)])
async def test_cancelled_it_sees_the_fetches_under_way_out(kata, moment, begun):
    fetch = site([1, 2, 1.5, 1])
    ended = await end_of_cancelled(kata.titles(fetch, list(fetch.script), 2), moment)
    assert fetch.running == 0
    assert len(fetch.starts) <= begun
    assert ended == about(max(fetch.ends, default=moment))


async def test_further_cancels_do_not_get_out_of_titles(kata):
    fetch = site([3.5] * 5)
    with ticking(until=3.5):
        ended = await end_of_cancelled(kata.titles(fetch, list(fetch.script), 2), 1, 1.5, 2.5)
    assert ended == about(3.5)
    assert len(fetch.starts) == 2


async def watch(kata, work, fractions):
    """A job in steps of work, with word of each; gives its result, and what was reported, with the moments."""
    reports = []

    def job(progress):
        for fraction in fractions:
            work(fraction)
            progress(fraction)
        return work("last")

    result = await kata.with_progress(job, lambda fraction: reports.append((fraction, work.clock.now())))
    return result, reports


async def watch_a_burst(kata, work, fractions, reports):
    """A job that tells of all its progress at its end, whether it fails or not."""

    def job(progress):
        try:
            return work()
        finally:
            for fraction in fractions:
                progress(fraction)

    return await kata.with_progress(job, lambda fraction: reports.append((fraction, threading.get_ident())))


async def test_reports_come_promptly(kata):
    work = Blocking({0.25: (1.625, None), 0.5: (0.625, None), 0.75: (2.375, None), 1: (1.125, None), "last": (2, None)})
    _, reports = await watch(kata, work, [0.25, 0.5, 0.75, 1])
    assert [moment for _, moment in reports] == about([1.625, 2.25, 4.625, 5.75])
    assert work.clock.now() == about(7.75)


async def test_reports_come_in_order(kata):
    fractions, reports = [place / 16 for place in range(1, 17)], []
    await watch_a_burst(kata, Blocking((1, "result")), fractions, reports)
    assert [fraction for fraction, _ in reports] == fractions


async def test_reports_run_in_the_thread_of_the_loop(kata):
    reports = []
    assert await watch_a_burst(kata, Blocking((1, "result")), [0.25, 0.5, 1], reports) == "result"
    assert [thread for _, thread in reports] == [threading.get_ident()] * 3


async def test_the_job_gives_its_result(kata):
    assert await watch(kata, Blocking((1, "result")), []) == ("result", [])


async def test_no_report_is_lost_when_the_job_fails(kata):
    failure, reports = KeyError("bad"), []
    with pytest.raises(KeyError) as caught:
        await watch_a_burst(kata, Blocking((1.5, failure)), [0.25, 0.5, 0.75, 1], reports)
    assert caught.value is failure
    assert [fraction for fraction, _ in reports] == [0.25, 0.5, 0.75, 1]


async def test_the_loop_stays_free_while_the_job_works(kata):
    work = Blocking((1, "result"))
    with ticking(until=3):
        await watch(kata, work, [0.5, 1])
    assert work.clock.now() == about(3)


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.5, 2.5])
async def test_cancelled_with_progress_waits_for_its_thread(kata, moment):
    work = Blocking((1, "result"))
    assert await end_of_cancelled(watch(kata, work, [0.5, 1]), moment) == about(3)
    assert len(work.ends) == 3


async def test_further_cancels_do_not_get_out_of_with_progress(kata):
    work = Blocking((1, "result"))
    assert await end_of_cancelled(watch(kata, work, [0.5, 1]), 1.25, 1.875) == about(3)
    assert len(work.ends) == 3


class Watchful:
    """A job of so many units that watches `stop`, and then takes its time to end."""

    def __init__(self, patience, finish=(1, "finished"), wind_down=(2, "wound down")):
        self.patience = patience
        self.finish, self.wind_down = Blocking(finish), Blocking(wind_down)
        self.clock = Clock()
        self.told = None

    def __call__(self, stop):
        if stop.wait(self.patience * UNIT):
            self.told = self.clock.now()
            return self.wind_down()
        return self.finish()


async def test_a_job_in_time_gives_its_result_or_error(kata):
    job = Watchful(4, finish=(0.625, "finished"))
    assert await kata.stop_after(job, 7 * UNIT) == "finished"
    assert job.clock.now() == about(4.625)
    failure = OSError("bad")
    job = Watchful(4, finish=(0.625, failure))
    with pytest.raises(OSError) as caught:
        await kata.stop_after(job, 7 * UNIT)
    assert caught.value is failure
    assert job.clock.now() == about(4.625)


async def test_when_the_time_is_up_the_job_is_told_and_seen_out(kata):
    job = Watchful(60, wind_down=(2.125, "wound down"))
    with ticking(until=3.625), pytest.raises(TimeoutError):
        await kata.stop_after(job, 1.5 * UNIT)
    assert job.told == about(1.5)
    assert job.clock.now() == about(3.625)


async def test_a_value_given_too_late_does_not_count(kata):
    job = Watchful(60, wind_down=(0, 42))
    with pytest.raises(TimeoutError):
        await kata.stop_after(job, 3 * UNIT)
    assert len(job.wind_down.ends) == 1


@pytest.mark.parametrize(("moment", "ended"), [(0.0, 2), (1.0, 3), (1.75, 3.75), (2.5, 3)])
async def test_cancelled_it_tells_the_job_and_sees_it_out(kata, moment, ended):
    job = Watchful(2)
    assert await end_of_cancelled(kata.stop_after(job, 30 * UNIT), moment) == about(ended)
    assert job.told == (about(moment) if moment < job.patience else None)


async def test_a_second_cancel_does_not_get_out(kata):
    job = Watchful(60)
    assert await end_of_cancelled(kata.stop_after(job, 30 * UNIT), 2, 2.75, 3.75) == about(4)
    assert job.told == about(2)


async def test_a_cancel_after_the_timeout_waits_for_the_thread_too(kata):
    job = Watchful(60)
    task = asyncio.create_task(kata.stop_after(job, 2 * UNIT))
    await asyncio.sleep(3 * UNIT)
    task.cancel()
    with pytest.raises((TimeoutError, asyncio.CancelledError)):
        await task
    assert job.clock.now() == about(4)
    assert len(job.wind_down.ends) == 1
