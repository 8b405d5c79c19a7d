"""The suite of 07_semaphore: never more than so many at once, and never fewer than there could be."""

import asyncio
from functools import partial

import aiohttp

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing, web


def odd_second(rng):
    """About a second, exact as a float: no multiple of it is met by looking every 0.01 s, 0.1 s or 0.25 s."""
    return 1 + rng.randrange(1, 100, 2) / 1024


# --- run_limited -------------------------------------------------------------------------------------


@scenario
async def crawl(kata, stage, *, pages, limit):
    fetch = stage.calls("fetch")
    jobs = [partial(fetch, page) for page in range(pages)]
    given = list(jobs)
    results = await kata.run_limited(jobs, limit)
    stage.note("list changed", jobs != given)
    return results


@scenario
async def two_crawls(kata, stage, *, pages, limits):
    """Two runs at the same time, each with a limit of its own; notes the results of each."""

    async def one(label, limit):
        fetch = stage.calls(label)
        stage.note(label, await kata.run_limited([partial(fetch, page) for page in range(pages)], limit))

    async with asyncio.TaskGroup() as group:
        for label, limit in zip(["first", "second"], limits, strict=True):
            group.create_task(one(label, limit))


@timing
async def test_never_more_than_limit_jobs_at_once(run, rng):
    """At most `limit` jobs run at once, and exactly that many where there are enough; each call has its own limit."""
    limit = rng.randint(2, 5)
    trace = await run(crawl, pages=3 * limit, limit=limit, world=calls(fetch=1.5))
    assert trace.peak("fetch") == limit
    wider = limit + rng.randint(1, 3)
    for limits in ([limit, wider], [wider, wider]):
        trace = await run(two_crawls, pages=2 * wider, limits=limits, world=calls(first=1.0, second=1.0))
        for label, own in zip(["first", "second"], limits, strict=True):
            most = trace.peak(label)
            assert most == own, (
                f"Of two calls at the same time, with limits of {limits[0]} and {limits[1]}, "
                f"the {label} one ran {most} jobs at once, not {own}."
            )
    for label in ("first", "second"):
        at_once = trace.starts(label).count(0.0)
        assert at_once == wider, (
            f"Of two calls at the same time, each with a limit of {wider}, "
            f"the {label} one started {at_once} jobs at once, not {wider}."
        )


@timing
@points(2)
async def test_a_slot_is_refilled_as_soon_as_it_is_free(run, rng):
    """The next job starts the moment a running one ends; nobody waits for the rest of a batch."""
    long = rng.randint(5, 8)
    trace = await run(crawl, pages=6, limit=2, world=calls(fetch=[long, 1, 1, 1, 1, 1]))
    assert trace.starts("fetch") == [0, 0, 1, 2, 3, 4]
    assert trace.elapsed == max(long, 5)
    odd = odd_second(rng)
    trace = await run(crawl, pages=6, limit=2, world=calls(fetch=[long * odd, *[odd] * 5]))
    ends = [0.0, *trace.ends("fetch")]
    for place, start in enumerate(trace.starts("fetch")):
        assert any(start == end for end in ends), (
            f"Job {place + 1} of 6 started at {start!r} s, when no job ended, "
            f"but {start - max(end for end in ends if end < start):.4f} s after one had."
        )
    assert trace.elapsed == max(long, 5) * odd


@timing
async def test_with_room_for_all_everything_starts_at_once(run, rng):
    """A `limit` above the number of jobs holds nobody back, and no jobs take no time."""
    pages = rng.randint(3, 6)
    trace = await run(crawl, pages=pages, limit=pages + 2, world=calls(fetch=2.0))
    assert trace.elapsed == 2.0
    trace = await run(crawl, pages=0, limit=3, world=calls(fetch=2.0))
    assert trace.result == []
    assert trace.elapsed == 0.0


@ordering
async def test_jobs_start_in_order(run, rng):
    """Jobs start in the order in which they were given."""
    pages = rng.randint(7, 9)
    delays = [rng.randint(1, 20) / 4 for _ in range(pages)]
    trace = await run(crawl, pages=pages, limit=3, world=calls(fetch=delays))
    assert trace.order("fetch") == list(range(pages))


