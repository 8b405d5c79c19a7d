"""The suite of 05_cancellation: stopping work so that it has really stopped, and nothing is lost."""

import asyncio

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing

# --- cancel_and_wait ---------------------------------------------------------------------------------


@scenario
async def stop_one(kata, stage, *, after):
    task = asyncio.create_task(stage.calls("job")("job"))
    await asyncio.sleep(after)
    answer = await kata.cancel_and_wait(task)
    return [answer, task.done()]


def answered(trace, wanted, task):
    """What `cancel_and_wait` answered about this task, and that the task had ended by then."""
    answer, ended = trace.result
    assert ended is True, f"{task}: when `cancel_and_wait` returned {answer!r}, the task had not ended."
    assert answer == wanted, f"{task}: `cancel_and_wait` should return {wanted}; it returned {answer!r}."


@cancellation
@points(2)
async def test_it_waits_until_the_task_has_cleaned_up(run, rng):
    """It returns True, and only when the task has ended, its own clean-up included, however long that takes."""
    for cleanup in (rng.randint(2, 12) / 4, 600.0):
        trace = await run(stop_one, after=1.0, world=calls(job=call(99.0, cleanup=cleanup)))
        answered(trace, True, f"A task was cancelled at 1 s and cleaned up for {cleanup:g} s")
        assert trace.elapsed == 1.0 + cleanup
        assert not trace.interrupted(), "The task's clean-up was cut off by a second cancellation."


@cancellation
async def test_a_task_that_ends_at_once_takes_no_time(run, rng):
    """A task that cleans up at once is over at once: True, and no time has passed."""
    after = rng.randint(1, 9) / 2
    trace = await run(stop_one, after=after, world=calls(job=99.0))
    answered(trace, True, f"A task was cancelled at {after:g} s and ended at once")
    assert trace.elapsed == after


@result
async def test_a_finished_task_is_not_cancelled(run, rng):
    """False if the task had finished before it was asked to cancel."""
    trace = await run(stop_one, after=rng.randint(3, 9), world=calls(job=2.0))
    answered(trace, False, "A task had finished at 2 s, before the call")
    assert trace.outcomes("job") == ["done"]


@result
async def test_a_task_that_finishes_anyway_is_not_cancelled(run, rng):
    """False if the task took the cancellation as a reason to finish with a result; that is waited for."""
    cleanup = rng.randint(1, 9) / 4
    trace = await run(stop_one, after=1.0, world=calls(job=call(99.0, cleanup=cleanup, then="returns")))
    answered(trace, False, f"A task was cancelled at 1 s and finished with a result {cleanup:g} s later")


@result
async def test_the_error_of_a_failing_task_is_not_raised(run, rng):
    """False if the task failed; its error is retrieved, and not raised."""
    after = rng.choice([1.0, 5.0])
    for failure in (ValueError, RuntimeError):
        trace = await run(stop_one, after=5.0, world=calls(job=call(3.0, error=failure)))
        answered(trace, False, f"A task had failed at 3 s with {failure.__name__}, before the call")
    trace = await run(stop_one, after=after, world=calls(job=call(99.0, cleanup=0.5, then="raises", error=KeyError)))
    answered(trace, False, f"A task was cancelled at {after:g} s and failed 0.5 s later with KeyError")


@scenario
async def cancelled_while_waiting(kata, stage):
    task = asyncio.create_task(stage.calls("job")("job"))
    await asyncio.sleep(0)
    caller = stage.target(asyncio.create_task(kata.cancel_and_wait(task)))
    await asyncio.wait([caller])
    stage.note("the task had ended", task.done())
    await asyncio.wait([task])
    return caller.result()


@scenario
async def cancelled_as_it_ends(kata, stage, *, cleanup, then):
    """The last thing that the task does, after its clean-up, is to cancel whoever waits for it."""

    async def job():
        try:
            await asyncio.sleep(99)
        except asyncio.CancelledError:
            await asyncio.sleep(cleanup)
            caller.cancel()
            if then == "cancelled":
                raise

    task = asyncio.create_task(job())
    await asyncio.sleep(0)
    caller = asyncio.create_task(kata.cancel_and_wait(task))
    await asyncio.wait([caller])
    return "it ended in CancelledError" if caller.cancelled() else f"it returned {caller.result()!r}"


