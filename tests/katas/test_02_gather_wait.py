"""The suite of 02_gather_wait: many visits at the same time, and what becomes of the rest of them."""

import asyncio
from itertools import cycle

from checker.suite import Error, call, calls, cancellation, ordering, points, result, scenario, timing


def addresses(rng, count):
    """So many urls that nobody can know."""
    return [f"/{rng.randrange(10**4, 10**5)}/{place}" for place in range(count)]


def moments(rng, count, *, least=1, most=40):
    """So many different delays, 1/32 s or more apart, all odd multiples of 1/64 s.

    Who looks every so often, in any round number of seconds, looks too late.
    """
    return [(number * 8 + rng.choice((1, 3, 5, 7))) / 64 for number in rng.sample(range(least, most), count)]


def cleanups_of(rng, count):
    """So many different times to clean up; after any of the moments, they end where nobody looks, either.

    The last of them is far longer than anybody waits who does not wait to the end.
    """
    *short, long = (seconds / 2 for seconds in moments(rng, count))
    return [*short, long + 40.0]


def crowd(rng):
    """A number of visits so high that nobody runs as many at the same time by accident."""
    return rng.randint(20, 25)


def rises(trace, failure):
    """The error that came out is this one, bare or in a group."""
    assert trace.error.holds(failure), f"It should have raised {failure!r}; it raised {trace.error!r}."


def leaves_cleanup_alone(trace):
    """Nobody's cleanup was broken off."""
    cut = len(trace.interrupted())
    assert not cut, f"{cut} of {trace.count('visit')} visits had their cleanup cut off by a second cancellation."


@scenario
async def visits(kata, stage, *, function, urls, **rest):
    found = await getattr(kata, function)(stage.calls("visit"), urls, **rest)
    stage.note("urls afterwards", urls)
    return found


@scenario
async def visits_that_fail(kata, stage, *, function, urls, **rest):
    try:
        return await getattr(kata, function)(stage.calls("visit"), urls, **rest)
    except Exception as error:
        stage.note("raised", error)


def value_error(rng):
    """An error object, for a visit to return it: a result like any other."""
    word = f"word {rng.randrange(10**6)}"
    return Error("LookupError", ("LookupError",), word, (word,))


@scenario
async def visits_with_errors(kata, stage, *, function, urls, group_of=None, **rest):
    """Errors are what visits bring, returned or raised; notes the one that comes out, instead of a result."""
    ask, errors = stage.calls("visit"), []

    async def visit(url):
        try:
            page = await ask(url)
        except Exception as error:
            errors.append(error)
            raise
        if url == group_of:
            errors.append(ExceptionGroup(page, [ValueError(page)]))
            stage.note("group", errors[-1])
            raise errors[-1]
        if isinstance(page, Exception):
            errors.append(page)
        return page

    try:
        return await getattr(kata, function)(visit, urls, **rest)
    except Exception as error:
        if not any(error is one for one in errors):
            raise
        stage.note("came out", error)


def keeps_errors(trace, function, how):
    """No error that a visit brought was raised; `how` it brought it, in words."""
    for error in trace.noted("came out"):
        assert not error, f"A visit {how} {error!r}, which is its result; `{function}` raised it."


@scenario
async def visits_in_a_task(kata, stage, *, function, urls, **rest):
    task = stage.target(asyncio.ensure_future(getattr(kata, function)(stage.calls("visit"), urls, **rest)))
    await asyncio.wait([task])
    return task.result()


# --- visit_all -----------------------------------------------------------------------------------------


@timing
@points(2)
async def test_all_visits_overlap(run, rng):
    """`visit_all` runs all visits at the same time: it takes as long as the longest; without urls, no time."""
    urls = addresses(rng, crowd(rng))
    delays = moments(rng, len(urls))
    world = calls(visit=dict(zip(urls, delays, strict=True)))
    trace = await run(visits, function="visit_all", urls=urls, world=world)
    assert trace.elapsed == max(delays)
    assert trace.peak("visit") == len(urls)
    trace = await run(visits, function="visit_all", urls=[], world=world)
    assert trace.result == []
    assert trace.elapsed == 0.0


