"""The suite of 07_semaphore as one would write it without the checker: plain pytest, in the same process.

The same 21 behaviours as tests/katas/test_07_semaphore.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
from functools import partial

import aiohttp
import pytest
from aioresponses import CallbackResult, aioresponses
from recorder import UNIT, Recorder, about


async def crawl(kata, pages, limit, delays):
    recorder = Recorder(delays)
    result = await kata.run_limited([partial(recorder.job, page) for page in range(pages)], limit)
    return recorder, result


async def test_never_more_than_limit_jobs_at_once(kata):
    recorder, _ = await crawl(kata, 9, 3, 1.5)
    assert recorder.peak == 3


async def test_a_slot_is_refilled_as_soon_as_it_is_free(kata):
    recorder, _ = await crawl(kata, 6, 2, lambda page: 6 if page == 0 else 1)
    assert list(recorder.starts.values()) == [about(each) for each in (0, 0, 1, 2, 3, 4)]
    assert recorder.now() == about(6)


async def test_with_room_for_all_everything_starts_at_once(kata):
    recorder, _ = await crawl(kata, 5, 7, 2)
    assert recorder.now() == about(2)
    recorder, result = await crawl(kata, 0, 3, 2)
    assert result == []


async def test_jobs_start_in_order(kata):
    recorder, _ = await crawl(kata, 8, 3, lambda page: (page * 7 % 5 + 1) / 2)
    assert recorder.order == list(range(8))


async def test_results_stand_in_the_order_of_the_jobs(kata):
    _, result = await crawl(kata, 6, 3, lambda page: 6 - page)
    assert result == [f"result of {page}" for page in range(6)]


async def test_a_failure_takes_its_own_place_and_frees_its_slot(kata):
    failure = ValueError("bad")
    recorder, result = await crawl(kata, 6, 1, lambda page: failure if page == 2 else 2)
    assert result[2] is failure
    assert recorder.now() == about(11)


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.5, 2.25, 3.0])
async def test_cancelled_it_leaves_no_job_running(kata, moment):
    recorder = Recorder(lambda page: 2.5 if page == 1 else 1)
    task = asyncio.create_task(kata.run_limited([partial(recorder.job, page) for page in range(5)], 2))
    await asyncio.sleep(moment * UNIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.running == 0


async def fetch(kata, count, limit, head=1.0, body=0.5, status=None):
    urls = [f"http://site.example/{place}" for place in range(count)]
    recorder = Recorder(lambda url: (head(url) if callable(head) else head) + body)
    with aioresponses() as web:
        for url in urls:

            async def answer(address, url=url, **_):
                text = await recorder.job(url)
                return CallbackResult(status=(status or {}).get(url, 200), body=text, reason="as asked")

            web.get(url, callback=answer)
        result = await kata.fetch_all(urls, limit)
    return recorder, result, urls


async def test_at_most_limit_requests_are_in_flight(kata):
    recorder, _, _ = await fetch(kata, 9, 3)
    assert recorder.peak == 3
    assert recorder.now() == about(4.5)


async def test_bodies_stand_in_the_order_of_the_urls(kata):
    _, result, urls = await fetch(kata, 5, 3, head=lambda url: 6 - int(url[-1]))
    assert result == [f"result of {url}" for url in urls]


async def test_one_session_serves_all(kata, monkeypatch):
    sessions = []
    begin = aiohttp.ClientSession.__init__

    def counted(self, *args, **keywords):
        sessions.append(self)
        begin(self, *args, **keywords)

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", counted)
    await fetch(kata, 4, 2)
    assert len(sessions) == 1


async def test_a_bad_status_raises(kata):
    with pytest.raises(aiohttp.ClientResponseError):
        await fetch(kata, 4, 3, head=lambda url: 1 if url.endswith("1") else 5, status={"http://site.example/1": 404})


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.75])
async def test_cancelled_it_breaks_off_every_request(kata, moment):
    task = asyncio.create_task(fetch(kata, 4, 2))
    await asyncio.sleep(moment * UNIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def seat_all(kata, names, count, gap, delays):
    seats = kata.Seats(count)
    recorder = Recorder(delays)
    free = []

    async def guest(place, name):
        await asyncio.sleep(place * gap * UNIT)
        async with seats:
            await recorder.job(name)

    async with asyncio.TaskGroup() as group:
        for place, name in enumerate(names):
            group.create_task(guest(place, name))
        await asyncio.sleep(len(names) * gap * UNIT)
        free.append(seats.free)
    return recorder, free


async def test_no_more_guests_than_seats(kata):
    recorder, _ = await seat_all(kata, range(6), 2, 0, 2)
    assert recorder.peak == 2
    assert recorder.now() == about(6)


async def test_seats_go_first_come_first_served(kata):
    recorder, _ = await seat_all(kata, range(6), 2, 0.125, lambda name: 3 - name / 4)
    assert recorder.order == list(range(6))


async def test_free_tells_how_many_seats_are_free(kata):
    _, free = await seat_all(kata, range(3), 4, 0.25, 5)
    assert free == [1]


async def test_a_newcomer_does_not_overtake(kata):
    seats, recorder = kata.Seats(1), Recorder(1)

    async def guest(name):
        async with seats:
            await recorder.job(name)

    async def host():
        async with seats:
            await recorder.job("host")
            asyncio.create_task(guest("newcomer"))

    first = asyncio.create_task(host())
    await asyncio.sleep(0.5 * UNIT)
    second = asyncio.create_task(guest("waiting"))
    await asyncio.gather(first, second)
    await asyncio.sleep(2 * UNIT)
    assert recorder.order[:2] == ["host", "waiting"]


async def test_leaving_without_a_seat_raises(kata):
    seats, recorder = kata.Seats(2), Recorder(3)

    async def guest():
        async with seats:
            await recorder.job("guest")

    task = asyncio.create_task(guest())
    await asyncio.sleep(UNIT)
    with pytest.raises(ValueError):
        seats.leave()
    assert seats.free == 1
    await task


async def test_a_room_needs_a_seat(kata):
    for count in (0, -2):
        with pytest.raises(ValueError):
            kata.Seats(count)


@pytest.mark.parametrize("moment", [1.25, 2.0])
async def test_a_cancelled_waiter_costs_nobody_a_seat(kata, moment):
    seats, recorder = kata.Seats(1), Recorder(2)

    async def guest(name):
        async with seats:
            await recorder.job(name)

    tasks = [asyncio.create_task(guest("first"))]
    for name in ("second", "third"):
        await asyncio.sleep(0.25 * UNIT)
        tasks.append(asyncio.create_task(guest(name)))
    await asyncio.sleep((moment - 0.5) * UNIT)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert recorder.order[-1] == "third"
    assert seats.free == 1


async def test_a_cancelled_guest_gives_its_seat_back(kata):
    seats, recorder = kata.Seats(1), Recorder(2)

    async def guest(name):
        async with seats:
            await recorder.job(name)

    task = asyncio.create_task(guest("cancelled"))
    await asyncio.sleep(UNIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seats.free == 1
    await guest("next")