@result
@points(2)
async def test_results_stand_in_the_order_of_the_jobs(run, rng):
    """Results come in the order of the jobs, whichever ends first, and the list of jobs is left as it was."""
    pages = rng.randint(5, 8)
    delays = dict(enumerate([20, *rng.sample(range(1, 20), pages - 1)]))
    for page, nothing in zip(rng.sample(range(pages), 3), (None, 0, ""), strict=True):
        delays[page] = call(delays[page], nothing)
    trace = await run(crawl, pages=pages, limit=3, world=calls(fetch=delays))
    assert trace.result == [trace.given("fetch", page) for page in range(pages)]
    assert trace.noted("list changed") == [False]
    trace = await run(two_crawls, pages=pages, limits=[3, 2], world=calls(first=1.0, second=1.0))
    for label in ("first", "second"):
        [results], own = trace.noted(label), [trace.given(label, page) for page in range(pages)]
        assert results == own, (
            f"Of two calls at the same time, each with {pages} jobs, the {label} one should return the {pages} results "
            f"of its own jobs, {own}; it returned {results!r}."
        )


@scenario
async def crawl_again(kata, stage, *, limit):
    fetch = stage.calls("fetch")
    twice, once = partial(fetch, "twice"), partial(fetch, "once")
    return await kata.run_limited([twice, once, twice], limit)


@result
async def test_a_job_that_stands_twice_runs_twice(run, rng):
    """The same job may stand in the list twice: it runs twice, and each run's result has a place of its own."""
    trace = await run(crawl_again, limit=rng.randint(1, 3), world=calls(fetch=1.0))
    brought = [span.value for span in trace.calls("fetch") if span.key == "twice"]
    assert len(brought) == 2, f"A job that stands in the list 2 times was run {len(brought)} times."
    first, second = brought
    alone = trace.given("fetch", "once")
    assert trace.result in ([first, alone, second], [second, alone, first])


@scenario
async def crawl_for_errors(kata, stage, *, pages):
    """Jobs that return an exception object, one at a time; tells whether these came back, if it ends in time."""
    fetch = stage.calls("fetch")
    errors = [OSError(page) for page in range(pages)]

    async def job(error):
        await fetch()
        return error

    crawling = asyncio.create_task(kata.run_limited([partial(job, error) for error in errors], 1))
    await asyncio.wait([crawling], timeout=pages + 5)
    if crawling.done():
        return await crawling == errors
    crawling.cancel()
    await asyncio.wait([crawling])
    return "it had not ended"


@result
async def test_a_failure_takes_its_own_place_and_frees_its_slot(run, rng):
    """A failed job leaves its exception in its place, frees its slot and stops nobody."""
    bad = rng.randrange(1, 5)
    world = calls(fetch={bad: call(1.0, error=ArithmeticError), **{page: 2.0 for page in range(6) if page != bad}})
    trace = await run(crawl, pages=6, limit=1, world=world)
    assert trace.result == [trace.given("fetch", page) for page in range(6)]
    assert trace.elapsed == 11.0
    for failure in (rng.choice([OSError, ValueError, LookupError, RuntimeError]), Exception):
        trace = await run(crawl, pages=3, limit=2, world=calls(fetch=call(1.0, error=failure)))
        assert trace.result == trace.all_given("fetch")
    pages = rng.randint(2, 4)
    trace = await run(crawl_for_errors, pages=pages, world=calls(fetch=1.0))
    assert trace.count("fetch") == pages, (
        f"{pages} jobs of 1 s, with a limit of 1, each return an exception object (none is raised): in {pages + 5} s "
        f"{trace.count('fetch')} of them ran, expected {pages}."
    )
    assert trace.result is True, (
        f"{pages} jobs each return an exception object (none is raised): `run_limited` should return these "
        f"{pages} objects in a list, but {trace.result or 'it returned something else'}."
    )