@result
@points(2)
async def test_results_stand_in_the_order_of_the_urls(run, rng):
    """`visit_all` returns the results in the order of the urls, whichever visit ends first."""
    urls = addresses(rng, rng.randint(4, 6))
    delays = sorted(moments(rng, len(urls)), reverse=True)
    delays[0], delays[1] = delays[1], delays[0]
    world = dict(zip(urls, delays, strict=True))
    world |= {urls[1]: call(delays[1], None), urls[2]: call(delays[2], 0)}  # results, too
    trace = await run(visits, function="visit_all", urls=urls, world=calls(visit=world))
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.noted("urls afterwards") == [urls]
    world[urls[2]] = call(delays[2], value_error(rng))
    trace = await run(visits_with_errors, function="visit_all", urls=urls, world=calls(visit=world))
    keeps_errors(trace, "visit_all", "returned")
    assert trace.result == [trace.given("visit", url) for url in urls]
    parts = [urls[3::-2], urls[2::-2]]  # those of the two end in turn
    world = calls(visit=dict(zip(urls, delays, strict=True)))
    trace = await run(overlapping_calls, function="visit_all", parts=parts, world=world)
    expected = [[trace.given("visit", url) for url in part] for part in parts]
    assert trace.result == expected, (
        f"`visit_all` was called for {parts[0]} and, at the same time, for {parts[1]}: "
        f"expected {expected}, saw {trace.result}."
    )


@scenario
async def two_calls(kata, stage, *, function, parts, **rest):
    """The second call knows nothing of the first."""
    return [await getattr(kata, function)(stage.calls("visit"), part, **rest) for part in parts]


@scenario
async def overlapping_calls(kata, stage, *, function, parts, after=0.0, **rest):
    """The second call, made so many seconds after the first, knows nothing of it."""

    async def one(part, delay):
        await asyncio.sleep(delay)
        return await getattr(kata, function)(stage.calls("visit"), part, **rest)

    return await asyncio.gather(one(parts[0], 0.0), one(parts[1], after))


def brought_by_both(trace, function, url):
    """What the two visits of this url brought, in the order in which they were begun."""
    brought = [span.value for span in trace.calls("visit") if span.key == url]
    assert len(brought) == 2, f"`{function}` visited {len(brought)} times a url that was given 2 times."
    return brought


@result
async def test_a_url_that_stands_twice_is_visited_twice(run, rng):
    """A url that stands in a list twice is visited twice, each with a result of its own; so is one in two lists."""
    twice, once = addresses(rng, 2)
    world = calls(visit={twice: 2.0, once: rng.choice([1.0, 3.0])})
    for function in ("visit_all", "visit_settled", "visit_or_abandon"):
        trace = await run(visits, function=function, urls=[twice, once, twice], world=world)
        first, second = brought_by_both(trace, function, twice)
        alone = trace.given("visit", once)
        assert trace.result in ([first, alone, second], [second, alone, first])
        trace = await run(two_calls, function=function, parts=[[twice], [once, twice]], world=world)
        first, second = brought_by_both(trace, function, twice)
        assert trace.result == [[first], [trace.given("visit", once), second]]
    world = calls(visit={twice: 2.0, once: 1.0})
    trace = await run(visits, function="first_visit", urls=[twice, once, twice], world=world)
    brought_by_both(trace, "first_visit", twice)
    assert trace.result in [span.value for span in trace.calls("visit") if span.outcome == "done"]
    trace = await run(two_calls, function="first_visit", parts=[[twice], [twice]], world=world)
    assert trace.result == brought_by_both(trace, "first_visit", twice)
    trace = await run(two_calls, function="visit_groups", parts=[{"a": [twice]}, {"b": [twice]}], world=world)
    first, second = brought_by_both(trace, "visit_groups", twice)
    assert trace.result == [{"a": [first]}, {"b": [second]}]
    trace = await run(two_calls, function="split_at", parts=[[twice], [twice]], deadline=3.0, world=world)
    brought_by_both(trace, "split_at", twice)
    for span in trace.calls("visit"):
        assert span.outcome == "done", (
            f"`split_at` was called twice for {twice}, whose visit takes 2 s, with a deadline of 3 s; the visit begun "
            f"at {span.start!r} s was {span.outcome} at {span.end!r} s."
        )
    assert trace.result == [({twice: span.value}, []) for span in trace.calls("visit")]


@result
async def test_the_error_of_a_failed_visit_is_raised(run, rng):
    """The error of a failed visit comes out of `visit_all`."""
    urls = addresses(rng, rng.randint(3, 5))
    bad = rng.choice(urls)
    world = calls(visit={url: call(6.0, error=LookupError) if url == bad else 2.0 for url in urls})
    trace = await run(visits, function="visit_all", urls=urls, world=world, raises=LookupError)
    rises(trace, trace.given("visit", bad))
    await check_two_failures(run, "visit_all", urls, allow=("complaints",))  # nobody need ask for the other one