@cancellation
@points(2)
async def test_a_cancellation_of_the_caller_is_not_swallowed(run, sweep, rng):
    """Cancelled while it waits, it ends with CancelledError, once the task has cleaned up undisturbed."""
    for then in ("cancelled", "returns"):
        world = calls(job=call(99.0, cleanup=rng.randint(4, 9) / 4, then=then))
        for trace in await sweep(cancelled_while_waiting, world=world):
            assert not trace.interrupted(), "The task's clean-up was cut off by a second cancellation."
            assert trace.noted("the task had ended") == [True]
        cleanup = rng.randint(4, 9) / 4
        trace = await run(cancelled_as_it_ends, cleanup=cleanup, then=then)
        assert trace.result == "it ended in CancelledError", (
            f"A task cleaned up for {cleanup:g} s and cancelled, as its last act, the caller that still waited for it: "
            f"`cancel_and_wait` should end in CancelledError, but {trace.result}."
        )


@scenario
async def cancelled_in_cleanup(kata, stage):
    job = stage.calls("job")

    async def parent():
        child = asyncio.create_task(job("child"))
        try:
            await job("parent")
        finally:
            stage.note("child cancelled", await kata.cancel_and_wait(child))
            stage.note("parent goes on")

    task = asyncio.create_task(parent())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled() or task.result()


@cancellation
async def test_it_works_in_the_cleanup_of_a_cancelled_task(run, rng):
    """It may be called while the caller itself cleans up after its own cancellation: it waits and answers as ever."""
    cleanup = rng.randint(2, 9) / 4
    trace = await run(cancelled_in_cleanup, world=calls(job={"child": call(99.0, cleanup=cleanup), "parent": 99.0}))
    told = trace.noted("child cancelled")
    assert told, "`cancel_and_wait` raised something in the cleanup of its caller, which nobody had cancelled again."
    assert told == [True]
    assert trace.noted_at("parent goes on") == [1.0 + cleanup]
    assert trace.result is True, f"Its caller should have ended in CancelledError; it returned {trace.result!r}."


# --- use ---------------------------------------------------------------------------------------------


@scenario
async def use_one(kata, stage):
    return await kata.use(stage.calls("acquire"), stage.calls("work"), stage.calls("release"))


@scenario
async def use_two(kata, stage):
    """Two uses, the second one a little later; the work of each returns an exception object, and raises none."""
    errors = [LookupError("first"), LookupError("second")]

    async def one(place):
        await asyncio.sleep(place / 4)
        work = stage.calls("work")

        async def find(resource):
            await work(resource)
            return errors[place]

        try:
            return await kata.use(stage.calls("acquire"), find, stage.calls("release")) is errors[place]
        except LookupError:
            return "it was raised"

    return await asyncio.gather(one(0), one(1))


@ordering
async def test_a_resource_is_acquired_used_and_released(run, rng):
    """Acquire, work with the resource, release it: one after the other; then the result of the work."""
    first, second, third = (rng.randint(1, 9) / 4 for _ in range(3))
    trace = await run(use_one, world=calls(acquire=first, work=second, release=third))
    assert trace.count("acquire") == 1
    assert trace.order("work") == trace.all_given("acquire")
    assert trace.order("release") == trace.all_given("acquire")
    assert trace.starts("work") == [first]
    assert trace.starts("release") == [first + second]
    assert trace.elapsed == first + second + third
    made = trace.all_given("work")
    assert made == [trace.result], f"`work` gave {made}; what was returned is {trace.result!r}."
    trace = await run(use_two, world=calls(acquire=1.0, work=2.0, release=0.5))
    acquired, released = trace.all_given("acquire"), trace.order("release")
    assert released == acquired, (
        f"Two uses at the same time acquired {acquired}, and each should release its own, at 3 s and at 3.25 s; "
        f"they released {released}."
    )
    assert trace.result == [True, True], (
        "The works of two uses each return an exception object, which is the result of `use` like any other; "
        f"{'it was raised' if 'it was raised' in trace.result else 'it was not returned'}."
    )


