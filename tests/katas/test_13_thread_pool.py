"""The suite of 13_thread_pool: threads do the blocking, the loop stays free, and no thread is left alone."""

import asyncio
import threading
from contextlib import asynccontextmanager
from itertools import zip_longest
from math import ceil

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing


@asynccontextmanager
async def ticking(stage):
    """Something else that the loop has to do, every second from 0.25 s on."""

    async def tick():
        await asyncio.sleep(0.25)
        for _ in range(100):
            stage.note("tick")
            await asyncio.sleep(1)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def assert_loop_was_free(trace):
    """Every tick came at its time; the run must end at a multiple of half a second."""
    due = [0.25 + second for second in range(ceil(trace.elapsed - 0.25))]
    for moment, ran in zip_longest(due, trace.noted_at("tick")):
        assert ran == moment, f"The loop was not free: what was due at {moment} s ran at {ran} s."


async def cancel_at(stage, awaitable, *moments):
    """Await it in a task, and cancel that at these moments."""

    async def use():
        return await awaitable

    task = asyncio.create_task(use())
    for moment in moments:
        await asyncio.sleep(moment - stage.now)
        task.cancel()
    await asyncio.wait([task])
    stage.note("over")
    return await task


# --- titles --------------------------------------------------------------------------------------------


@scenario
async def read(kata, stage, *, urls, workers):
    return await kata.titles(stage.blocking("fetch"), urls, workers)


@scenario
async def read_beside_others(kata, stage, *, urls, workers):
    async with ticking(stage):
        return await kata.titles(stage.blocking("fetch"), urls, workers)


def addresses(rng, count):
    """So many urls that nobody can know."""
    return [f"http://site-{rng.randrange(10**6)}.example/{place}" for place in range(count)]


def page(title):
    """A page's html."""
    return f"<html><head><title>{title}</title></head><body><p>{title} at length</p></body></html>"


def site(urls, delays, titles):
    """A world of pages, each with its own delay."""
    return calls(fetch={url: call(delay, page(title)) for url, delay, title in zip(urls, delays, titles, strict=True)})


def names(rng, count):
    """So many titles."""
    return [f"Page {number}" for number in rng.sample(range(10**6), count)]


def assert_not_moved(found, titles):
    """Where all titles are there, they stand in the order of their urls."""
    moved = isinstance(found, list) and found != titles and all(title in found for title in titles)
    assert not moved, f"The titles stand in another order than their urls: expected {titles!r}, saw {found!r}."


def assert_titles(found, titles):
    """These are the titles that were returned, in order."""
    assert_not_moved(found, titles)
    assert found == titles


@timing
@points(2)
async def test_as_many_fetches_at_once_as_workers(run, rng):
    """At most `workers` fetches are under way at the same time, and exactly that many where there are enough."""
    workers = rng.randint(2, 4)
    titles = names(rng, 3 * workers)
    urls = addresses(rng, len(titles))
    delay = rng.choice([1.125, 1.375, 1.625])
    trace = await run(read, urls=urls, workers=workers, world=site(urls, [delay] * len(urls), titles))
    peak = trace.peak("fetch")
    assert peak != workers + 1, f"With {workers} workers {peak} fetches were under way at the same time: one too many."
    assert peak == workers
    assert trace.elapsed == 3 * delay


@timing
@points(2)
async def test_the_loop_stays_free_while_pages_are_fetched(run, rng):
    """While threads fetch, everything else on the loop goes on."""
    urls = addresses(rng, 4)
    trace = await run(read_beside_others, urls=urls, workers=2, world=site(urls, [1.5] * 4, names(rng, 4)))
    assert_loop_was_free(trace)
    assert trace.elapsed == 3.0


@ordering
async def test_titles_stand_in_the_order_of_the_urls(run, rng):
    """Titles come in the order of the urls, whichever page is there first."""
    titles = names(rng, 5)
    urls = addresses(rng, 5)
    delays = [10.0, *(delay / 2 for delay in rng.sample(range(1, 20), 4))]
    trace = await run(read, urls=urls, workers=3, world=site(urls, delays, titles))
    assert_titles(trace.result, titles)