async def check_two_failures(run, function, urls, allow=()):
    """Two fail at the same moment: one of their errors comes out, or both in a group."""
    world = calls(visit={url: call(2.0, error=LookupError) if url in urls[-2:] else 4.0 for url in urls})
    trace = await run(visits, function=function, urls=urls, world=world, raises=Exception, allow=allow)
    errors = [trace.given("visit", url) for url in urls[-2:]]
    assert any(trace.error.holds(error) for error in errors), (
        f"It should have raised {errors[0]!r} or {errors[1]!r}; it raised {trace.error!r}."
    )


@cancellation
async def test_a_failure_leaves_no_other_visit_running(run, rng):
    """When a visit fails, `visit_all` cancels those still running, and raises once they have ended."""
    urls = addresses(rng, 5)
    early, bad, *late = rng.sample(urls[1:], 4)
    late.append(urls[0])  # so that who awaits them in order waits for one that does not end by itself
    [moment] = moments(rng, 1, least=9, most=20)
    world = calls(visit={early: 1.0, bad: call(moment, error=ValueError), **dict.fromkeys(late, 9.0)})
    trace = await run(visits, function="visit_all", urls=urls, world=world, raises=ValueError)
    rises(trace, trace.given("visit", bad))
    assert trace.elapsed == moment
    assert [trace.call("visit", url).outcome for url in (early, *late)] == ["done"] + ["cancelled"] * 3


@cancellation
@points(2)
async def test_cancelled_it_leaves_no_visit_running(sweep, rng):
    """Cancelled at any point, `visit_all` ends with CancelledError, and no visit runs on."""
    urls = addresses(rng, 3)
    world = calls(visit=dict(zip(urls, moments(rng, 3), strict=True)))
    for trace in await sweep(visits_in_a_task, function="visit_all", urls=urls, world=world):
        assert trace.elapsed == trace.struck_at


# --- visit_groups --------------------------------------------------------------------------------------


@scenario
async def group_visits(kata, stage, *, groups):
    found = await kata.visit_groups(stage.calls("visit"), groups)
    stage.note("groups afterwards", groups)
    return found


@scenario
async def group_visits_in_a_task(kata, stage, *, groups):
    task = stage.target(asyncio.ensure_future(kata.visit_groups(stage.calls("visit"), groups)))
    await asyncio.wait([task])
    return task.result()


def grouped(rng, *sizes):
    """Groups of these sizes; their names come in no order that anything could sort them into."""
    urls = iter(addresses(rng, sum(sizes)))
    names = [f"{letter}-{rng.randrange(1000)}" for letter in "zamkb"]
    return {name: [next(urls) for _ in range(size)] for name, size in zip(names, sizes, strict=False)}


@timing
async def test_all_groups_overlap(run, rng):
    """`visit_groups` runs the visits of all groups at the same time."""
    groups = grouped(rng, 2, crowd(rng), rng.randint(1, 3))
    urls = [url for members in groups.values() for url in members]
    delays = moments(rng, len(urls))
    trace = await run(group_visits, groups=groups, world=calls(visit=dict(zip(urls, delays, strict=True))))
    assert trace.elapsed == max(delays)
    assert trace.peak("visit") == len(urls)


@result
async def test_each_group_has_its_own_results(run, rng):
    """`visit_groups` puts each group's results under its name, in the order of its urls; an empty group has none."""
    groups = grouped(rng, 3, 0, rng.randint(1, 3))
    urls = [url for members in groups.values() for url in members]
    delays = sorted(moments(rng, len(urls)), reverse=True)
    trace = await run(group_visits, groups=groups, world=calls(visit=dict(zip(urls, delays, strict=True))))
    assert trace.result == {name: [trace.given("visit", url) for url in group] for name, group in groups.items()}
    assert trace.noted("groups afterwards") == [groups]
    empty = grouped(rng, 0, 0)
    trace = await run(group_visits, groups=empty)
    assert trace.result == empty
    assert trace.elapsed == 0.0