@result
async def test_a_failing_work_releases_and_fails(run, rng):
    """When the work fails, the resource, be it 0 or None, is released, once, and then the error comes through."""
    kinds = rng.sample([KeyError, OSError, RuntimeError, TypeError], 2)
    for acquire, kind in zip((call(1.0), call(1.0, 0), call(1.0, None)), (ValueError, *kinds), strict=True):
        world = calls(acquire=acquire, work=call(1.0, error=kind), release=rng.randint(1, 4))
        trace = await run(use_one, world=world, raises=kind)
        assert trace.count("work") == 1
        assert trace.error.holds(trace.all_given("work")[0]), "It raised another error than the one of the work."
        (resource,) = trace.all_given("acquire")
        released = [span.key for span in trace.calls("release")]
        assert released == [resource], f"`acquire` gave {resource!r}, to be released once; it released {released}."
        assert trace.outcomes("release") == ["done"]


@result
async def test_what_was_not_acquired_is_not_released(run, rng):
    """When `acquire` fails there is nothing to work with and nothing to release."""
    trace = await run(use_one, world=calls(acquire=call(rng.randint(1, 5), error=OSError)), raises=OSError)
    assert trace.count("work") == 0
    assert trace.count("release") == 0


@scenario
async def use_cancelled_in_one_turn(kata, stage, *, by):
    """The last act of `acquire` (its user is cancelled a moment later), or of `release`, is to cancel the user."""
    get, give_back = stage.calls("acquire"), stage.calls("release")

    async def acquire():
        resource = await get()
        if by == "acquire":
            asyncio.get_running_loop().call_soon(user.cancel)
        return resource

    async def release(resource):
        await give_back(resource)
        if by == "release":
            user.cancel()

    user = asyncio.create_task(kata.use(acquire, stage.calls("work"), release))
    await asyncio.wait([user])
    return "it ended in CancelledError" if user.cancelled() else f"it returned {user.result()!r}"


@cancellation
@points(2)
async def test_cancelled_at_any_point_it_releases_what_it_holds(run, sweep, rng):
    """Cancelled at any point: what was acquired is released exactly once, to the end; what was not is not."""
    for work, raises in ((2.0, None), (call(2.0, error=ValueError), ValueError)):
        world = calls(acquire=1.0, work=work, release=rng.randint(1, 6) / 2)
        for trace in await sweep(use_one, world=world, raises=raises):
            acquired = trace.outcomes("acquire") == ["done"]
            assert trace.outcomes("release") == (["done"] if acquired else [])
    trace = await run(use_cancelled_in_one_turn, by="acquire", world=calls(acquire=1.0, work=2.0, release=1.0))
    released = trace.outcomes("release").count("done")
    assert released == 1, (
        "`acquire` returned at 1 s, and in the same moment its user was cancelled: "
        f"number of releases: expected 1, saw {released or 'nothing'}."
    )


@scenario
async def use_cancelled_twice(kata, stage, *, first, second, work_fails=False):
    """Two cancels, the second one some time after the first."""
    task = asyncio.create_task(kata.use(stage.calls("acquire"), stage.calls("work"), stage.calls("release")))
    await asyncio.sleep(first)
    task.cancel()
    await asyncio.sleep(second)
    task.cancel()
    await asyncio.wait([task])
    stage.note("over")
    if work_fails and not task.cancelled():
        return task.exception() is not None  # its error comes through, or CancelledError: either is right
    return task.cancelled() or task.result()


@cancellation
@points(2)
async def test_a_second_cancel_does_not_interrupt_the_release(run, rng):
    """A second cancel that arrives while releasing does not cut the release off; CancelledError comes after it."""
    # The first cancel comes in the work; then in the release, which takes its time.
    for work, first, begins, release in ((99.0, 1.5, 1.5, rng.randint(4, 9) / 2), (1.0, 2.5, 2.0, 300.0)):
        world = calls(acquire=1.0, work=work, release=release)
        trace = await run(use_cancelled_twice, first=first, second=0.5, world=world)
        assert trace.outcomes("release") == ["done"]
        assert trace.noted_at("over") == [begins + release]
        assert trace.result is True, f"Cancelled twice, it must end in CancelledError; it returned {trace.result!r}."
    trace = await run(use_cancelled_in_one_turn, by="release", world=calls(acquire=1.0, work=1.0, release=1.0))
    assert trace.result == "it ended in CancelledError", (
        "`release` was at work from 2 s to 3 s, and its last act was to cancel the user: "
        f"`use` should end in CancelledError, but {trace.result}."
    )
    release = rng.randint(4, 9) / 2
    world = calls(acquire=1.0, work=call(1.0, error=ValueError), release=release)
    trace = await run(use_cancelled_twice, first=2.5, second=0.5, work_fails=True, world=world)
    came = trace.outcomes("release")
    assert came == ["done"], (
        f"The work failed at 2 s, and cancels came at 2.5 s and at 3 s, while its resource was released: the release "
        f"should be done, once, at {2.0 + release} s; number of releases: {len(came)}, that came to: {', '.join(came)}."
    )
    assert trace.noted_at("over") == [2.0 + release]
    assert trace.result is True, "The work failed, and cancels came while it released; it ended as if nothing had been."


