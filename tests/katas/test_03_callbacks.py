"""The suite of 03_callbacks: tasks with names, and a report of the end of each, however it ends."""

import asyncio

from checker.suite import Error, call, calls, cancellation, ordering, points, result, scenario, timing


def addresses(rng, count):
    """So many urls that nobody can know."""
    return [f"/{rng.randrange(10**5)}/{place}" for place in range(count)]


def moments(rng, count):
    """So many different delays, 1/32 s or more apart, all odd multiples of 1/64 s.

    Who looks every so often, in any round number of seconds, looks too late.
    """
    return [(number * 8 + rng.choice((1, 3, 5, 7))) / 64 for number in rng.sample(range(1, 40), count)]


def raises_own(trace, failure):
    """The error that came out is the visit's, bare or in a group."""
    assert trace.error.holds(failure), f"It should have raised {failure!r}; it raised {trace.error!r}."


# --- launch --------------------------------------------------------------------------------------------


@scenario
async def launch(kata, stage, *, urls):
    tasks = kata.launch(stage.calls("visit"), urls)
    stage.blocking("a second in which nothing can start")()
    names = {url: [isinstance(task, asyncio.Task), task.get_name()] for url, task in tasks.items()}
    return [names, urls, {url: await task for url, task in tasks.items()}]


@scenario
async def launch_twice(kata, stage, *, parts):
    """A second call knows nothing of the first; gives the urls of each."""
    launched = [kata.launch(stage.calls("visit"), part) for part in parts]
    await asyncio.wait([task for tasks in launched for task in tasks.values()])
    return [sorted(tasks) for tasks in launched]  # whose order is left open


SECOND = calls(**{"a second in which nothing can start": 1.0})


@timing
@points(2)
async def test_launch_returns_before_any_visit_has_started(run, rng):
    """`launch` returns at once, before any visit has started; then all visits run at the same time."""
    urls = addresses(rng, rng.randint(3, 6))
    delays = moments(rng, len(urls))
    world = SECOND | calls(visit=dict(zip(urls, delays, strict=True)))
    trace = await run(launch, urls=urls, world=world, allow=("blocked",))
    early = sum(start < 1.0 for start in trace.starts("visit"))
    assert not early, f"{early} of {len(urls)} visits had started when `launch` returned; expected 0."
    assert trace.peak("visit") == len(urls)
    assert trace.elapsed == 1.0 + max(delays)


@result
async def test_the_tasks_are_named_after_their_urls(run, rng):
    """`launch` returns a Task for each url, under that url and with that url as its name; without urls, none."""
    urls = addresses(rng, rng.randint(3, 5))
    trace = await run(launch, urls=urls, world=SECOND | calls(visit=1.0), allow=("blocked",))
    assert trace.result[0] == {url: [True, url] for url in urls}, (
        f"Whether each is a Task, and its name: expected {[[True, url] for url in urls]},"
        f" saw {list(trace.result[0].values())}."
    )
    assert trace.result[1] == urls, f"The list of urls was changed: it was {urls}, it is {trace.result[1]}."
    trace = await run(launch, urls=[], world=SECOND, allow=("blocked",))
    assert trace.result == [{}, [], {}]
    parts = urls[:1], urls[1:]
    assert (await run(launch_twice, parts=parts, world=calls(visit=1.0))).result == [sorted(part) for part in parts]


@scenario
async def see_them_end(kata, stage, *, urls, cancel):
    tasks = kata.launch(stage.calls("visit"), urls)
    await asyncio.sleep(1)
    tasks[cancel].cancel()
    await asyncio.wait(tasks.values())
    ended = {}
    for url, task in tasks.items():
        if task.cancelled():
            ended[url] = ["cancelled"]
        elif (error := task.exception()) is not None:
            ended[url] = ["raised", error]
        else:
            ended[url] = ["returned", task.result()]
    return ended