@ordering
async def test_groups_keep_their_order(run, rng):
    """`visit_groups` keeps the order of the groups, whichever is complete first; without groups, none, at once."""
    groups = grouped(rng, 1, 2, 1, 2)
    urls = [url for members in groups.values() for url in members]
    delays = dict(zip(urls, sorted(moments(rng, len(urls)), reverse=True), strict=True))
    trace = await run(group_visits, groups=groups, world=calls(visit=delays))
    assert trace.result == {name: [trace.given("visit", url) for url in group] for name, group in groups.items()}
    found = list(trace.result)
    assert found == list(groups), f"The groups should stand in the order {list(groups)}, not {found}."
    trace = await run(group_visits, groups={}, world=calls(visit=delays))
    assert trace.result == {}
    assert trace.elapsed == 0.0


@cancellation
async def test_a_failure_ends_all_groups(run, rng):
    """When a visit fails, `visit_groups` cancels those still running in every group, and raises its error."""
    groups = grouped(rng, 2, 2, 2)
    urls = [url for members in groups.values() for url in members]
    bad = rng.choice(urls[2:])
    [moment] = moments(rng, 1, least=9, most=20)
    world = calls(visit={url: call(moment, error=ValueError) if url == bad else 9.0 for url in urls})
    trace = await run(group_visits, groups=groups, world=world, raises=ValueError)
    rises(trace, trace.given("visit", bad))
    assert trace.elapsed == moment
    assert sorted(trace.outcomes("visit")) == ["cancelled"] * 5 + ["failed"], (
        f"One of 6 visits failed: the other 5 should have been cancelled; they ended {trace.outcomes('visit')}."
    )


@cancellation
async def test_cancelled_it_leaves_no_group_running(sweep, rng):
    """Cancelled at any point, `visit_groups` ends with CancelledError, and no visit runs on."""
    groups = grouped(rng, 1, 2)
    urls = [url for members in groups.values() for url in members]
    world = calls(visit=dict(zip(urls, moments(rng, 3), strict=True)))
    for trace in await sweep(group_visits_in_a_task, groups=groups, world=world):
        assert trace.elapsed == trace.struck_at


# --- visit_settled -------------------------------------------------------------------------------------


@result
@points(2)
async def test_a_failure_takes_its_own_place(run, rng):
    """In `visit_settled` the exception of a failed visit stands in its place, and all others their results."""
    urls = addresses(rng, 5)
    delays = moments(rng, 5)
    delays = dict(zip(urls, delays, strict=True))
    one, other, nothing, zero, _ = rng.sample(urls, 5)
    world = delays | {one: call(delays[one], error=ValueError), other: call(delays[other], error=OSError)}
    world |= {nothing: call(delays[nothing], None), zero: call(delays[zero], 0)}  # results, too
    trace = await run(visits, function="visit_settled", urls=urls, world=calls(visit=world))
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.noted("urls afterwards") == [urls]
    kinds = rng.sample([OSError, LookupError, RuntimeError, ArithmeticError, TimeoutError], 5)
    failing = calls(visit={url: call(delays[url], error=kind) for url, kind in zip(urls, kinds, strict=True)})
    for all_fail in (urls, [one]):
        trace = await run(visits_with_errors, function="visit_settled", urls=all_fail, world=failing)
        keeps_errors(trace, "visit_settled", "failed with")
        assert trace.result == [trace.given("visit", url) for url in all_fail]
    grouped = urls.index(other)
    world = calls(visit=delays)
    trace = await run(visits_with_errors, function="visit_settled", urls=urls, group_of=other, world=world)
    keeps_errors(trace, "visit_settled", "failed with")
    [group] = trace.noted("group")
    expected = [group if url == other else trace.given("visit", url) for url in urls]
    saw = trace.result
    assert saw == expected, (
        f"The visit at place {grouped} failed with {group!r}, a group of one error, which should stand there as it is: "
        f"expected {expected}, saw {saw}."
    )


@timing
async def test_a_failure_disturbs_nobody(run, rng):
    """`visit_settled` takes as long as the longest visit, whoever fails before; without urls, no time."""
    urls = addresses(rng, crowd(rng))
    [longest] = moments(rng, 1, least=24, most=72)
    world = calls(visit={url: call(1.0, error=ValueError) for url in urls} | {urls[1]: longest})
    trace = await run(visits, function="visit_settled", urls=urls, world=world)
    assert trace.elapsed == longest
    assert trace.peak("visit") == len(urls)
    trace = await run(visits, function="visit_settled", urls=[], world=world)
    assert trace.result == []
    assert trace.elapsed == 0.0