# --- shut_down ---------------------------------------------------------------------------------------


@scenario
async def close_shop(kata, stage, *, names, after):
    job = stage.calls("job")
    tasks = [asyncio.create_task(job(name or "nameless"), name=name) for name in names]
    stage.note("names", sorted(task.get_name() for task in tasks))  # without a name asyncio gives one
    await asyncio.sleep(after)
    stopped = await kata.shut_down()
    return [stopped, sum(task.done() for task in tasks)]


def staff(rng, count):
    """Names in no order."""
    return rng.sample([f"worker {number}" for number in range(10, 99)], count)


@cancellation
@points(2)
async def test_shutting_down_cancels_all_others_and_waits_for_them(run, rng):
    """Every other task is cancelled, all at the same time, and has ended before the names are returned."""
    names = staff(rng, 4)
    # Well within half a minute; the odd end, exact as a float, is not met by looking every 0.01 s, 0.1 s or 0.25 s.
    longest = rng.randint(5, 8) + rng.randrange(1, 100, 2) / 1024
    cleanups = [0.125, longest, 0.0, 0.25]
    world = calls(job={name: call(99.0, cleanup=time) for name, time in zip(names, cleanups, strict=True)})
    trace = await run(close_shop, names=names, after=1.0, world=world, allow=("leaks",))
    assert not trace.interrupted(), (
        f"They clean up for up to {longest:g} s; {len(trace.interrupted())} of 4 clean-ups were cut off"
        " by a second cancellation."
    )
    assert trace.result == [sorted(names), 4]
    returned, over = trace.elapsed, 1.0 + longest
    assert returned == over, (
        f"Called at 1 s, `shut_down` should return when the last of 4 clean-ups is over: "
        f"second at which it returned: expected {over:g}, saw {returned!r}."
    )
    assert trace.outcomes("job") == ["cancelled"] * 4
    assert all(span.cancelled_at == 1.0 for span in trace.calls("job")), "They were not all cancelled at once."
    namesakes = [names[0], *names[:2], None]
    world = calls(job=world.scripts["job"] | {"nameless": call(99.0, cleanup=0.5)})
    trace = await run(close_shop, names=namesakes, after=1.0, world=world, allow=("leaks",))
    [wanted], (named, ended) = trace.noted("names"), trace.result
    assert ended == 4, f"Of 4 tasks, one without a name of its own, all should have been cancelled; {ended} had ended."
    assert named == wanted, f"4 tasks ended cancelled, with the names {wanted}; `shut_down` named {named!r}."


@result
async def test_only_those_that_ended_cancelled_are_named(run, rng):
    """Tasks that finished before, finish anyway or fail on being cancelled are not named."""
    finished, returns, fails, stopped = names = staff(rng, 4)
    world = calls(
        job={
            finished: 0.5,
            returns: call(99.0, cleanup=0.25, then="returns"),
            fails: call(99.0, cleanup=0.25, then="raises", error=ValueError),
            stopped: call(99.0, cleanup=0.5),
        }
    )
    trace = await run(close_shop, names=names, after=1.0, world=world, allow=("complaints",))
    assert trace.result == [[stopped], 4]