async def titles_of(run, rng, *pages):
    """What comes of these pages."""
    urls = addresses(rng, len(pages))
    world = calls(fetch={url: call(rng.randint(1, 9) / 4, html) for url, html in zip(urls, pages, strict=True)})
    return (await run(read, urls=urls, workers=len(urls), world=world)).result


@result
async def test_a_title_tag_may_be_written_in_many_ways(run, rng):
    """A title is found in any case of letters, with attributes, and over several lines."""
    loud, mixed, tall, wide = names(rng, 4)
    tall = f"{tall}\nand\nmore"
    found = await titles_of(
        run,
        rng,
        f"<HTML><HEAD><TITLE>{loud}</TITLE></HEAD></HTML>",
        f'<html><Title lang="en" id="t1">{mixed}</tITLE></html>',
        f"<html><title>{tall}</title></html>",
        f'<html><title\n  lang="en"\n  id="t2"\n>{wide}</title></html>',
    )
    assert_titles(found, [loud, mixed, tall, wide])


@result
async def test_a_title_is_stripped(run, rng):
    """A title is stripped: one of nothing but blanks is an empty string. A page that has no title gives None."""
    title, other = names(rng, 2)
    bare = f"<html><body><h1>{rng.randrange(10**6)}</h1></body></html>"
    blanks = [page(f"\n\t  {title} \n"), page(f"\r\n{other}\r\n"), page(""), page(" \n ")]
    found = await titles_of(run, rng, bare, *blanks, bare, "")
    assert_titles(found, [None, title, other, "", "", None, None])


@result
async def test_only_the_first_title_counts(run, rng):
    """Of two titles on a page the first one counts."""
    first, second = names(rng, 2)
    html = f"<html><title>{first}</title><body><svg><title>{second}</title></svg></body></html>"
    other = f"<html><titles>{first} of many</titles><title>{second}</title></html>"
    found = await titles_of(run, rng, html, other)
    if isinstance(found, list) and found[:1] == [first] and len(found) == 2:
        assert found[1] == second, (
            f"`<titles>` is no `<title>`: the first title is {second!r}, behind it; it gave {found[1]!r}."
        )
    assert_titles(found, [first, second])


@result
@points(2)
async def test_a_failure_takes_its_own_place(run, rng):
    """A failed fetch leaves its exception in its place and disturbs nobody."""
    urls = addresses(rng, 6)
    titles = names(rng, 6)
    world = site(urls, [5, 1, 2, 1, 3, 2], titles)
    kinds = (ValueError, TimeoutError, rng.choice([KeyError, ZeroDivisionError]), rng.choice([RuntimeError, TypeError]))
    for bad, cls in zip(sorted(rng.sample(range(1, 6), 4)), kinds, strict=True):
        world.scripts["fetch"][urls[bad]] = call(1.0, error=cls)
        titles[bad] = bad
    trace = await run(read, urls=urls, workers=2, world=world)
    assert trace.result == [trace.given("fetch", urls[title]) if isinstance(title, int) else title for title in titles]


@scenario
async def read_again(kata, stage, *, urls, workers):
    given = list(urls)
    return [await kata.titles(stage.blocking("fetch"), given, workers), given]


@result
async def test_a_url_may_be_given_twice(run, rng):
    """A url that stands in the list twice has its title in both places, and the list is left as it was."""
    first, second = addresses(rng, 2)
    titles = names(rng, 2)
    urls = [first, second, first, first]
    world = site([first, second], [1.0, 2.25], titles)
    trace = await run(read_again, urls=urls, workers=2, world=world)
    assert trace.result == [[titles[0], titles[1], titles[0], titles[0]], urls]


@scenario
async def threads_left(kata, stage, *, urls, workers):
    before = stage.threads_begun
    nothing = await kata.titles(stage.blocking("fetch"), [], workers)
    begun = stage.threads_begun - before
    found = await kata.titles(stage.blocking("fetch"), urls, workers)
    again = await kata.titles(stage.blocking("fetch"), urls[1:3], workers)
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0.125)
    return {"nothing": nothing, "begun": begun, "found": found, "again": again, "left": stage.threads}