@cancellation
async def test_a_cancellation_does_not_settle(sweep, rng):
    """Cancelled at any point, `visit_settled` ends with CancelledError, and no visit runs on."""
    urls = addresses(rng, 3)
    first, second, third = sorted(moments(rng, 3))
    world = calls(visit={urls[0]: second, urls[1]: call(first, error=ValueError), urls[2]: third})
    for trace in await sweep(visits_in_a_task, function="visit_settled", urls=urls, world=world):
        assert trace.elapsed == trace.struck_at


# --- visit_or_abandon ----------------------------------------------------------------------------------


def slow_to_end(rng, delay=20.0, **how):
    """A visit that takes its time to clean up."""
    return call(delay, cleanup=rng.randint(1, 24) / 8, **how)


@result
async def test_without_a_failure_all_results_are_there(run, rng):
    """Without a failure `visit_or_abandon` returns all results, in the order of the urls."""
    urls = addresses(rng, crowd(rng))
    delays = sorted(moments(rng, len(urls)), reverse=True)
    world = calls(visit=dict(zip(urls, delays, strict=True)))
    trace = await run(visits, function="visit_or_abandon", urls=urls, world=world)
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.noted("urls afterwards") == [urls]
    assert trace.elapsed == max(delays)
    odd = calls(visit=dict(zip(urls[:3], [call(1.0, None), call(2.0, 0), 3.0], strict=True)))
    trace = await run(visits, function="visit_or_abandon", urls=urls[:3], world=odd)
    assert trace.result == [trace.given("visit", url) for url in urls[:3]]
    trace = await run(visits, function="visit_or_abandon", urls=[], world=world)
    assert trace.result == []
    assert trace.elapsed == 0.0


@cancellation
@points(2)
async def test_a_failure_is_raised_after_the_cleanup(run, rng):
    """`visit_or_abandon` cancels the rest at the first failure, waits for its cleanup, then raises that failure."""
    urls = addresses(rng, 5)
    early, bad, *late = rng.sample(urls, 5)
    cleanups = cleanups_of(rng, 3)
    [moment] = moments(rng, 1, least=9, most=20)
    world = {url: call(9.0, error=KeyError, cleanup=long) for url, long in zip(late, cleanups, strict=True)}
    world |= {early: 1.0, bad: call(moment, error=ValueError)}
    trace = await run(visits, function="visit_or_abandon", urls=urls, world=calls(visit=world), raises=ValueError)
    rises(trace, trace.given("visit", bad))
    leaves_cleanup_alone(trace)
    for url in late:
        at = trace.call("visit", url).cancelled_at
        what = "never" if at is None else f"at {at!r} s"
        assert at == moment, f"The visit of {url} should be cancelled at {moment} s; it was {what}."
    assert trace.elapsed == moment + max(cleanups)
    before, bad, after = urls[:3]
    world = {url: slow_to_end(rng, then="raises", error=OSError) for url in (before, after)}
    world[bad] = call(moment, error=ValueError)
    data = {"function": "visit_or_abandon", "urls": urls[:3]}
    trace = await run(visits_that_fail, **data, world=calls(visit=world), allow=("complaints",))
    failure = trace.given("visit", bad)
    assert any(error.holds(failure) for error in trace.noted("raised")), (
        f"The first failure, at {moment} s, was {failure!r}; two others failed in their cleanup, after that. "
        f"`visit_or_abandon` raised {trace.noted('raised') or 'nothing'}."
    )


@cancellation
async def test_cancelled_it_waits_for_the_cleanup(sweep, rng):
    """Cancelled at any point, `visit_or_abandon` cancels the visits, and ends when all have cleaned up."""
    urls = addresses(rng, 3)
    world = calls(visit={urls[0]: slow_to_end(rng, 4.0), urls[1]: slow_to_end(rng, 2.0), urls[2]: slow_to_end(rng)})
    for trace in await sweep(visits_in_a_task, function="visit_or_abandon", urls=urls, world=world):
        leaves_cleanup_alone(trace)


@cancellation
async def test_cancelled_in_the_cleanup_it_still_waits(sweep, rng):
    """Cancelled while it waits for the cleanup after a failure, `visit_or_abandon` waits for it all the same."""
    urls = addresses(rng, 4)
    rng.shuffle(urls)
    world = {url: slow_to_end(rng) for url in urls} | {urls[0]: call(1.0, error=ValueError)}
    swept = await sweep(
        visits_in_a_task, function="visit_or_abandon", urls=sorted(urls), world=calls(visit=world), raises=ValueError
    )
    for trace in swept:
        leaves_cleanup_alone(trace)