@result
async def test_each_task_brings_what_its_visit_brings(run, rng):
    """The task of a url has its visit's result or error; cancelling it cancels that visit and no other."""
    urls = addresses(rng, 5)
    bad, cancelled, *good = rng.sample(urls, 5)
    delays = moments(rng, 3)
    world = calls(visit={bad: call(0.5, error=ValueError), cancelled: 9.0, **dict(zip(good, delays, strict=True))})
    trace = await run(see_them_end, urls=urls, cancel=cancelled, world=world)
    hit = [url for url in urls if trace.call("visit", url).outcome == "cancelled"]
    assert hit == [cancelled], f"The task of {cancelled!r} was cancelled, and no other; the visits cancelled: {hit}."
    brought = {url: ["returned", trace.given("visit", url)] for url in good}
    brought |= {bad: ["raised", trace.given("visit", bad)], cancelled: ["cancelled"]}
    for url in urls:
        saw = trace.result[url]
        assert saw == brought[url], f"How the task of {url!r} ended: expected {brought[url]}, saw {saw}."
    assert trace.call("visit", cancelled).cancelled_at == 1.0


# --- visit_and_report ----------------------------------------------------------------------------------


@scenario
async def report_one(kata, stage, *, url):
    try:
        return await kata.visit_and_report(stage.calls("visit"), url, stage.callback("report"))
    finally:
        stage.note("over")


@scenario
async def report_at_once(kata, stage, *, url):
    """A visit that has its page at hand, and waits for nothing."""

    async def visit(url):
        return f"page of {url}"

    page = await kata.visit_and_report(visit, url, stage.callback("report"))
    stage.note("over")
    return page


def comes_at_the_end(trace):
    """The reports were made when the visits ended."""
    ends, reported = sorted(trace.ends("visit")), list(trace.noted_at("report"))
    assert reported == ends, f"Visits ended at {ends} s, and were reported at {reported} s."


def in_this_order(trace):
    """The labels of what was noted, in order."""
    return [note.label for note in trace.notes]


@result
@points(2)
async def test_a_visit_that_goes_well_is_reported_ok(run, rng):
    """A visit that goes well is reported as "ok", exactly once, whatever its result, and its result is returned."""
    (url,) = addresses(rng, 1)
    trace = await run(report_one, url=url, world=calls(visit=rng.randint(1, 20) / 8))
    assert trace.noted("report") == [[url, "ok"]]
    assert trace.result == trace.given("visit", url)
    trace = await run(report_one, url=url, world=calls(visit=call(1.0, None)))
    assert trace.noted("report") == [[url, "ok"]], (
        f"A visit returned None, which is a result too: expected {[[url, 'ok']]}, saw {trace.noted('report')}."
    )
    assert trace.result is None, f"A visit returned None; `visit_and_report` returned {trace.result!r}."
    word = f"word {rng.randrange(10**6)}"
    value = Error("LookupError", ("LookupError",), word, (word,))
    trace = await run(report_one, url=url, world=calls(visit=call(1.0, value)))
    assert trace.noted("report") == [[url, "ok"]], (
        f"A visit returned the object {value!r}, which is a result too: expected {[[url, 'ok']]}, "
        f"saw {trace.noted('report')}."
    )
    assert trace.result == value


@result
async def test_a_visit_that_fails_is_reported_as_an_error(run, rng):
    """A visit that fails is reported as "error", exactly once, and its error is raised."""
    (url,) = addresses(rng, 1)
    usual, other = rng.choice([ValueError, OSError, KeyError]), rng.choice([RuntimeError, ArithmeticError])
    for failure in (usual, TimeoutError, other):
        world = calls(visit=call(rng.randint(1, 20) / 8, error=failure))
        trace = await run(report_one, url=url, world=world, raises=failure)
        assert trace.noted("report") == [[url, "error"]], (
            f"A visit failed with {trace.given('visit', url)!r}: expected the reports {[[url, 'error']]}, "
            f"saw {trace.noted('report')}."
        )
        raises_own(trace, trace.given("visit", url))


@timing
async def test_the_report_comes_when_the_visit_ends(run, rng):
    """The report is made at the moment when the visit ends, and `visit_and_report` takes no longer."""
    (url,) = addresses(rng, 1)
    [delay] = moments(rng, 1)
    trace = await run(report_one, url=url, world=calls(visit=delay))
    assert trace.noted_at("report") == [delay]
    assert trace.elapsed == delay
    trace = await run(report_one, url=url, world=calls(visit=call(delay, error=ValueError)), raises=ValueError)
    assert trace.noted_at("report") == [delay]
    assert trace.elapsed == delay


