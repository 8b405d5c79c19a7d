"""The suite of 12_loop_lifecycle: a loop is made, run, emptied and closed, and nothing of it is left."""

import asyncio
import concurrent.futures
import threading
import time
from functools import partial

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing


def names(rng, count):
    """So many names, in no order."""
    return [f"job-{number}" for number in rng.sample(range(100, 1000), count)]


def assert_cleaned_up(trace, label, moment):
    """All calls of `label` that were cancelled were so at this moment, and none in its cleanup again."""
    for span in trace.calls(label):
        assert not span.interrupted, f"`{label}({span.key!r})` was cancelled again in the middle of its cleanup."
        if span.outcome == "cancelled":
            assert span.cancelled_at == moment


class Pages:
    """Async generators that stay open, with a `finally` that takes a while."""

    def __init__(self, stage):
        self.stage = stage
        self.kept = []

    async def turn(self, name):
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0.5)
            self.stage.note("closed", name)

    async def begin(self, name):
        """Read one page, and keep the book open."""
        self.kept.append(self.turn(name))
        return await anext(self.kept[-1])


# --- run_all -------------------------------------------------------------------------------------------


@scenario
def together(kata, stage, *, keys):
    work = stage.calls("work")
    jobs = [partial(work, key) for key in keys]
    answer = kata.run_all(jobs)
    stage.note("left as they were", [job.args[0] for job in jobs])
    return answer


@scenario
def returned_errors(kata, stage, *, keys, seconds=None):
    """Every job returns an exception object; without `seconds` by `run_all`, else by `run_for`."""

    async def job(key):
        return ValueError(key)

    try:
        if seconds is not None:
            return kata.run_for(seconds, {key: partial(job, key) for key in keys})
        answers = kata.run_all([partial(job, key) for key in keys])
    except ValueError as error:
        return f"raised {error!r}"
    return [[type(answer).__name__, str(answer)] for answer in answers]


@timing
@points(2)
async def test_all_jobs_run_at_the_same_time(run, rng):
    """`run_all` takes as long as its slowest job, however long; without jobs it takes no time and gives []."""
    keys = names(rng, rng.randint(3, 6))
    delays = dict(zip(keys, rng.sample(range(1, 20), len(keys)), strict=True))
    delays[rng.choice(keys)] = rng.randint(1000, 2000)
    trace = await run(together, keys=keys, world=calls(work=delays))
    assert trace.elapsed == max(delays.values())
    assert trace.peak("work") == len(keys)
    trace = await run(together, keys=[])
    assert trace.result == []
    assert trace.elapsed == 0.0


@ordering
async def test_results_stand_in_the_order_of_the_jobs(run, rng):
    """Results come in the order of the jobs, None and 0 too, whichever ends first; the list of jobs stays as it was."""
    keys = names(rng, 5)
    delays = dict(zip(keys, [20, *rng.sample(range(1, 20), 4)], strict=True))
    for key, nothing in zip(rng.sample(keys, 3), (None, 0, ""), strict=True):
        delays[key] = call(delays[key], nothing)
    trace = await run(together, keys=keys, world=calls(work=delays))
    assert trace.result == [trace.given("work", key) for key in keys]
    assert trace.noted("left as they were") == [keys]


@scenario
def one_job_often(kata, stage, *, times):
    return sorted(kata.run_all([stage.calls("work")] * times))


@result
async def test_a_job_may_be_given_several_times(run, rng):
    """A job that stands in the list several times is run as often, each time with a result of its own."""
    times = rng.randint(2, 4)
    trace = await run(one_job_often, times=times, world=calls(work=1.0))
    assert trace.count("work") == times
    assert trace.result == sorted(trace.all_given("work"))


@scenario
def loops_of_run_all(kata, stage):
    work = stage.calls("work")
    loops = []

    async def job():
        loops.append(asyncio.get_running_loop())
        return await work()

    answers = [*kata.run_all([job, job]), *kata.run_all([job])]
    return {
        "results": len(set(answers)),
        "shared": loops[0] is loops[1],
        "new": loops[1] is not loops[2],
        "closed": [loop.is_closed() for loop in loops],
    }