# --- first_visit ---------------------------------------------------------------------------------------


def is_won_by(trace, winner):
    """The result is what the visit of that url brought."""
    first = trace.call("visit", winner)
    assert trace.result == first.value, (
        f"The visit that finished first, at {first.end!r} s, brought {first.value!r}; it returned {trace.result!r}."
    )


@result
@points(2)
async def test_the_first_to_finish_wins(run, rng):
    """`first_visit` returns the result of whichever visit finishes first, even where a later one fails."""
    urls = addresses(rng, rng.randint(3, 6))
    winner = rng.choice(urls[1:])
    delays = {url: 1.0 if url == winner else rng.randint(9, 40) / 8 for url in urls}
    world = {url: call(delays[url], error=None if url == winner else OSError) for url in urls}
    trace = await run(visits, function="first_visit", urls=urls, world=calls(visit=world))
    is_won_by(trace, winner)
    assert trace.noted("urls afterwards") == [urls]
    for nothing in (None, 0, ""):
        world[winner] = call(1.0, nothing)
        trace = await run(visits, function="first_visit", urls=urls, world=calls(visit=world))
        is_won_by(trace, winner)
    trace = await run(visits, function="first_visit", urls=urls[:1], world=calls(visit=call(2.0, None)))
    is_won_by(trace, urls[0])
    world[winner] = call(1.0, value_error(rng))
    trace = await run(visits_with_errors, function="first_visit", urls=urls, world=calls(visit=world))
    keeps_errors(trace, "first_visit", "returned")
    is_won_by(trace, winner)


@timing
async def test_it_is_over_with_the_first(run, rng):
    """`first_visit` runs all visits at the same time, and is over when the first of them is."""
    urls = addresses(rng, crowd(rng))
    delays = sorted(moments(rng, len(urls), least=2), reverse=True)
    trace = await run(
        visits, function="first_visit", urls=urls, world=calls(visit=dict(zip(urls, delays, strict=True)))
    )
    assert trace.peak("visit") == len(urls)
    assert trace.elapsed == min(delays)


@result
async def test_the_first_to_finish_may_fail(run, rng):
    """If the first visit to finish failed, `first_visit` raises its error, whoever succeeds later."""
    urls = addresses(rng, 4)
    bad = rng.choice(urls[1:])
    world = calls(visit={url: call(1.5, error=LookupError) if url == bad else 4.0 for url in urls})
    trace = await run(visits, function="first_visit", urls=urls, world=world, raises=LookupError)
    rises(trace, trace.given("visit", bad))
    assert trace.elapsed == 1.5
    await check_two_failures(run, "first_visit", urls)


@cancellation
@points(2)
async def test_the_others_have_cleaned_up(run, rng):
    """`first_visit` cancels the others once, and returns when all of them have cleaned up."""
    urls = addresses(rng, 4)
    winner = rng.choice(urls[1:])
    losers = [url for url in urls if url != winner]
    cleanups = cleanups_of(rng, 3)
    world = {url: call(9.0, cleanup=long) for url, long in zip(losers, cleanups, strict=True)} | {winner: 1.0}
    trace = await run(visits, function="first_visit", urls=urls, world=calls(visit=world))
    is_won_by(trace, winner)
    leaves_cleanup_alone(trace)
    assert trace.elapsed == 1.0 + max(cleanups)


@cancellation
async def test_a_loser_that_fails_in_its_cleanup_changes_nothing(run, rng):
    """An error that one of the others raises in its cleanup is retrieved by `first_visit`, and not raised."""
    urls = addresses(rng, 4)
    winner = rng.choice(urls[1:])
    losers = [url for url in urls if url != winner]
    world = {url: slow_to_end(rng) for url in losers} | {winner: 1.0}
    failing, returning = rng.sample(losers, 2)
    world[failing] = slow_to_end(rng, then="raises", error=OSError)
    world[returning] = slow_to_end(rng, then="returns")
    trace = await run(visits, function="first_visit", urls=urls, world=calls(visit=world))
    is_won_by(trace, winner)
    world[winner] = call(1.0, error=LookupError)
    trace = await run(visits, function="first_visit", urls=urls, world=calls(visit=world), raises=LookupError)
    rises(trace, trace.given("visit", winner))