@cancellation
async def test_a_task_that_refuses_is_left_after_a_second_cancel(run, rng):
    """A task that goes on after its cancellation gets a second one, is not waited for for ever, and is not named."""
    for refuse, ignores in ((1, 9), (2, 9), (1, 1)):
        good, *stubborn = names = staff(rng, 1 + refuse)
        world = {good: call(99.0, cleanup=0.25)} | dict.fromkeys(stubborn, call(10_000.0 * refuse, ignores=ignores))
        trace = await run(close_shop, names=names, after=1.0, world=calls(job=world), allow=("leaks",))
        assert trace.elapsed < 5_000 * refuse, (
            "A task that refuses to end should have been left after half a minute or so; `shut_down` waited for it "
            f"until {trace.elapsed!r} s{', when it ended' if trace.elapsed > 10_000 else ''}."
        )
        for name in stubborn:
            cancels = trace.call("job", name).cancels
            assert cancels >= 2, (
                f"Of {1 + refuse} tasks {refuse} refused to end. Each of those should have been cancelled twice; "
                f"number of cancels of {name!r}: {cancels}."
            )
        named, ended = trace.result
        assert named == [good], (
            f"Of {1 + refuse} tasks {good!r} ended cancelled, and {refuse} refused "
            f"{'the first of two cancels' if ignores == 1 else 'to end'}, {stubborn}; `shut_down` named {named}."
        )
        assert ended == 1 or ignores == 1, (
            f"1 of {1 + refuse} tasks should have ended, and {refuse} that refused be left; {ended} had ended."
        )


@scenario
async def closing_cancelled(kata, stage, *, names):
    job = stage.calls("job")
    tasks = [asyncio.create_task(job(name), name=name) for name in names]
    await asyncio.sleep(0)
    try:
        return await kata.shut_down()
    finally:
        stage.note("tasks that had ended", sum(task.done() for task in tasks))


@cancellation
async def test_cancelled_itself_it_waits_for_the_others(sweep, rng):
    """Cancelled itself while it waits, `shut_down` ends with CancelledError, once all others have cleaned up."""
    names = staff(rng, 3)
    cleanups = [time / 8 for time in rng.sample(range(1, 5), 3)]
    world = calls(job={name: call(99.0, cleanup=time) for name, time in zip(names, cleanups, strict=True)})
    for trace in await sweep(closing_cancelled, names=names, world=world):
        assert trace.noted("tasks that had ended") == [3]
        assert not trace.interrupted(), (
            f"Cancelled itself at {trace.struck_at!r} s, it cut {len(trace.interrupted())} of 3 clean-ups off."
        )


@scenario
async def close_empty_shop(kata, stage):
    alone = await kata.shut_down()
    await stage.calls("job")("after")
    task = asyncio.create_task(stage.calls("job")("other"), name="other")
    await asyncio.sleep(0)
    return [alone, await kata.shut_down(), task.cancelled()]


@cancellation
async def test_shutting_down_never_cancels_itself(run, rng):
    """The calling task itself goes on, also where there is no other task to cancel."""
    trace = await run(close_empty_shop, world=calls(job={"after": rng.randint(1, 9) / 2, "other": 9.0}))
    assert trace.result == [[], ["other"], True]


# --- run_until_interrupt -----------------------------------------------------------------------------


@scenario
def run_jobs(kata, stage, *, names, interrupted):
    job = stage.calls("job")

    def named(name):
        return lambda: job(name)

    if interrupted:
        stage.interrupt()
    jobs = {name: named(name) for name in names}
    results = kata.run_until_interrupt(jobs)
    stage.note("jobs as they were", list(jobs) == names)
    return results


@scenario
def run_jobs_twice(kata, stage, *, names):
    job = stage.calls("job")
    return [kata.run_until_interrupt({name: lambda name=name: job(name)}) for name in names]


@scenario
def run_one_job_under_two_names(kata, stage, *, names):
    return kata.run_until_interrupt(dict.fromkeys(names, stage.calls("job")))


@scenario
def run_jobs_after_ctrl_c(kata, stage, *, names):
    """Two calls; Ctrl-C comes in the first one."""
    job = stage.calls("job")
    stage.interrupt()
    return [kata.run_until_interrupt({name: lambda name=name: job(name)}) for name in names]


@timing
async def test_without_ctrl_c_all_jobs_run_at_the_same_time(run, rng):
    """Without Ctrl-C all jobs run at the same time, and every result comes back under its name."""
    names = staff(rng, 4)
    delays = [number / 64 for number in rng.sample(range(65, 1280, 2), 4)]  # not met by looking every 1/8 s
    jobs = {name: call(delay) for name, delay in zip(names, delays, strict=True)}
    jobs[names[1]] = call(delays[1], None)
    trace = await run(run_jobs, names=names, interrupted=False, world=calls(job=jobs))
    assert trace.starts("job") == [0.0] * 4
    assert trace.elapsed == max(delays), (
        f"4 jobs at the same time take as long as the slowest, {max(delays)} s; "
        f"`run_until_interrupt` returned after {trace.elapsed!r} s."
    )
    assert trace.result == {name: trace.given("job", name) for name in names}
    assert trace.noted("jobs as they were") == [True]
    trace = await run(run_jobs_twice, names=names[:2], world=calls(job=1.0))
    assert trace.result == [{name: trace.given("job", name)} for name in names[:2]]
    trace = await run(run_one_job_under_two_names, names=names[:2], world=calls(job=1.0))
    called = trace.count("job")
    assert called == 2, f"One job stood under two names. How often it was called: expected 2, saw {called}."
    one, other = trace.all_given("job")
    assert trace.result in [dict(zip(names[:2], pair, strict=True)) for pair in ((one, other), (other, one))]
    trace = await run(run_jobs, names=[], interrupted=False)
    assert trace.result == {}
    assert trace.elapsed == 0.0