@result
async def test_every_run_has_a_new_loop_and_closes_it(run, rng):
    """Each `run_all` runs all its jobs on one new loop, and closes it."""
    told = (await run(loops_of_run_all, world=calls(work=1.0))).result
    assert told["results"] == 3, f"3 jobs gave {told['results']} different results, expected 3."
    assert told["shared"], "The two jobs of one run ran on 2 loops, expected 1."
    assert told["new"], "Two runs used 1 loop, expected 2: a new one each."
    assert told["closed"] == [True] * 3, f"{told['closed'].count(False)} jobs found their loop open after the run."


@scenario
def books_of_run_all(kata, stage, *, books):
    work = stage.calls("work")
    pages = Pages(stage)

    async def reader(name):
        return await pages.begin(name)

    try:
        return kata.run_all([*[partial(reader, name) for name in books], work])
    finally:
        stage.note("over")


@result
async def test_run_all_closes_async_generators(run, rng):
    """Async generators that are still open are closed on the loop, with their `finally`, before it is closed."""
    books = names(rng, rng.randint(1, 3))
    trace = await run(books_of_run_all, books=books, world=calls(work=2.0))
    assert sorted(trace.noted("closed")) == sorted(books), (
        f"{len(trace.noted('closed'))} of {len(books)} open async generators were closed."
    )
    assert trace.noted_at("over") == [2.5]


@cancellation
async def test_run_all_closes_async_generators_after_a_failure(run, rng):
    """When a job fails, async generators are closed too."""
    books = names(rng, rng.randint(1, 3))
    world = calls(work=call(2.0, error=ValueError))
    trace = await run(books_of_run_all, books=books, world=world, raises=ValueError)
    assert sorted(trace.noted("closed")) == sorted(books), (
        f"{len(trace.noted('closed'))} of {len(books)} open async generators were closed."
    )
    assert trace.noted_at("over") == [2.5]


@result
async def test_the_first_failure_is_raised(run, rng):
    """The error that is raised first comes out, at once if nobody has to clean up; one that is returned is a result."""
    keys = names(rng, rng.randint(2, 3))
    told = (await run(returned_errors, keys=keys)).result
    assert told == [["ValueError", key] for key in keys], (
        f"{len(keys)} jobs returned a ValueError object each, results like any other; what came of `run_all`: {told}."
    )
    keys = names(rng, 4)
    cls = rng.choice([ValueError, KeyError, TypeError, RuntimeError, TimeoutError, OSError])
    bad = rng.choice(keys)
    moment = rng.randint(2, 6)
    delays = dict(zip(keys, [1.0, 8.0, 9.0, 10.0], strict=True))
    trace = await run(together, keys=keys, world=calls(work={**delays, bad: call(moment, error=cls)}), raises=cls)
    failure = trace.given("work", bad)
    assert trace.error.holds(failure), f"It should have raised {failure!r}; it raised {trace.error!r}."
    assert trace.elapsed == moment
    # All of them at the same moment: any of the errors will do, or several in a group; nobody need ask for the others.
    either = {"raises": Exception, "allow": ("complaints",)}
    trace = await run(together, keys=keys[:2], world=calls(work=call(moment, error=cls)), **either)
    failures = trace.all_given("work")
    assert any(trace.error.holds(failure) for failure in failures), (
        f"2 of 2 jobs failed at the same moment, with {failures}; what came out is {trace.error!r}."
    )
    assert trace.elapsed == moment
    # The others, before and after it in the list, answer their cancellation with errors: those alone will not do.
    rude = [call(20.0, error=OSError, then="raises") for _ in range(2)]
    before, bad, after = names(rng, 3)
    world = calls(work={before: rude[0], bad: call(moment, error=ValueError), after: rude[1]})
    trace = await run(together, keys=[before, bad, after], world=world, **either)
    failure = trace.given("work", bad)
    assert trace.error.holds(failure), (
        f"The second of 3 jobs failed with {failure!r}, and the others when they were cancelled for that; "
        f"what came out is {trace.error!r}, not the first failure."
    )
    assert trace.elapsed == moment