@cancellation
async def test_cancelled_the_race_is_off(sweep, rng):
    """Cancelled at any point, also in the others' cleanup, `first_visit` ends with CancelledError after it."""
    urls = addresses(rng, 3)
    world = {url: slow_to_end(rng) for url in urls} | {rng.choice(urls[1:]): call(2.0, cleanup=0.5)}
    for trace in await sweep(visits_in_a_task, function="first_visit", urls=urls, world=calls(visit=world)):
        leaves_cleanup_alone(trace)


# --- split_at ------------------------------------------------------------------------------------------


@result
@points(2)
async def test_the_deadline_parts_the_urls(run, rng):
    """`split_at` returns the results of those in time by url, and the urls of those that are late."""
    *urls, another = addresses(rng, 5)
    in_time = rng.sample(urls, 2)
    delays = {url: rng.randint(1, 15) / 8 if url in in_time else rng.randint(17, 40) / 8 for url in urls}
    odd = {url: call(delays[url], value) for url, value in zip(in_time, (None, 0), strict=True)}
    world = calls(visit=delays | odd)
    trace = await run(visits, function="split_at", urls=urls, deadline=2.0, world=world)
    are_done(trace, in_time, 2.0)
    found = {url: trace.given("visit", url) for url in urls if url in in_time}
    assert trace.result == (found, [url for url in urls if url not in in_time])
    assert trace.noted("urls afterwards") == [urls]
    late = [url for url in urls if url not in in_time]
    value = value_error(rng)
    world = calls(visit=delays | {in_time[0]: call(delays[in_time[0]], value)})
    trace = await run(visits_with_errors, function="split_at", urls=urls, deadline=2.0, world=world)
    keeps_errors(trace, "split_at", "returned")
    found = {url: trace.given("visit", url) for url in urls if url in in_time}
    assert trace.result == (found, late), (
        f"The visit of {in_time[0]}, which took {delays[in_time[0]]} s, returned {value!r}, a result like others; "
        f"with a deadline of 2 s, expected {(found, late)}, saw {trace.result}."
    )
    # A second call begins when those in time have ended, and the first still waits for the others.
    data = {"function": "split_at", "parts": [urls, [another]], "deadline": 2.0, "after": 1.9375}
    trace = await run(overlapping_calls, **data, world=calls(visit=delays | {another: 1.0}))
    found = {url: trace.given("visit", url) for url in urls if url in in_time}
    expected = [(found, late), ({another: trace.given("visit", another)}, [])]
    assert trace.result == expected, (
        f"`split_at` was called for {urls} and, 1.9375 s later, for {[another]}, with a deadline of 2 s each: "
        f"expected {expected}, saw {trace.result}."
    )


def are_done(trace, in_time, deadline):
    """The visits that end before the deadline have ended."""
    for url in in_time:
        visit = trace.call("visit", url)
        assert visit.outcome in ("done", "failed"), (
            f"The visit of {url} would have ended before the deadline, {deadline:g} s; it was {visit.outcome}, "
            f"at {visit.end!r} s."
        )


@ordering
async def test_both_parts_keep_the_order_of_the_input(run, rng):
    """In `split_at` those in time and those late stand in the order of the input, whoever finishes first."""
    urls = addresses(rng, 5)
    rng.shuffle(urls)
    delays = dict(zip(urls, [1.5, 9.0, 1.0, 8.0, 0.5], strict=True))
    trace = await run(visits, function="split_at", urls=urls, deadline=2.0, world=calls(visit=delays))
    are_done(trace, urls[::2], 2.0)
    assert trace.result == ({url: trace.given("visit", url) for url in urls[::2]}, urls[1::2])
    order = list(trace.result[0])
    assert order == urls[::2], f"Those in time should stand in the order {urls[::2]}, not {order}."


@timing
async def test_it_ends_at_the_deadline_or_with_the_last_visit(run, rng):
    """`split_at` ends at the deadline, or before it when all visits have finished; without urls, at once."""
    urls = addresses(rng, crowd(rng))
    early, deadline, last = (moments(rng, 1, least=least, most=least + 8)[0] for least in (8, 24, 72))
    delays = dict(zip(urls, cycle([2.0, last, early, 8.0]), strict=False))
    trace = await run(visits, function="split_at", urls=urls, deadline=deadline, world=calls(visit=delays))
    assert trace.elapsed == deadline
    assert trace.peak("visit") == len(urls)
    trace = await run(visits, function="split_at", urls=urls, deadline=last + 9.0, world=calls(visit=delays))
    assert trace.result == ({url: trace.given("visit", url) for url in urls}, [])
    assert trace.elapsed == last
    trace = await run(visits, function="split_at", urls=urls, deadline=0.5, world=calls(visit=delays))
    assert trace.result == ({}, urls)
    assert trace.elapsed == 0.5
    trace = await run(visits, function="split_at", urls=urls[:2], deadline=0.0, world=calls(visit=delays))
    assert trace.result == ({}, urls[:2]), (
        f"With a deadline of 0 s, visits that take 2 s and {last} s are late: "
        f"expected {({}, urls[:2])}, saw {trace.result}."
    )
    assert trace.elapsed == 0.0
    trace = await run(visits, function="split_at", urls=[], deadline=deadline)
    assert trace.result == ({}, [])
    assert trace.elapsed == 0.0