@result
async def test_the_pool_is_gone_in_the_end(run, rng):
    """No thread of its pool is left when it returns; without urls it starts none, takes no time and gives []."""
    titles = names(rng, 4)
    urls = addresses(rng, 4)
    trace = await run(threads_left, urls=urls, workers=rng.randint(2, 3), world=site(urls, [4, 1, 2, 1], titles))
    told = trace.result
    assert told["nothing"] == [], f"For no urls it returned {told['nothing']!r}, expected []."
    assert told["begun"] == 0, f"Threads that it started for no urls: expected 0, saw {told['begun']}."
    assert_not_moved(told["found"], titles)
    assert told["found"] == titles, f"It returned {told['found']!r}, expected {titles!r}."
    assert told["again"] == titles[1:3], f"For two of them again it returned {told['again']!r}, not {titles[1:3]!r}."
    fetches = trace.count("fetch")
    assert fetches == 6, (
        f"Four urls, and two of them in a second call, are 6 fetches; `fetch` was called {fetches} times."
    )
    assert told["left"] == 0, f"Threads of its pool that are left after its return: expected 0, saw {told['left']}."


def assert_ended_in_cancelled_error(trace):
    """A cancelled run ended in CancelledError, and in no failure that was not there yet when the cancel came."""
    if not (trace.error and trace.error.bare().is_a(asyncio.CancelledError)):
        failed = [(span.end, span.label) for span in trace.spans if span.outcome == "failed"]
        moment, label = max(failed, default=(0, ""))
        assert moment <= trace.struck_at, (
            f"Cancelled at {trace.struck_at!r} s, it ended in {trace.error!r}, the failure of a `{label}` "
            f"that ended at {moment!r} s only; it must end in CancelledError."
        )


def assert_only_the_begun_were_seen_out(trace):
    """No fetch began after the cancellation, and it ended with the last of those under way."""
    struck = trace.struck_at
    late = [span.start for span in trace.calls("fetch") if span.start > struck]
    assert not late, f"Cancelled at {struck!r} s, it started another fetch at {late[0]!r} s."
    last = max([struck, *(span.end or 999 for span in trace.calls("fetch"))], key=float)
    assert trace.elapsed == last, (
        f"Cancelled at {struck!r} s, it ended at {trace.elapsed!r} s; the last fetch under way ended at {last!r} s."
    )


@cancellation
@points(2)
async def test_cancelled_it_sees_the_fetches_under_way_out(sweep, rng):
    """Cancelled at any point, it starts no further fetch, waits for those under way, and ends in CancelledError."""
    urls = addresses(rng, 4)
    delays = dict(zip(urls, rng.choice([[1, 2, 1.5, 1], [2, 0.5, 1, 2]]), strict=True))
    world = calls(fetch={url: call(delay, page("A title")) for url, delay in delays.items()})
    world.scripts["fetch"][urls[2]] = call(delays[urls[2]], error=rng.choice([ValueError, KeyError, OSError]))
    for trace in await sweep(read, urls=urls, workers=2, world=world):
        assert_only_the_begun_were_seen_out(trace)
        assert_ended_in_cancelled_error(trace)


@scenario
async def read_impatiently(kata, stage, *, urls, workers, moments):
    async with ticking(stage):
        return await cancel_at(stage, kata.titles(stage.blocking("fetch"), urls, workers), *moments)


@cancellation
@points(2)
async def test_further_cancels_do_not_get_out_of_titles(run, rng):
    """Further cancels do not get out before the fetches under way have ended either; the loop stays free."""
    urls = addresses(rng, 5)
    world = site(urls, [3.5] * 5, names(rng, 5))
    moments = [1.0, 1.0 + rng.randint(2, 7) / 8, 2.0 + rng.randint(1, 7) / 8]
    trace = await run(
        read_impatiently, urls=urls, workers=2, moments=moments, world=world, raises="asyncio.CancelledError"
    )
    assert trace.noted_at("over") == [3.5]
    begun = trace.count("fetch")
    assert begun != 3, f"With 2 workers, cancelled before any had ended, {begun} fetches were begun: one too many."
    assert begun == 2
    assert_loop_was_free(trace)


# --- with_progress -------------------------------------------------------------------------------------