@cancellation
@points(2)
async def test_ctrl_c_keeps_the_results_that_were_there(run, rng):
    """On Ctrl-C the results of the jobs that had finished come back, the others are cancelled; no KeyboardInterrupt."""
    early, late, never = names = staff(rng, 3)
    at = rng.randint(5, 9) / 2
    jobs = {early: call(1.0, None), late: at - 0.5, never: 99.0}  # one after the other, the second would come too late
    trace = await run(run_jobs, names=names, interrupted=True, world=calls(interrupt=at, job=jobs))
    assert trace.result == {name: trace.given("job", name) for name in (early, late)}
    assert trace.call("job", never).cancelled_at == at
    assert trace.elapsed == at
    trace = await run(run_jobs_after_ctrl_c, names=names[:2], world=calls(interrupt=0.5, job=1.0))
    _, second = trace.result
    assert late in second, (
        "Ctrl-C came at 0.5 s in a first call of `run_until_interrupt`; a second call without it, with 1 job of 1 s, "
        f"should return the result of that job, but it returned {second!r}."
    )
    assert trace.result == [{}, {late: trace.given("job", late)}]


@cancellation
@points(2)
async def test_ctrl_c_lets_the_jobs_clean_up(run, rng):
    """On Ctrl-C the cancelled jobs clean up to the end, undisturbed, before it returns."""
    names = staff(rng, 3)
    cleanups = rng.sample(range(1, 12), 2)
    jobs = {names[0]: 1.0} | {
        name: call(99.0, cleanup=time / 4) for name, time in zip(names[1:], cleanups, strict=True)
    }
    trace = await run(run_jobs, names=names, interrupted=True, world=calls(interrupt=2.0, job=jobs))
    assert trace.result == {names[0]: trace.given("job", names[0])}
    cut = len(trace.interrupted())
    assert not cut, (
        f"Ctrl-C came at 2 s, and 2 jobs clean up for up to {max(cleanups) / 4:g} s; {cut} of 2 clean-ups were cut off."
    )
    assert trace.elapsed == 2.0 + max(cleanups) / 4


@result
async def test_a_failing_job_stops_the_others(run, rng):
    """Without Ctrl-C, the first failure cancels the other jobs, waits for them, and is raised."""
    one, bad, other, two = names = staff(rng, 4)
    at = rng.randint(1, 8) / 2
    cleanups = [time / 4 for time in rng.sample(range(1, 9), 2)]
    fail_too = [call(99.0, cleanup=time, then="raises", error=ValueError) for time in cleanups]
    jobs = {bad: call(at, error=LookupError), one: fail_too[0], other: 99.0, two: fail_too[1]}
    # A group may hold the later errors as well, and nobody says that they must be looked at.
    trace = await run(
        run_jobs, names=names, interrupted=False, world=calls(job=jobs), raises=Exception, allow=("complaints",)
    )
    first = trace.given("job", bad)
    assert trace.error.holds(first), (
        f"{bad!r} failed first, at {at:g} s, with {first!r}; what came out is {trace.error!r}."
    )
    for name in (one, other, two):
        span = trace.call("job", name)
        assert span.cancelled_at == at, (
            f"{bad!r} failed at {at:g} s: {name!r} should have been cancelled at once;"
            f" it ended at {span.end!r} s, {span.outcome}."
        )
    assert not trace.interrupted(), (
        f"{bad!r} failed at {at:g} s, and two others fail in their clean-up, of up to {max(cleanups):g} s: "
        f"{len(trace.interrupted())} of 2 clean-ups were cut off by a second cancellation."
    )
    assert trace.elapsed == at + max(cleanups)