@cancellation
@points(2)
async def test_a_failure_cancels_the_rest_and_waits_for_their_cleanup(run, rng):
    """When a job fails the rest are cancelled at once, and all have cleaned up, undisturbed, when it is raised."""
    keys = names(rng, 5)
    early, bad, *rest = keys
    moment = rng.randint(2, 5)
    cleanups = [cleanup / 4 for cleanup in rng.sample(range(1, 12), 3)]
    world = calls(
        work={
            early: 1.0,
            bad: call(moment, error=ValueError),
            **{key: call(20.0, cleanup=cleanup) for key, cleanup in zip(rest, cleanups, strict=True)},
        }
    )
    # One that is cancelled always stands before the one that fails: what counts is time, not place.
    order = [rest[0], *rng.sample([early, bad, *rest[1:]], 4)]
    trace = await run(together, keys=order, world=world, raises=ValueError)
    assert_cleaned_up(trace, "work", moment)
    outcomes = [trace.call("work", key).outcome for key in rest]
    assert outcomes == ["cancelled"] * 3, f"A job failed, and the others ended {outcomes}, expected all cancelled."
    assert trace.elapsed == moment + max(cleanups)


# --- run_for -------------------------------------------------------------------------------------------


@scenario
def for_a_while(kata, stage, *, seconds, keys):
    work = stage.calls("work")
    jobs = {key: partial(work, key) for key in keys}
    answer = kata.run_for(seconds, jobs)
    stage.note("left as they were", list(jobs))
    return answer


@timing
@points(2)
async def test_when_the_time_is_up_it_stops(run, rng):
    """`run_for` runs the jobs at the same time, and ends them when its seconds are over; 0 seconds are at once."""
    keys = names(rng, 5)
    seconds = rng.randint(4, 8) + 0.5
    delays = dict(zip(keys, [1, 2, 3, 20, 30], strict=True))
    trace = await run(for_a_while, seconds=seconds, keys=keys, world=calls(work=delays))
    assert trace.elapsed == seconds
    assert trace.peak("work") == 5
    assert trace.result == sorted(keys[:3])
    trace = await run(for_a_while, seconds=0, keys=keys, world=calls(work=delays), allow=("complaints",))
    assert trace.elapsed == 0.0
    assert trace.result == []


@timing
async def test_when_all_have_ended_it_returns(run, rng):
    """`run_for` returns as soon as all jobs have ended, whether they return or fail; without jobs at once."""
    keys = names(rng, 3)
    # A moment that no clock of quarters, tenths or hundredths ever meets, exact as a float.
    last = rng.randint(3, 6) + rng.randint(1, 99) / 1024
    world = calls(work={keys[0]: 1.0, keys[1]: 2.0, keys[2]: last})
    trace = await run(for_a_while, seconds=60, keys=keys, world=world)
    assert trace.elapsed == last
    assert trace.result == sorted(keys)
    trace = await run(for_a_while, seconds=60, keys=keys, world=calls(work=call(last, error=ValueError)))
    assert trace.elapsed == last
    trace = await run(for_a_while, seconds=60, keys=[])
    assert trace.result == []
    assert trace.elapsed == 0.0


@ordering
async def test_names_come_sorted(run, rng):
    """The names come sorted, in whatever order the jobs were given or returned, and the dict is left as it was."""
    keys = names(rng, 6)
    delays = dict(zip(keys, rng.sample(range(1, 20), 6), strict=True))
    trace = await run(for_a_while, seconds=30, keys=keys, world=calls(work=delays))
    assert trace.result == sorted(keys)
    assert trace.noted("left as they were") == [keys]


@scenario
def one_job_under_many_names(kata, stage, *, keys):
    return kata.run_for(30, dict.fromkeys(keys, stage.calls("work")))


@result
async def test_a_job_may_have_several_names(run, rng):
    """A job that stands under several names is run and named under each of them."""
    keys = names(rng, rng.randint(2, 4))
    trace = await run(one_job_under_many_names, keys=keys, world=calls(work=1.0))
    assert trace.count("work") == len(keys)
    assert trace.result == sorted(keys)