def steps(stage, fractions, last):
    """A job in steps of work, with word of each; the last step is its result."""
    work = stage.blocking("work")

    def job(progress):
        for fraction in fractions:
            work(fraction)
            progress(fraction)
        return work(last)

    return job


@scenario
async def watched(kata, stage, *, fractions):
    def report(fraction):
        stage.note("report", fraction)

    return await kata.with_progress(steps(stage, fractions, "last"), report)


@scenario
async def watched_in_a_burst(kata, stage, *, fractions):
    work = stage.blocking("work")
    home, heard = threading.get_ident(), []

    def job(progress):
        try:
            return work()
        finally:
            for fraction in fractions:
                progress(fraction)

    def report(fraction):
        heard.append(fraction)
        stage.note("in the loop's thread", threading.get_ident() == home)

    try:
        return await kata.with_progress(job, report)
    finally:
        for fraction in heard:
            stage.note("report", fraction)


@scenario
async def watched_beside_others(kata, stage, *, fractions):
    async with ticking(stage):
        return await kata.with_progress(steps(stage, fractions, "last"), stage.callback("report"))


def parts(rng, count):
    """So many fractions, rising to 1."""
    whole = sorted(rng.sample(range(1, 64), count - 1))
    return [part / 64 for part in whole] + [1.0]


@timing
@points(2)
async def test_reports_come_promptly(run, rng):
    """Each report runs at the moment at which the job calls `progress`, though nothing else wakes the loop."""
    fractions = parts(rng, rng.randint(3, 5))
    delays = {fraction: rng.randint(1, 12) / 4 + 0.125 for fraction in fractions}
    trace = await run(watched, fractions=fractions, world=calls(work={**delays, "last": 2.0}))
    moments = [sum(list(delays.values())[: place + 1]) for place in range(len(fractions))]
    assert trace.noted_at("report") == moments
    assert trace.elapsed == moments[-1] + 2.0


@ordering
async def test_reports_come_in_order(run, rng):
    """Each call of `progress` leads to one report, in the order of the calls, also when they come thick and fast."""
    rising = [0.0, *parts(rng, rng.randint(12, 20))]
    fractions = [rising[0], *rising, rising[-1], rising[1], rising[1]]
    trace = await run(watched_in_a_burst, fractions=fractions, world=calls(work=1.0))
    assert trace.noted("report") == fractions


@result
async def test_reports_run_in_the_thread_of_the_loop(run, rng):
    """`report` runs in the loop's thread, never in the job's."""
    fractions = parts(rng, rng.randint(2, 4))
    trace = await run(watched_in_a_burst, fractions=fractions, world=calls(work=1.0))
    here = trace.noted("in the loop's thread")
    assert len(here) == len(fractions), f"{len(fractions)} reports were due, {len(here)} came."
    assert here == [True] * len(fractions), (
        f"{here.count(True)} of {len(fractions)} reports ran in the loop's thread, expected {len(fractions)}."
    )
    assert trace.result == trace.all_given("work")[0]


@scenario
async def an_error_returned(kata, stage, *, name, word):
    got = await getattr(kata, name)(lambda _: ValueError(word), 5 if name == "stop_after" else stage.callback("report"))
    return ["returned", *got.args] if isinstance(got, ValueError) else got


@result
async def test_the_job_gives_its_result(run, rng):
    """The result of the job comes through, also of one that never calls `progress`, or that returns an error."""
    trace = await run(watched, fractions=[], world=calls(work=1.0))
    assert trace.result == trace.given("work", "last")
    word = f"error {rng.randrange(10**6)}"
    trace = await run(an_error_returned, name="with_progress", word=word)
    assert trace.result == ["returned", word]


@result
@points(2)
async def test_no_report_is_lost_when_the_job_fails(run, rng):
    """The error of the job comes through, and reports made just before it run before it is raised."""
    fractions = parts(rng, rng.randint(3, 6))
    cls = rng.choice([ValueError, KeyError, OSError])
    trace = await run(watched_in_a_burst, fractions=fractions, world=calls(work=call(1.5, error=cls)), raises=cls)
    assert trace.error.holds(trace.all_given("work")[0]), f"It raised {trace.error!r}, not the error of the job."
    assert trace.noted("report") == fractions