def is_told_before(trace, *, it):
    """One report was made, and only then it returned or raised."""
    made = len(trace.noted("report"))
    assert made == 1, f"Reports of one visit: expected 1, saw {made}."
    assert in_this_order(trace) == ["report", "over"], f"It {it} before its report had been made."


@ordering
async def test_the_report_comes_before_the_return(run, rng):
    """The report has been made when `visit_and_report` returns or raises."""
    (url,) = addresses(rng, 1)
    [delay] = moments(rng, 1)
    trace = await run(report_one, url=url, world=calls(visit=delay))
    is_told_before(trace, it="returned")
    trace = await run(report_one, url=url, world=calls(visit=call(delay, error=ValueError)), raises=ValueError)
    is_told_before(trace, it="raised")
    trace = await run(report_at_once, url=url)
    is_told_before(trace, it="returned")
    assert trace.result == f"page of {url}"


@cancellation
@points(2)
async def test_cancelled_it_reports_the_cancelled_visit(sweep, rng):
    """Cancelled at any point, `visit_and_report` reports the visit "cancelled", once, and ends with CancelledError."""
    (url,) = addresses(rng, 1)
    for trace in await sweep(report_one, url=url, world=calls(visit=rng.randint(4, 40) / 8)):
        assert trace.noted("report") == [[url, "cancelled"]]
        comes_at_the_end(trace)
        is_told_before(trace, it="raised")
    [cleanup] = moments(rng, 1)
    for trace in await sweep(report_one, url=url, world=calls(visit=call(9.0, cleanup=cleanup))):
        assert trace.noted("report") == [[url, "cancelled"]]
        end, at = trace.call("visit", url).end, trace.noted_at("report")[0]
        assert at == end, (
            f"The visit took {cleanup} s to clean up: it ended at {end!r} s and should be reported then, "
            f"but was at {at!r} s."
        )
        is_told_before(trace, it="raised")


@scenario
async def cancelled_by_others(kata, stage, *, url, after):
    visit = stage.calls("visit")
    tasks = []

    async def known_visit(url):
        tasks.append(asyncio.current_task())
        return await visit(url)

    own = asyncio.ensure_future(kata.visit_and_report(known_visit, url, stage.callback("report")))
    await asyncio.sleep(after)
    for task in tasks:
        task.cancel()
    await asyncio.wait([own])
    return own.cancelled() or own.result()


@cancellation
async def test_a_visit_that_somebody_else_cancels_is_reported_too(run, rng):
    """A visit whose task is cancelled by somebody else is reported as "cancelled"; CancelledError comes through."""
    (url,) = addresses(rng, 1)
    after = rng.randint(1, 20) / 8
    trace = await run(cancelled_by_others, url=url, after=after, world=calls(visit=9.0))
    assert trace.noted("report") == [[url, "cancelled"]]
    assert trace.noted_at("report") == [after]
    assert trace.result is True, "The visit was cancelled, but no CancelledError came out of `visit_and_report`."


# --- report_each ---------------------------------------------------------------------------------------


@scenario
async def report_all(kata, stage, *, urls):
    try:
        return await kata.report_each(stage.calls("visit"), urls, stage.callback("report"))
    finally:
        stage.note("over")
        stage.note("urls afterwards", urls)


def told(trace):
    """The reports that are due, in the order in which the visits ended."""
    ended = sorted(trace.calls("visit"), key=lambda span: float(span.end))
    words = {"done": "ok", "failed": "error", "cancelled": "cancelled"}
    return [[span.key, words[span.outcome]] for span in ended]


def reports_each_once(trace):
    """Every visit has been reported, in whatever order."""
    due = sorted(told(trace), key=repr)
    reported = sorted(trace.noted("report"), key=repr)
    assert reported == due, f"Reported by the time it ended: expected {due}, saw {reported}."