@result
@points(2)
async def test_a_failed_job_is_not_named(run, rng):
    """A failed job is not named, nothing is raised, and the others go on; one that returns an exception is named."""
    classes = [ValueError, KeyError, TypeError, RuntimeError, TimeoutError, OSError]
    early, late, slow, *bad = names(rng, 3 + len(classes))
    kinds = dict(zip(bad, classes, strict=True))
    moments = {early: 1.0, late: 4.0, **{key: rng.randint(4, 14) / 4 for key in bad}}
    world = {key: call(moment, error=kinds.get(key)) for key, moment in moments.items()}
    keys, seconds = rng.sample([early, late, slow, *bad], 3 + len(classes)), rng.randint(6, 9)
    trace = await run(for_a_while, seconds=seconds, keys=keys, world=calls(work={slow: 50.0, **world}))
    named = trace.result if isinstance(trace.result, list) else [early, late]
    for key in bad:
        assert key not in named, (
            f"{key!r} fails with a {kinds[key].__name__} at {moments[key]:g} s; `run_for({seconds}, …)` named it."
        )
    first = min(bad, key=lambda each: moments[each])
    for key in (early, late):
        assert key in named, (
            f"{key!r} returns at {moments[key]:g} s; `run_for({seconds}, …)` did not name it. (Others fail: "
            f"the first with a {kinds[first].__name__}, at {moments[first]:g} s.)"
        )
    assert trace.result == sorted([early, late])
    told = (await run(returned_errors, keys=keys, seconds=5)).result
    assert told == sorted(keys), (
        f"{len(keys)} jobs returned a ValueError object each: none failed, all are named; but `run_for` gave {told}."
    )


@result
async def test_a_job_that_returns_after_the_deadline_is_not_named(run, rng):
    """A job that answers its cancellation by returning, or by failing, is not named: it is too late."""
    keys = names(rng, 3)
    world = calls(
        work={
            keys[0]: 1.0,
            keys[1]: call(50.0, then="returns", cleanup=1.5),
            keys[2]: call(50.0, then="raises", cleanup=0.5),
        }
    )
    trace = await run(
        for_a_while, seconds=rng.randint(3, 6), keys=rng.sample(keys, 3), world=world, allow=("complaints",)
    )
    assert trace.result == [keys[0]]


@cancellation
@points(2)
async def test_unfinished_jobs_are_cancelled_and_clean_up(run, rng):
    """At the deadline unfinished jobs are cancelled, and all have cleaned up, undisturbed, when it returns."""
    keys = names(rng, 4)
    seconds = rng.randint(3, 6) + 0.5
    cleanups = [cleanup / 4 for cleanup in rng.sample(range(1, 12), 3)]
    world = calls(
        work={
            keys[0]: 1.0,
            **{key: call(50.0, cleanup=cleanup) for key, cleanup in zip(keys[1:], cleanups, strict=True)},
        }
    )
    trace = await run(for_a_while, seconds=seconds, keys=keys, world=world, hygiene=False)
    assert_cleaned_up(trace, "work", seconds)
    outcomes = [trace.call("work", key).outcome or "open" for key in keys[1:]]
    assert outcomes == ["cancelled"] * 3, f"The 3 unfinished jobs ended {outcomes}, expected all cancelled."
    assert trace.elapsed == seconds + max(cleanups)
    assert trace.result == [keys[0]]


@scenario
def loops_of_run_for(kata, stage, *, seconds, books):
    work = stage.calls("work")
    pages = Pages(stage)
    loops = []

    async def job(name):
        loops.append(asyncio.get_running_loop())
        await pages.begin(name)
        try:
            await work(name)
        except asyncio.CancelledError:
            await pages.begin(f"{name} in its cleanup")
            raise

    answer = [kata.run_for(seconds, {name: partial(job, name)}) for name in books]
    stage.note("different loops", len({id(loop) for loop in loops}))
    stage.note("closed loops", sum(loop.is_closed() for loop in loops))
    return answer


@result
async def test_run_for_closes_its_loop_and_async_generators(run, rng):
    """Every `run_for` has a new loop and closes it, with the async generators, those begun in cleanup too."""
    quick, slow = names(rng, 2)
    trace = await run(loops_of_run_for, seconds=2, books=[quick, slow], world=calls(work={quick: 1.0, slow: 9.0}))
    closed, opened = sorted(trace.noted("closed")), sorted([quick, slow, f"{slow} in its cleanup"])
    assert closed == opened, f"Async generators begun by {', '.join(opened)}; closed: {', '.join(closed) or 'none'}."
    assert trace.noted_at("closed") == [1.5, 4.0, 4.0]
    assert trace.noted("different loops") == [2]
    assert trace.noted("closed loops") == [2]
    assert trace.result == [[quick], []]