@timing
async def test_the_loop_stays_free_while_the_job_works(run, rng):
    """While the job works in its thread, everything else on the loop goes on."""
    fractions = parts(rng, 2)
    trace = await run(watched_beside_others, fractions=fractions, world=calls(work=1.0))
    assert_loop_was_free(trace)
    assert trace.elapsed == 3.0


@cancellation
async def test_cancelled_with_progress_waits_for_its_thread(sweep, rng):
    """Cancelled at any point, `with_progress` waits for its thread and its reports, and ends in CancelledError."""
    fractions = parts(rng, 2)
    cls = rng.choice([ValueError, KeyError, OSError])
    world = calls(work={**dict.fromkeys(fractions, 1.0), "last": call(1.0, error=cls)})
    for trace in await sweep(watched, fractions=fractions, world=world, raises=cls):
        assert trace.elapsed == 3.0
        assert trace.noted("report") == fractions
        assert trace.error, f"Cancelled, it returned {trace.result!r}; it must end in CancelledError."
        assert_ended_in_cancelled_error(trace)


@scenario
async def watched_impatiently(kata, stage, *, fractions, moments):
    job = steps(stage, fractions, "last")
    return await cancel_at(stage, kata.with_progress(job, stage.callback("report")), *moments)


@cancellation
async def test_further_cancels_do_not_get_out_of_with_progress(run, rng):
    """A second cancel does not get out of `with_progress` either before its thread has ended."""
    moments = [1.25, 1.25 + rng.randint(1, 10) / 8]
    trace = await run(
        watched_impatiently,
        fractions=parts(rng, 2),
        moments=moments,
        world=calls(work=1.0),
        raises="asyncio.CancelledError",
    )
    assert trace.noted_at("over") == [3.0]


# --- stop_after ----------------------------------------------------------------------------------------


def watchful(stage, patience):
    """A job of so many seconds that watches `stop`, and then takes its time to end."""
    finish, wind_down = stage.blocking("finish"), stage.blocking("wind_down")

    def job(stop):
        if stop.wait(patience):
            stage.note("told")
            return wind_down()
        return finish()

    return job


@scenario
async def limited(kata, stage, *, patience, timeout):
    return await kata.stop_after(watchful(stage, patience), timeout)


@scenario
async def limited_again_and_again(kata, stage, *, patience, timeout):
    """The first job does not end in time; one beside it and one after it do."""
    first = asyncio.create_task(kata.stop_after(watchful(stage, 60), timeout))
    beside = await kata.stop_after(watchful(stage, timeout + patience), 60)
    try:
        await first
    except TimeoutError:
        stage.note("time was up")
    return [beside, await kata.stop_after(watchful(stage, patience), patience + timeout)]


@scenario
async def limited_beside_others(kata, stage, *, patience, timeout):
    async with ticking(stage):
        return await kata.stop_after(watchful(stage, patience), timeout)


@result
@points(2)
async def test_a_job_in_time_gives_its_result_or_error(run, rng):
    """A job that ends in time gives its result or its error, at the moment at which it ends."""
    patience, later = rng.randint(1, 6), rng.randint(2, 5)
    trace = await run(limited, patience=patience, timeout=patience + later, world=calls(finish=0.625))
    assert trace.outcomes("finish") == ["done"]
    assert trace.result == trace.all_given("finish")[0]
    assert trace.elapsed == patience + 0.625
    trace = await run(limited, patience=patience, timeout=patience + later, world=calls(finish=call(0.625, None)))
    assert trace.result is None
    word = f"error {rng.randrange(10**6)}"
    trace = await run(an_error_returned, name="stop_after", word=word)
    assert trace.result == ["returned", word]
    for cls in (TimeoutError, rng.choice([ValueError, KeyError, OSError])):
        world = calls(finish=call(0.625, error=cls))
        trace = await run(limited, patience=patience, timeout=patience + later, world=world, raises=cls)
        [given] = trace.all_given("finish")
        assert trace.error.holds(given), f"In time, the job raised {given!r}; what came out was {trace.error!r}."
        assert trace.elapsed == patience + 0.625