@cancellation
@points(2)
async def test_cancelled_it_leaves_no_job_running(sweep, rng):
    """Cancelled at any point, it ends with CancelledError, and no job runs on or starts any more."""
    for trace in await sweep(crawl, pages=5, limit=2, world=calls(fetch=[1, 2.5, 1, 1, 1])):
        late = [span for span in trace.calls("fetch") if span.start > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; job {late[0].key} started at {late[0].start!r} s."


# --- fetch_all -----------------------------------------------------------------------------------------


@scenario
async def fetch(kata, stage, *, urls, limit):
    given = list(urls)
    with stage.web():
        bodies = await kata.fetch_all(urls, limit)
    stage.note("list changed", urls != given)
    return bodies


@scenario
async def fetch_broken_off(kata, stage, *, urls, limit):
    """Bodies break off: notes when that is raised, or returns what came of it."""
    with stage.web():
        try:
            return await kata.fetch_all(urls, limit)
        except* aiohttp.ClientPayloadError:
            stage.note("raised")


@scenario
async def two_fetches(kata, stage, *, urls, limits, wait):
    """Two calls, each with urls and a limit of its own: the second one after the first, or so much later."""

    async def one(label, urls, limit):
        try:
            stage.note(label, await kata.fetch_all(urls, limit))
        except NotImplementedError:
            raise
        except Exception as error:
            stage.note(f"{label} raised", f"{type(error).__name__}: {error}")

    (first, second) = (partial(one, *each) for each in zip(["first", "second"], urls, limits, strict=True))
    with stage.web():
        if wait is None:
            await first()
            await second()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(first())
            await asyncio.sleep(wait)
            group.create_task(second())


async def fetching_twice(run, urls, limits, *, wait, world):
    """Plays `two_fetches`; the trace, and for each call the words for it, its label, its limit and its urls."""
    trace = await run(two_fetches, urls=urls, limits=limits, wait=wait, world=world)
    both = f"Of two calls {'one after the other' if wait is None else 'at the same time'}, with limits of "
    both += f"{limits[0]} and {limits[1]}, the"
    for label in ("first", "second"):
        for raised in trace.noted(f"{label} raised"):
            raise AssertionError(f"{both} {label} one raised {raised}.")
    labels = ("first", "second")
    return trace, [(f"{both} {each} one", each, *data) for each, *data in zip(labels, limits, urls, strict=True)]


def requests_at_once(trace, urls):
    """The most requests of these urls that were in flight at the same time."""
    spans = [span for span in trace.calls("request") if span.key in urls]
    return max(sum(other.start <= span.start < other.end for other in spans) for span in spans)


def addresses(rng, count):
    """So many urls that nobody can know."""
    return [f"http://site-{rng.randrange(10**6)}.example/{place}" for place in range(count)]


@timing
@points(2)
async def test_at_most_limit_requests_are_in_flight(run, rng):
    """At most `limit` requests are in flight, and a request is in flight until its body has been read."""
    limit = rng.randint(2, 4)
    urls = addresses(rng, 3 * limit)
    head, body = odd_second(rng), odd_second(rng)
    trace = await run(fetch, urls=urls, limit=limit, world=web(head=head, body=body))
    assert trace.peak("request") == limit
    assert trace.elapsed == 3 * (head + body), (
        f"{3 * limit} requests of {head + body} s each, {limit} at once, take {3 * (head + body)} s; "
        f"`fetch_all` returned after {trace.elapsed!r} s."
    )
    for wait, limits in ((None, [limit, 1]), (0.5, [2, limit + 1])):
        urls = [addresses(rng, 2 * (limit + 1)) for _ in limits]
        trace, both = await fetching_twice(run, urls, limits, wait=wait, world=web(head=1.0, body=0.5))
        for which, _, own, given in both:
            most = requests_at_once(trace, given)
            assert most == own, f"{which} had {most} requests in flight at once, not {own}."


@result
async def test_bodies_stand_in_the_order_of_the_urls(run, rng):
    """Bodies come as text, in the order of the urls, whichever page is there first; the list is left as it was."""
    urls = addresses(rng, 5)
    heads = dict(zip(urls, [5, 1, 4, 2, 3], strict=True))
    bodies = {url: call(1.0, f"page {rng.randrange(10**6)} of the café") for url in urls}
    bodies[urls[3]] = call(1.0, f"  page {rng.randrange(10**6)}, with blanks around it \n")
    bodies[urls[4]] = call(1.0, "")
    status = {urls[2]: 201, urls[4]: 304}  # a redirect is no error, and this one leads nowhere else
    trace = await run(fetch, urls=urls, limit=3, world=web(head=heads, body=bodies, status=status))
    assert trace.result == [bodies[url].result for url in urls]
    assert trace.noted("list changed") == [False]
    urls = [addresses(rng, 4), addresses(rng, 4)]
    heads = {url: 1.0 if url in urls[0] else 0.25 for url in [*urls[0], *urls[1]]}
    trace, both = await fetching_twice(run, urls, [2, 2], wait=0.25, world=web(head=heads, body=0.5))
    for which, label, _, given in both:
        [results], own = trace.noted(label), [trace.given("request", url) for url in given]
        assert results == own, f"{which} should return the bodies of its 4 urls, {own}; it returned {results!r}."
    trace = await run(fetch, urls=[], limit=3, world=web())
    assert trace.result == []
    assert trace.elapsed == 0.0


@result
async def test_a_url_that_stands_twice_is_fetched_twice(run, rng):
    """A url that stands in the list twice is fetched twice, and each body has a place of its own."""
    twice, once = addresses(rng, 2)
    trace = await run(fetch, urls=[twice, once, twice], limit=rng.randint(1, 3), world=web())
    brought = [span.value for span in trace.calls("request") if span.key == twice]
    assert len(brought) == 2, f"A url that stands in the list 2 times was fetched {len(brought)} times."
    first, second = brought
    alone = trace.given("request", once)
    assert trace.result in ([first, alone, second], [second, alone, first])


@result
async def test_one_session_serves_all(run, rng):
    """All requests are GETs and go through one ClientSession."""
    trace = await run(fetch, urls=addresses(rng, 4), limit=2, world=web())
    sessions = {span.keywords.get("session") for span in trace.calls("request")}
    assert len(sessions) == 1, f"{len(sessions)} sessions were made for 4 requests; one is enough."
    others = {str(span.keywords.get("method")).upper() for span in trace.calls("request")} - {"GET"}
    assert not others, f"4 urls were asked with {', '.join(sorted(others))}; each should be asked with GET."


@result
async def test_a_bad_status_raises(run, rng):
    """A status from 400 on raises ClientResponseError and breaks off the rest; a lost connection raises its error."""
    for code in (400, rng.choice([403, 404, 500, 503]), rng.choice([*range(405, 500), *range(505, 600)])):
        urls = addresses(rng, 4)
        heads = dict(zip(urls, [6.0, 1.0, 5.0, 5.0], strict=True))
        world = web(head=heads, body=0.0, status={urls[1]: code})  # who reads the body first is right as well
        trace = await run(fetch, urls=urls, limit=3, world=world, raises="aiohttp.ClientResponseError")
        assert trace.elapsed == 1.0, f"A status of {code} came at 1 s; its error was raised at {trace.elapsed!r} s."
    urls = addresses(rng, 4)
    lost = call(1.0, error=aiohttp.ClientConnectionError)
    world = web(head=dict(zip(urls, [6.0, lost, 5.0, 5.0], strict=True)))
    await run(fetch, urls=urls, limit=3, world=world, raises="aiohttp.ClientConnectionError")
    heads = dict(zip(urls, [6.0, 1.0, 5.0, 5.0], strict=True))
    world = web(head=heads, body=call(0.5, error=aiohttp.ClientPayloadError))
    trace = await run(fetch_broken_off, urls=urls, limit=3, world=world)
    raised = [*trace.noted_at("raised")]
    assert raised == [1.5], (
        "The body of one of 4 pages broke off at 1.5 s with a ClientPayloadError, which should be raised then; "
        f"{f'it was raised at {raised[0]!r} s' if raised else f'`fetch_all` returned {trace.result!r}'}."
    )


@cancellation
async def test_cancelled_it_breaks_off_every_request(sweep, rng):
    """Cancelled at any point, it ends with CancelledError, breaks off every request and closes its session."""
    world = web(head=[1.0], body=[0.5])
    for trace in await sweep(fetch, urls=addresses(rng, 4), limit=2, world=world, uncalled=["body"]):
        late = [span for span in trace.calls("request") if span.start > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; a request was made at {late[0].start!r} s."


# --- Seats ---------------------------------------------------------------------------------------------


@scenario
async def guests(kata, stage, *, names, count, gap):
    seats = kata.Seats(count)
    dinner = stage.calls("dinner")
    free = [seats.free]

    async def guest(place, name):
        await asyncio.sleep(place * gap)
        async with seats:
            await dinner(name)

    async with asyncio.TaskGroup() as group:
        for place, name in enumerate(names):
            group.create_task(guest(place, name))
        await asyncio.sleep(len(names) * gap)
        free.append(seats.free)
    return [*free, seats.free]


@timing
async def test_no_more_guests_than_seats(run, rng):
    """At most `count` guests are seated at once, and a free seat is taken at once."""
    count = rng.randint(2, 3)
    names = [f"guest {place}" for place in range(count * 3)]
    odd = odd_second(rng)
    trace = await run(guests, names=names, count=count, gap=0.0, world=calls(dinner=2 * odd))
    assert trace.peak("dinner") == count
    assert trace.elapsed == round(6 * odd, 6)


@ordering
async def test_seats_go_first_come_first_served(run, rng):
    """Whoever has waited longest gets the next free seat."""
    names = [f"guest {rng.randrange(10**6)}" for _ in range(6)]
    trace = await run(guests, names=names, count=2, gap=0.125, world=calls(dinner=[3.0, 2.0, 2.0, 1.0, 1.0, 1.0]))
    assert trace.order("dinner") == names
    assert trace.peak("dinner") == 2


@scenario
async def two_seats(kata, stage, *, count):
    """One guest takes two seats in one room; the second time what it does on the second one fails."""
    for fails in (False, True):
        seats = kata.Seats(count)
        free = []
        async with seats:
            free.append(seats.free)
            try:
                async with seats:
                    free.append(seats.free)
                    if fails:
                        raise EOFError
            except EOFError:
                pass
            free.append(seats.free)
        stage.note("free", [*free, seats.free])


@result
async def test_free_tells_how_many_seats_are_free(run, rng):
    """`free` counts the seats that nobody has taken, also where a guest takes two, and is 0 while others wait."""
    count = rng.randint(3, 5)
    for come, left in ((count - 1, 1), (count + 2, 0)):
        names = [f"guest {place}" for place in range(come)]
        trace = await run(guests, names=names, count=count, gap=0.25, world=calls(dinner=5.0))
        assert trace.result == [count, left, count], (
            f"`free` at first, when {come} guests have come for {count} seats, and when all have left: "
            f"expected {[count, left, count]}, saw {trace.result}."
        )
    wanted = [count - 1, count - 2, count - 1, count]
    trace = await run(two_seats, count=count)
    for end, saw in zip(("", " as its block ends with an error"), trace.noted("free"), strict=True):
        assert saw == wanted, (
            f"In a room with {count} seats a guest takes one, in the same block a second one, gives the second one back"
            f"{end}, and then the first: `free` after each: expected {wanted}, saw {saw}."
        )


def leaving(seats):
    """What `leave()` raises, by its name."""
    try:
        seats.leave()
    except NotImplementedError:
        raise
    except Exception as error:
        return "ValueError" if isinstance(error, ValueError) else type(error).__name__
    return "nothing"


@scenario
async def two_rooms(kata, stage, *, count):
    """One room is full; somebody sits down in another one, and has no seat to give back in the first one."""
    full, other = kata.Seats(count), kata.Seats(count + 1)
    dinner = stage.calls("dinner")

    async def guest():
        async with full:
            await dinner("guest")

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(guest())
        await asyncio.sleep(1)
        async with other:
            stage.note("sat down in the other room")
            stage.note("free", [full.free, other.free])
            stage.note("left the full room", [leaving(full), full.free, other.free])


@scenario
async def a_seat_in_each(kata, stage, *, count):
    """One guest has a seat in two rooms at once; returns how many are free in each meanwhile, and then."""
    one, other = kata.Seats(count), kata.Seats(count + 1)
    async with one, other:
        both = [one.free, other.free]
    await asyncio.sleep(1)
    return [both, [one.free, other.free]]


@result
async def test_each_room_has_seats_of_its_own(run, rng):
    """Two rooms have nothing to do with each other."""
    count = rng.randint(2, 4)
    trace = await run(a_seat_in_each, count=count)
    both, end = trace.result
    assert [both, end] == [[count - 1, count], [count, count + 1]], (
        f"One guest sat in two rooms of {count} and {count + 1} seats at once: they said {both[0]} and {both[1]} free, "
        f"expected {count - 1} and {count}; when it had left both, {end[0]} and {end[1]}, "
        f"expected {count} and {count + 1}."
    )
    trace = await run(two_rooms, count=count, world=calls(dinner=3.0))
    assert trace.noted_at("sat down in the other room") == [1]
    [free] = trace.noted("free")
    assert free == [0, count], (
        f"Of two rooms one is full, and one of {count + 1} seats has one guest; they said {free[0]} and {free[1]} free."
    )
    [[raised, *free]] = trace.noted("left the full room")
    assert [raised, *free] == ["ValueError", 0, count], (
        f"A guest of another room called `leave()` of the room that is full: that raised {raised}, and then the rooms "
        f"said {free[0]} and {free[1]} free; it should raise ValueError, and 0 and {count} be free."
    )


@scenario
async def newcomer(kata, stage):
    seats = kata.Seats(1)
    dinner = stage.calls("dinner")

    async def guest(name):
        async with seats:
            await dinner(name)

    async def host():
        async with seats:
            await dinner("host")
            asyncio.create_task(guest("newcomer"))
        again.append(asyncio.create_task(guest("host again")))

    again = []
    first = asyncio.create_task(host())
    await asyncio.sleep(0.5)
    waiting = asyncio.create_task(guest("waiting"))
    await asyncio.gather(first, waiting)
    await asyncio.sleep(10)


@ordering
async def test_a_newcomer_does_not_overtake(run, rng):
    """Who comes as a seat is freed does not take it from somebody who is waiting already."""
    trace = await run(newcomer, world=calls(dinner=1.0))
    two = trace.order("dinner")[:2]
    assert two == ["host", "waiting"], f"The host sits first, then the guest who was waiting; those who sat were {two}."
    assert trace.peak("dinner") == 1


@scenario
async def early_leaver(kata, stage, *, count):
    """Everybody sits, and one more waits; one leaves early, tries it again, and stays for a while."""
    seats = kata.Seats(count)
    dinner = stage.calls("dinner")

    def leave_again():
        raised = "nothing"
        try:
            seats.leave()
        except Exception as error:
            raised = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        stage.note("left again", raised)

    async def early():
        has_left = False
        try:
            async with seats:
                await dinner("early")
                seats.leave()
                has_left = True
                leave_again()
                await asyncio.sleep(5)
        except Exception:
            if not has_left:  # whether the end of such a block raises is left open
                raise

    async def guest(name):
        async with seats:
            await dinner(name)

    await asyncio.gather(early(), *(guest("other") for _ in range(count)))
    stage.note("free", seats.free)
    await asyncio.gather(*(guest("late") for _ in range(count + 1)))


@scenario
async def leaver_with_two(kata, stage, *, count):
    """One guest leaves while it has two seats; another one leaves, and sits down again before its block ends."""

    async def with_two():
        async with seats, seats:
            seats.leave()
            free.append(seats.free)

    async def once_more():
        async with seats:
            seats.leave()
            async with seats:
                free.append(seats.free)
            free.append(seats.free)

    for guest, steps in ((with_two, 1), (once_more, 2)):
        seats, free = kata.Seats(count), []
        try:
            await asyncio.create_task(guest())
        except Exception:
            if len(free) < steps:  # whether the end of such a block raises is left open
                raise
        stage.note("free", [*free, seats.free])


@scenario
async def stranger(kata, stage, *, count):
    """Five times somebody leaves who holds no seat. Notes what came of it, and how many seats are free then.

    All tasks have the same name: who has a seat is not told by that.
    """
    seats = kata.Seats(count)
    dinner = stage.calls("dinner")

    def leave(who):
        stage.note(who, [leaving(seats), seats.free])

    async def child():
        leave("a task that a guest has started")

    async def guest(name):
        async with seats:
            await dinner(name)
            if name == "first":
                await asyncio.create_task(child())
        leave(f"the {name} guest")

    asyncio.current_task().set_name("guest")
    tasks = [asyncio.create_task(guest(which), name="guest") for which in ("first", "last")]
    await asyncio.sleep(1)
    leave("a stranger")
    await asyncio.gather(*tasks, return_exceptions=True)
    leave("a stranger at the end")

    async def late_guest():
        async with seats:
            await dinner("late")

    await asyncio.gather(*(late_guest() for _ in range(count + 1)))


@result
async def test_leaving_without_a_seat_raises(run, rng):
    """`leave()` gives one's seat back, once; by someone who holds none, whoever else sits, it raises ValueError."""
    count = rng.randint(2, 4)
    times = {"early": 1.0, "other": 3.0, "late": 2.0}
    trace = await run(early_leaver, count=count, world=calls(dinner=times))
    sat = trace.starts("dinner")[count]
    assert sat == 1.0, (
        f"A guest that sat called `leave()` at 1 s; whoever waited for a seat then sat down at {sat} s, expected 1 s."
    )
    raised = trace.noted("left again")[0]
    assert raised == "ValueError", (
        f"A guest that had given its seat back called `leave()` once more: expected ValueError, saw {raised}."
    )
    free, most = trace.noted("free")[0], trace.peak("dinner")
    assert free == count, (
        f"A guest called `leave()` inside its block. When all had gone, {free} of {count} seats were free: "
        "one gives a seat back once, not again at the end of the block."
    )
    assert most == count, f"After a guest had left early, {most} sat at the same time in a room with {count} seats."
    trace = await run(leaver_with_two, count=count)
    with_two, once_more = trace.noted("free")
    assert with_two == [count - 1, count], (
        f"In a room with {count} seats a guest that has two calls `leave()` once, and then its blocks end: "
        f"`free` after each: expected {[count - 1, count]}, saw {with_two}."
    )
    assert once_more == [count - 1, count, count], (
        f"In a room with {count} seats a guest calls `leave()` and then, in the same block, sits down, gets up again "
        f"and goes: `free` after each of these: expected {[count - 1, count, count]}, saw {once_more}."
    )
    trace = await run(stranger, count=count, world=calls(dinner={"first": 3.0, "last": 5.0, "late": 1.0}))
    for who, when, free in (
        ("a stranger", "while two guests sit", count - 2),
        ("a task that a guest has started", "while that guest and another one sit", count - 2),
        ("the first guest", "who has given its seat back while another one sits", count - 1),
        ("the last guest", "who has given its seat back", count),
        ("a stranger at the end", "when nobody sits", count),
    ):
        told = trace.noted(who)
        assert told, f"{who.capitalize()}, {when}, never got to call `leave()`: its `async with seats:` failed."
        [[raised, left]] = told
        assert [raised, left] == ["ValueError", free], (
            f"`leave()` by {who}, {when}, raised {raised}, and {left} of {count} seats were free; "
            f"it should raise ValueError, and {free} be free."
        )
    late = trace.peak("dinner")
    assert late == count, f"After that {late} guests sat at the same time in a room with {count} seats."


@scenario
async def room(kata, stage, *, count):
    seats = kata.Seats(1)
    async with seats:
        pass
    kata.Seats(count)


@result
async def test_a_room_needs_a_seat(run, rng):
    """A `count` below 1 raises ValueError."""
    await run(room, count=0, raises=ValueError)
    await run(room, count=-rng.randint(1, 3), raises=ValueError)


@scenario
async def spoilt(kata, stage):
    seats = kata.Seats(1)
    dinner = stage.calls("dinner")
    try:
        async with seats:
            await dinner("spoilt")
    finally:
        stage.note("free", seats.free)


@result
async def test_a_guest_whose_dinner_fails_gives_its_seat_back(run, rng):
    """A guest whose dinner fails gives its seat back, and the error comes through."""
    for kind in (ValueError, KeyError, TimeoutError):
        trace = await run(spoilt, world=calls(dinner=call(rng.randint(1, 3), error=kind)), raises=kind)
        failure = trace.given("dinner", "spoilt")
        assert trace.error.holds(failure), f"The dinner raised {failure!r}; what came out is {trace.error!r}."
        free = trace.noted("free")
        assert free == [1], f"After its only guest's dinner has failed, {free[0]} of 1 seats are free; it should be 1."


@scenario
async def patience(kata, stage, *, gives_up_at=None, sent_away=""):
    """The second guest is cancelled at a moment, or by the first just before or after that gives its seat back."""
    seats = kata.Seats(1)
    dinner = stage.calls("dinner")

    async def guest(name):
        async with seats:
            await dinner(name)
            if (name, sent_away) == ("first", "before"):
                second.cancel()
        if (name, sent_away) == ("first", "after"):
            second.cancel()

    first = asyncio.create_task(guest("first"))
    await asyncio.sleep(0.25)
    second = asyncio.create_task(guest("second"))
    await asyncio.sleep(0.25)
    third = asyncio.create_task(guest("third"))
    if gives_up_at:
        await asyncio.sleep(gives_up_at - 0.5)
        second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    stage.note("second was cancelled", second.cancelled())
    return seats.free


@cancellation
async def test_a_cancelled_waiter_costs_nobody_a_seat(run, rng):
    """A waiter that is cancelled loses no seat for the others."""
    trace = await run(patience, gives_up_at=rng.choice([1.0, 1.25, 1.5]), world=calls(dinner=2.0))
    assert trace.order("dinner") == ["first", "third"]
    assert trace.starts("dinner") == [0.0, 2.0]
    assert trace.result == 1


@cancellation
async def test_a_waiter_cancelled_as_its_seat_comes_free_passes_it_on(run, rng):
    """A waiter that is cancelled in the very moment in which it gets the seat passes it on."""
    trace = await run(patience, gives_up_at=2.0, world=calls(dinner=[2.0, 1.0, 1.0]))
    assert trace.order("dinner")[-1] == "third"
    assert trace.result == 1
    for sent_away in ("before", "after"):
        trace = await run(patience, sent_away=sent_away, world=calls(dinner=2.0))
        # Leaving may take turns of the loop: then the second has sat down already when it is sent away.
        diners = [guest for guest in trace.order("dinner") if guest != "second"]
        when = f"The second guest was cancelled just {sent_away} the first gave its seat back, at 2 s"
        assert diners == ["first", "third"], f"{when}: then {' and '.join(diners)} dined, expected first and third."
        assert trace.starts("dinner")[-1] == 2.0
        (cancelled,) = trace.noted("second was cancelled")
        assert cancelled, f"{when}; its `async with seats` did not end in CancelledError."
        assert trace.result == 1


@scenario
async def seated(kata, stage):
    seats = kata.Seats(1)
    dinner = stage.calls("dinner")

    async def guest(name):
        async with seats:
            return await dinner(name)

    task = stage.target(asyncio.create_task(guest("cancelled")))
    await asyncio.wait([task])
    stage.note("free", seats.free)
    await guest("next")
    return await task


@cancellation
async def test_a_cancelled_guest_gives_its_seat_back(sweep, rng):
    """A guest that is cancelled at the table gives its seat back."""
    for trace in await sweep(seated, world=calls(dinner=2.0)):
        assert trace.noted("free") == [1]