# --- LoopThread ----------------------------------------------------------------------------------------


def stop_and_rest(host):
    """Stop it, and let a `stop` that is not the matter here come to its end, even if it did not wait."""
    host.stop()
    time.sleep(5)


@scenario
def errands(kata, stage, *, keys, later=None):
    """Coroutines are submitted together; and one more, if it has a key, when all of them have ended."""
    work = stage.calls("work")
    home = threading.get_ident()
    seen = []

    async def job(key):
        seen.append((threading.get_ident(), id(asyncio.get_running_loop())))
        return await work(key)

    host = kata.LoopThread()
    host.start()
    futures = [host.submit(job(key)) for key in keys]
    kinds = [isinstance(future, concurrent.futures.Future) for future in futures]
    answers = []
    for future in futures:
        try:
            answers.append(future.result())
        except Exception as error:
            answers.append(error)
    stage.note("all there")
    cancelled = sum(future.cancelled() for future in futures)
    stage.note("cancelled", cancelled)
    if later is not None and not cancelled:
        stage.note("later", host.submit(job(later)).result())
    stop_and_rest(host)
    return {
        "answers": answers,
        "kinds": kinds,
        "at home": [thread for thread, _ in seen].count(home),
        "places": len(set(seen)),
    }


@scenario
def three_hosts(kata, stage):
    """Two at the same time, of which one is stopped while the other is at work; and one after both."""
    work = stage.calls("work")
    seen = []

    async def job(key):
        seen.append(threading.get_ident())
        return await work(key)

    first, second = kata.LoopThread(), kata.LoopThread()
    first.start()
    second.start()
    answers = [first.submit(job("first")).result()]
    future = second.submit(job("second"))
    first.stop()
    answers.append("cancelled" if future.cancelled() else future.result())
    second.stop()
    third = kata.LoopThread()
    third.start()
    answers.append(third.submit(job("third")).result())
    stop_and_rest(third)
    return {"answers": answers, "threads": len(set(seen[:2]))}


@result
@points(2)
async def test_what_is_submitted_runs_in_a_thread_of_the_loop(run, rng):
    """`submit` runs a coroutine in the loop's own thread and gives a concurrent future of its result or its error."""
    keys = names(rng, 3)
    bad = rng.choice(keys)
    late, later = next(key for key in keys if key != bad), "later"
    world = calls(work={**dict.fromkeys(keys, 1.0), bad: call(2.0, error=KeyError), late: 4.0, later: 1.0})
    trace = await run(errands, keys=keys, later=later, world=world, allow=("leaks",))
    told = trace.result
    assert trace.noted("cancelled") == [0], (
        f"Of 3 coroutines submitted together one failed, at 2 s, another was to return at 4 s; "
        f"{trace.noted('cancelled')[0]} of their futures were cancelled, before any `stop`."
    )
    assert trace.noted("later") == [trace.given("work", later)]
    expected = [trace.given("work", key) for key in keys]
    assert told["answers"] == expected, f"The futures gave {told['answers']!r}, expected {expected!r}."
    assert all(told["kinds"]), "`submit` must return a concurrent.futures.Future."
    assert told["at home"] == 0, f"{told['at home']} of 4 coroutines ran in the thread that submitted them, expected 0."
    assert told["places"] == 1, f"4 coroutines ran on {told['places']} loops, expected 1."
    told = (await run(three_hosts, world=calls(work=rng.randint(1, 5)))).result
    assert "cancelled" not in told["answers"], (
        "One of two LoopThreads was stopped, and a future of the other cancelled."
    )
    assert told["threads"] == 2, f"Two LoopThreads ran their loops in {told['threads']} thread, expected 2."


@timing
async def test_submitted_coroutines_run_at_the_same_time(run, rng):
    """Coroutines that are submitted together run at the same time."""
    keys = names(rng, rng.randint(2, 3))
    delays = dict(zip(keys, rng.sample(range(1, 20), len(keys)), strict=True))
    trace = await run(errands, keys=keys, world=calls(work=delays))
    assert trace.peak("work") == len(keys)
    assert trace.noted_at("all there") == [max(delays.values())]