@timing
@points(2)
async def test_when_the_time_is_up_the_job_is_told_and_seen_out(run, rng):
    """At `timeout` seconds `stop` is set, and TimeoutError comes when the thread has ended, the loop free till then."""
    timeout, wind_down = rng.randint(1, 12) / 4, rng.randint(1, 3) + 0.125
    trace = await run(
        limited_beside_others, patience=60, timeout=timeout, world=calls(wind_down=wind_down), raises=TimeoutError
    )
    assert trace.noted_at("told") == [timeout]
    assert trace.elapsed == timeout + wind_down
    assert_loop_was_free(trace)
    trace = await run(
        limited_then_cancelled, timeout=0, moments=[], world=calls(wind_down=call(wind_down, None), finish=0.0)
    )
    ended = trace.ends("finish")
    assert not ended, f"With a timeout of 0 s the job was not told to stop: it went on to its end, at {ended[0]!r} s."
    assert trace.result == "TimeoutError or CancelledError", (
        f"With a timeout of 0 s it returned {trace.result!r}; it must raise TimeoutError."
    )


@result
async def test_a_value_given_too_late_does_not_count(run, rng):
    """When the time was up TimeoutError is raised, even if the job returns a value on being told to stop."""
    trace = await run(
        limited,
        patience=60,
        timeout=rng.randint(1, 5),
        world=calls(wind_down=call(0.0, rng.randint(1, 99))),
        raises=TimeoutError,
    )
    assert trace.outcomes("wind_down") == ["done"]
    world = calls(wind_down=0.0, finish=0.5)
    trace = await run(limited_again_and_again, patience=2, timeout=rng.randint(1, 5), world=world)
    assert len(trace.noted("time was up")) == 1
    told = len(trace.noted("told"))
    assert told == 1, f"Of three jobs one did not end in time, and {told} were told to stop: each needs its own `stop`."
    assert trace.outcomes("finish") == ["done", "done"]
    assert trace.result == trace.all_given("finish")


@cancellation
@points(2)
async def test_cancelled_it_tells_the_job_and_sees_it_out(sweep, rng):
    """Cancelled at any point, it sets `stop` at once, waits for the thread, and ends in CancelledError."""
    patience = rng.randint(2, 3)
    world = calls(wind_down=call(2.0, error=rng.choice([ValueError, KeyError, OSError])), finish=1.0)
    for trace in await sweep(limited, patience=patience, timeout=30, world=world, uncalled=["wind_down"]):
        assert_ended_in_cancelled_error(trace)
        if trace.struck_at < patience:
            assert trace.noted_at("told") == [trace.struck_at]
            assert trace.elapsed == trace.struck_at + 2.0
        else:
            assert trace.elapsed == patience + 1.0


@scenario
async def limited_impatiently(kata, stage, *, timeout, moments):
    return await cancel_at(stage, kata.stop_after(watchful(stage, 60), timeout), *moments)


@cancellation
async def test_a_second_cancel_does_not_get_out(run, rng):
    """A second cancel does not get out before the thread has ended."""
    first = rng.randint(4, 12) / 4
    trace = await run(
        limited_impatiently,
        timeout=30,
        moments=[first, first + rng.randint(1, 6) / 4, first + 1.75],
        world=calls(wind_down=2.0),
        raises="asyncio.CancelledError",
    )
    assert trace.noted_at("told") == [first]
    assert trace.noted_at("over") == [first + 2.0]


@scenario
async def limited_then_cancelled(kata, stage, *, timeout, moments):
    try:
        return await cancel_at(stage, kata.stop_after(watchful(stage, 60), timeout), *moments)
    except (TimeoutError, asyncio.CancelledError):
        return "TimeoutError or CancelledError"


@cancellation
async def test_a_cancel_after_the_timeout_waits_for_the_thread_too(run, rng):
    """A cancel that comes when the time is up already does not get out before the thread has ended."""
    timeout = rng.randint(4, 12) / 4
    trace = await run(
        limited_then_cancelled,
        timeout=timeout,
        moments=[timeout + rng.randint(1, 7) / 4],
        world=calls(wind_down=2.0),
    )
    assert trace.noted_at("over") == [timeout + 2.0]
    assert trace.result == "TimeoutError or CancelledError"