@timing
@points(2)
async def test_all_visits_overlap(run, rng):
    """`report_each` runs all visits at the same time: it takes as long as the longest; without urls, no time."""
    urls = addresses(rng, rng.randint(3, 6))
    delays = moments(rng, len(urls))
    world = calls(visit=dict(zip(urls, delays, strict=True)))
    trace = await run(report_all, urls=urls, world=world)
    assert trace.peak("visit") == len(urls)
    assert trace.elapsed == max(delays)
    trace = await run(report_all, urls=[], world=world)
    assert trace.result == []
    assert trace.elapsed == 0.0


@ordering
@points(2)
async def test_reports_come_in_finishing_order(run, rng):
    """`report_each` reports each visit at the moment it ends, so in finishing order, the last before it returns."""
    urls = addresses(rng, rng.randint(4, 6))
    delays = sorted(moments(rng, len(urls)), reverse=True)
    delays[0], delays[1] = delays[1], delays[0]
    trace = await run(report_all, urls=urls, world=calls(visit=dict(zip(urls, delays, strict=True))))
    assert trace.noted_at("report") == sorted(delays)
    reported = [report[0] for report in trace.noted("report") if report]
    ended = trace.order("visit", by="end")
    assert reported == ended, f"The visits ended in the order {ended}, but were reported in the order {reported}."
    assert in_this_order(trace)[len(urls)] == "over", "It returned before the last report had been made."


@result
async def test_each_report_has_its_own_url_and_outcome(run, rng):
    """`report_each` reports each visit exactly once, with its own url and its own outcome."""
    urls = addresses(rng, 5)
    delays = moments(rng, 5)
    bad = rng.sample(urls, 2)
    world = {
        url: call(delay, error=ValueError if url in bad else None) for url, delay in zip(urls, delays, strict=True)
    }
    trace = await run(report_all, urls=urls, world=calls(visit=world))
    assert trace.count("visit") == 5
    assert trace.noted("report") == told(trace)


@scenario
async def report_twice(kata, stage, *, parts):
    """A second call knows nothing of the first."""
    return [await kata.report_each(stage.calls("visit"), part, stage.callback("report")) for part in parts]


@scenario
async def report_overlapping(kata, stage, *, parts):
    """Two calls at the same time know nothing of each other."""
    each = (kata.report_each(stage.calls("visit"), part, stage.callback("report")) for part in parts)
    return await asyncio.gather(*each)


@result
async def test_results_stand_in_the_order_of_the_urls(run, rng):
    """`report_each` returns the results in the order of the urls, whichever visit ends first."""
    urls = addresses(rng, rng.randint(4, 6))
    delays = sorted(moments(rng, len(urls)), reverse=True)
    world = dict(zip(urls, delays, strict=True))
    world |= {urls[1]: call(delays[1], None), urls[2]: call(delays[2], 0)}  # results, too
    trace = await run(report_all, urls=urls, world=calls(visit=world))
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.noted("urls afterwards") == [urls]
    parts = urls[:2], urls[2:]
    trace = await run(report_twice, parts=parts, world=calls(visit=1.0))
    assert trace.result == [[trace.given("visit", url) for url in part] for part in parts]
    parts = urls[2::-2], urls[3::-2]
    world = dict(zip(urls, sorted(delays, reverse=True), strict=True))  # those of the two parts end in turn
    trace = await run(report_overlapping, parts=parts, world=calls(visit=world))
    expected = [[trace.given("visit", url) for url in part] for part in parts]
    assert trace.result == expected, (
        f"`report_each` was called for {parts[0]} and, at the same time, for {parts[1]}: "
        f"expected {expected}, saw {trace.result}."
    )


@scenario
async def report_a_group(kata, stage, *, urls, bad):
    """A visit fails with a group of errors of its own."""
    ask = stage.calls("visit")

    async def visit(url):
        page = await ask(url)
        if url != bad:
            return page
        failure = ExceptionGroup(page, [ValueError(page)])
        stage.note("group", failure)
        raise failure

    return await kata.report_each(visit, urls, stage.callback("report"))