@scenario
def patient_host(kata, stage, *, pauses):
    work = stage.calls("work")
    host = kata.LoopThread()
    host.start()
    answers = []
    for place, pause in enumerate(pauses):
        time.sleep(pause)
        answers.append(host.submit(work(place)).result())
    stop_and_rest(host)
    return answers


@timing
async def test_an_idle_loop_takes_what_comes_at_once(run, rng):
    """The loop runs for ever, also with nothing to do, and starts at once what is submitted."""
    pauses = [rng.randint(1, 20) for _ in range(2)]
    trace = await run(patient_host, pauses=pauses, world=calls(work=0.5))
    assert trace.starts("work") == [pauses[0], sum(pauses) + 0.5]
    assert trace.result == [trace.given("work", place) for place in range(2)]


@scenario
def stopped(kata, stage, *, keys, after):
    work = stage.calls("work")
    kept = []

    async def job(key):
        return await work(key)

    async def begin(key):
        kept.append(asyncio.create_task(job(key)))

    host = kata.LoopThread()
    host.start()
    first, *others = keys
    host.submit(begin(first)).result()
    futures = [host.submit(job(key)) for key in others]
    time.sleep(after)
    host.stop()
    stage.note("stopped")
    ends = ["cancelled" if future.cancelled() else "done" if future.done() else "open" for future in futures]
    return {"futures": ends, "task": "cancelled" if kept[0].cancelled() else "done" if kept[0].done() else "open"}


@cancellation
@points(2)
async def test_stop_cancels_every_task_and_waits_for_its_cleanup(run, rng):
    """`stop` cancels every task of the loop at once, and returns when all have cleaned up, however long that takes."""
    keys = names(rng, 3)
    after = rng.randint(1, 5) + 0.5
    # Where `stop` gives up early, the moment says more than what is left behind.
    for longest, allow in ((3.0, ()), (rng.randint(1000, 2000), ("leaks", "complaints"))):
        cleanups = rng.sample([longest, *(cleanup / 4 for cleanup in rng.sample(range(1, 12), 2))], 3)
        world = calls(work={key: call(60.0, cleanup=cleanup) for key, cleanup in zip(keys, cleanups, strict=True)})
        trace = await run(stopped, keys=keys, after=after, world=world, allow=allow)
        assert_cleaned_up(trace, "work", after)
        assert trace.noted_at("stopped") == [after + longest]
        assert trace.outcomes("work") == ["cancelled"] * 3
        assert trace.result["task"] == "cancelled", f"A task of the loop is {trace.result['task']} after stop()."
    # All but one answer with errors, and at once; whoever waits for all of them goes on waiting for that one.
    keys = names(rng, 30)
    slow = rng.choice(keys)
    rude = call(60.0, error=ValueError, then="raises")
    world = calls(work={**dict.fromkeys(keys, rude), slow: call(60.0, cleanup=3.0)})
    trace = await run(stopped, keys=keys, after=after, world=world, allow=("leaks", "complaints"))
    span, stopped_at = trace.call("work", slow), trace.noted_at("stopped")[0]
    whole = span.outcome == "cancelled" and not span.interrupted
    told = (
        f"Of 30 tasks that stop() cancelled at {after} s 29 answered with an error, and 1 cleaned up for 3 s; stop() "
        f"{'did not wait for that' if whole else 'broke that cleanup off'}, and returned at {stopped_at:g} s."
    )
    assert whole, told
    assert abs(stopped_at - after - 3.0) < 1e-6, told


@cancellation
@points(2)
async def test_stop_cancels_the_futures_that_are_not_done(run, rng):
    """After `stop` futures that were done keep their result, and all others are cancelled."""
    keys = names(rng, 4)
    after = rng.randint(2, 5)
    world = calls(work={**dict.fromkeys(keys, call(60.0, cleanup=0.5)), keys[2]: 1.0})
    trace = await run(stopped, keys=keys, after=after, world=world)
    ends = trace.result["futures"]
    assert ends == ["cancelled", "done", "cancelled"], (
        f"The futures of an unfinished, a finished and an unfinished job are {ends} after stop()."
    )
    assert trace.noted_at("stopped") == [after + 0.5]