@result
async def test_a_failure_before_the_deadline_is_a_result(run, rng):
    """In `split_at` a visit that fails in time, be it with a TimeoutError, has its exception as its result."""
    one, late, good, other = addresses(rng, 4)
    urls = [one, late, good, other]
    for kind in (ValueError, rng.choice([LookupError, RuntimeError, ArithmeticError])):
        world = {one: call(1.0, error=kind), other: call(0.5, error=TimeoutError), good: 1.5, late: 4.0}
        trace = await run(visits_with_errors, function="split_at", urls=urls, deadline=2.0, world=calls(visit=world))
        keeps_errors(trace, "split_at", "failed in time with")
        are_done(trace, (one, good, other), 2.0)
        assert trace.result == ({url: trace.given("visit", url) for url in (one, good, other)}, [late])
    trace = await run(visits, function="split_at", urls=urls, deadline=9.0, world=calls(visit=world))
    assert trace.result == ({url: trace.given("visit", url) for url in urls}, [])


@cancellation
@points(2)
async def test_the_late_are_cancelled_and_cleaned_up(run, rng):
    """`split_at` cancels the late at the deadline, once, and returns when all have cleaned up; they remain late."""
    urls = addresses(rng, 4)
    early, *late = rng.sample(urls, 4)
    [deadline] = moments(rng, 1, least=9, most=20)
    cleanups = cleanups_of(rng, 3)
    world = {url: call(20.0, cleanup=long) for url, long in zip(late, cleanups, strict=True)} | {early: 1.0}
    world[late[0]] = call(20.0, cleanup=cleanups[0], then="returns")
    trace = await run(visits, function="split_at", urls=urls, deadline=deadline, world=calls(visit=world))
    leaves_cleanup_alone(trace)
    for url in late:
        at = trace.call("visit", url).cancelled_at
        what = "never" if at is None else f"at {at!r} s"
        assert at == deadline, f"The visit of {url} was late and should be cancelled at {deadline} s; it was {what}."
    assert trace.elapsed == deadline + max(cleanups)
    parted = ({early: trace.given("visit", early)}, [url for url in urls if url in late])
    assert trace.result == parted, (
        f"At the deadline, {deadline} s, only {early!r} had finished ({late[0]!r} returned in its cleanup, "
        f"at {trace.call('visit', late[0]).end!r} s): expected {parted}, saw {trace.result}."
    )
    world[late[1]] = call(20.0, cleanup=cleanups[1], then="raises", error=OSError)
    data = {"function": "split_at", "urls": urls, "deadline": deadline}
    trace = await run(visits_that_fail, **data, world=calls(visit=world), allow=("complaints",))
    raised, failed = trace.noted("raised"), trace.call("visit", late[1]).end
    assert not raised, (
        f"{late[1]!r}, late at the deadline, {deadline} s, failed in its cleanup, at {failed!r} s: it is one of the "
        f"late all the same. `split_at` raised {raised[0]!r}."
    )
    parted = ({early: trace.given("visit", early)}, parted[1])
    assert trace.result == parted, (
        f"{late[1]!r}, late at the deadline, {deadline} s, failed in its cleanup, at {failed!r} s: "
        f"expected {parted}, saw {trace.result}."
    )


@cancellation
async def test_cancelled_nobody_is_split(sweep, rng):
    """Cancelled at any point, also in the cleanup of the late, `split_at` ends with CancelledError after it."""
    urls = addresses(rng, 3)
    world = {url: slow_to_end(rng) for url in urls} | {rng.choice(urls): call(1.0, cleanup=0.5)}
    swept = await sweep(visits_in_a_task, function="split_at", urls=urls, deadline=2.0, world=calls(visit=world))
    for trace in swept:
        leaves_cleanup_alone(trace)