@result
async def test_a_failure_takes_its_own_place(run, rng):
    """In `report_each` a failed visit's exception stands in its place, and disturbs nobody."""
    urls = addresses(rng, 5)
    delays = dict(zip(urls, moments(rng, 5), strict=True))
    bad = rng.choice(urls)
    world = calls(visit=delays | {bad: call(delays[bad], error=ValueError)})
    trace = await run(report_all, urls=urls, world=world)
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.elapsed == max(delays.values())
    failing = calls(visit={url: call(delays[url], error=ValueError) for url in urls})
    trace = await run(report_all, urls=urls, world=failing)
    assert trace.result == [trace.given("visit", url) for url in urls]
    trace = await run(report_a_group, urls=urls, bad=bad, world=calls(visit=delays))
    [group] = trace.noted("group")
    expected = [group if url == bad else trace.given("visit", url) for url in urls]
    assert trace.result == expected, (
        f"The visit at place {urls.index(bad)} failed with {group!r}, a group of one error, which should stand there "
        f"as it is: expected {expected}, saw {trace.result}."
    )


@result
async def test_a_url_that_stands_twice_is_reported_twice(run, rng):
    """A url that stands in the list twice is visited and reported twice, and has two results."""
    twice, once = addresses(rng, 2)
    trace = await run(report_all, urls=[twice, once, twice], world=calls(visit={twice: 2.0, once: 1.0}))
    assert trace.noted("report") == [[once, "ok"], [twice, "ok"], [twice, "ok"]]
    brought = [span.value for span in trace.calls("visit") if span.key == twice]
    assert len(brought) == 2, f"A url that stands in the list 2 times was visited {len(brought)} times."
    first, second = brought
    alone = trace.given("visit", once)
    assert trace.result in ([first, alone, second], [second, alone, first])


@cancellation
@points(2)
async def test_cancelled_it_reports_every_visit_once(sweep, rng):
    """Cancelled at any point, `report_each` cancels what runs, and ends when each visit has been reported once."""
    urls = addresses(rng, 4)
    short, long, longest, bad = sorted(moments(rng, 4))
    world = {urls[0]: long, urls[1]: short, urls[2]: call(bad, error=ValueError), urls[3]: longest}
    for trace in await sweep(report_all, urls=urls, world=calls(visit=world)):
        reports_each_once(trace)
        comes_at_the_end(trace)


# --- reports that fail -------------------------------------------------------------------------------------


@scenario
async def bad_reporter(kata, stage, *, function, visited, failure=RuntimeError):
    note = stage.callback("report")

    def report(url, outcome):
        note(url, outcome)
        raise failure("the reporter failed")

    return await getattr(kata, function)(stage.calls("visit"), visited, report)


@result
async def test_a_failing_report_changes_nothing(run, rng):
    """An error raised by `report` changes nothing: the result is returned, or the visit's own error is raised."""
    urls = addresses(rng, 4)
    delays = dict(zip(urls, moments(rng, 4), strict=True))
    loud = {"allow": ("complaints",)}
    for failure in (RuntimeError, rng.choice([ValueError, OSError, ArithmeticError])):
        data = {"function": "visit_and_report", "visited": urls[0], "failure": failure}
        trace = await run(bad_reporter, **data, world=calls(visit=delays), **loud)
        assert trace.result == trace.given("visit", urls[0])
    world = calls(visit=call(1.0, error=LookupError))
    trace = await run(
        bad_reporter, function="visit_and_report", visited=urls[0], world=world, raises=LookupError, **loud
    )
    raises_own(trace, trace.given("visit", urls[0]))
    world = calls(visit=delays | {urls[3]: call(delays[urls[3]], error=LookupError)})
    trace = await run(bad_reporter, function="report_each", visited=urls, world=world, **loud)
    assert trace.result == [trace.given("visit", url) for url in urls]
    assert trace.noted("report") == told(trace)


@cancellation
async def test_a_failing_report_does_not_stop_a_cancellation(sweep, rng):
    """Cancelled, it ends with CancelledError even where `report` raises an error, and no visit runs on."""
    urls = addresses(rng, 3)
    world = calls(visit=dict(zip(urls, moments(rng, 3), strict=True)))
    for function, visited in (("visit_and_report", urls[0]), ("report_each", urls)):
        for trace in await sweep(bad_reporter, function=function, visited=visited, world=world, allow=("complaints",)):
            reports_each_once(trace)