@scenario
def stopped_at_once(kata, stage):
    work = stage.calls("work")
    host = kata.LoopThread()
    host.start()
    futures = [host.submit(work(place)) for place in range(3)]
    host.stop()
    stage.note("stopped")
    cancelled = [future.cancelled() for future in futures]
    time.sleep(20)
    return cancelled


@cancellation
async def test_stop_right_after_submit_leaves_no_future_open(run, rng):
    """A `stop` right after `submit` cancels the futures too, whether their coroutines had begun or not."""
    trace = await run(stopped_at_once, world=calls(work=rng.randint(30, 90)))
    assert trace.noted_at("stopped") == [0.0]
    cancelled = sum(trace.result)
    assert cancelled == 3, f"{cancelled} of 3 futures were cancelled when stop() returned, expected 3."


@scenario
def stopped_from_elsewhere(kata, stage, *, books, after):
    pages = Pages(stage)
    loops = []

    async def job(name):
        loops.append(asyncio.get_running_loop())
        await pages.begin(name)

    host = kata.LoopThread()
    host.start()
    for name in books:
        host.submit(job(name)).result()
    time.sleep(after)
    other = threading.Thread(target=host.stop)
    other.start()
    other.join()
    stage.note("stopped")
    stage.note("closed loops", sum(loop.is_closed() for loop in loops))
    time.sleep(5)
    return stage.threads


@cancellation
async def test_stop_leaves_no_thread_and_no_loop(run, rng):
    """`stop`, from any other thread, closes async generators and the loop, and its thread has ended."""
    books = names(rng, 3)
    after = rng.randint(1, 5)
    trace = await run(stopped_from_elsewhere, books=books, after=after)
    assert sorted(trace.noted("closed")) == sorted(books), (
        f"{len(trace.noted('closed'))} of 3 open async generators were closed."
    )
    assert trace.noted_at("stopped") == [after + 0.5]
    assert trace.noted("closed loops") == [3]
    assert trace.result == 0, f"{trace.result} threads are left after stop(), expected 0."


@scenario
def refused(kata, stage):
    work = stage.calls("work")
    host = kata.LoopThread()

    def attempt(when):
        try:
            host.submit(work(when))
        except RuntimeError:
            stage.note("RuntimeError", when)

    attempt("before start")
    host.start()
    answer = host.submit(work("in time")).result()
    host.stop()
    attempt("after stop")
    time.sleep(5)
    return answer


@result
async def test_submit_works_between_start_and_stop_alone(run, rng):
    """`submit` before `start` or after `stop` raises RuntimeError, and the coroutine is not left un-awaited."""
    trace = await run(refused, world=calls(work=1.0))
    assert trace.noted("RuntimeError") == ["before start", "after stop"]
    assert trace.result == trace.given("work", "in time")


@scenario
def started_twice(kata, stage):
    work = stage.calls("work")
    host = kata.LoopThread()
    host.start()
    first = host.submit(work("first"))
    try:
        host.start()
    except RuntimeError:
        stage.note("RuntimeError")
    answers = [first.result(), host.submit(work("second")).result()]
    stop_and_rest(host)
    return answers


@result
async def test_a_second_start_raises(run, rng):
    """A second `start` raises RuntimeError, and does the running loop no harm."""
    trace = await run(started_twice, world=calls(work=rng.randint(1, 5)))
    assert len(trace.noted("RuntimeError")) == 1, "A second start() raised no RuntimeError."
    assert trace.result == [trace.given("work", "first"), trace.given("work", "second")]


@scenario
def stopped_often(kata, stage, *, times):
    work = stage.calls("work")
    host = kata.LoopThread()
    host.stop()
    host.start()
    answer = host.submit(work()).result()
    for _ in range(times):
        host.stop()
    stage.note("stopped")
    time.sleep(5)
    return answer


@result
async def test_stop_is_harmless_where_there_is_nothing_to_stop(run, rng):
    """`stop` twice, or before `start`, does no harm and takes no time; `start` still works after the latter."""
    trace = await run(stopped_often, times=rng.randint(2, 3), world=calls(work=2.0))
    assert trace.result == trace.all_given("work")[0]
    assert trace.noted_at("stopped") == [2.0]
