"""The suite of 05_cancellation as one would write it without the checker: plain pytest, in the same process.

The same 20 behaviours as tests/katas/test_05_cancellation.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
import gc
import signal
import threading
from functools import partial

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, failure_of

# --- cancel_and_wait -----------------------------------------------------------------------------------


async def stop_one(kata, call, after):
    job = Calls(call)
    task = asyncio.create_task(job("job"))
    await asyncio.sleep(after * UNIT)
    answer = await kata.cancel_and_wait(task)
    assert task.done()
    return answer, job


async def test_it_waits_until_the_task_has_cleaned_up(kata):
    answer, job = await stop_one(kata, Call(99, cleanup=2), after=1)
    assert answer is True
    assert job.now() == about(3)
    assert not job.spans[0].interrupted


async def test_a_task_that_ends_at_once_takes_no_time(kata):
    answer, job = await stop_one(kata, 99, after=2.5)
    assert answer is True
    assert job.now() == about(2.5)


async def test_a_finished_task_is_not_cancelled(kata):
    answer, job = await stop_one(kata, 2, after=5)
    assert answer is False
    assert job.outcomes() == ["done"]


async def test_a_task_that_finishes_anyway_is_not_cancelled(kata):
    answer, job = await stop_one(kata, Call(99, cleanup=1.5, then="returns"), after=1)
    assert answer is False
    assert job.outcomes() == ["done"]


@pytest.mark.parametrize("call", [Call(3, ValueError), Call(99, KeyError, cleanup=0.5, then="raises")])
async def test_the_error_of_a_failing_task_is_not_raised(kata, call):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    answer, job = await stop_one(kata, call, after=5)
    assert answer is False
    assert job.outcomes() == ["failed"]
    del job
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.25])
async def test_a_cancellation_of_the_caller_is_not_swallowed(kata, moment):
    job = Calls(Call(99, cleanup=1.75))
    task = asyncio.create_task(job("job"))
    await asyncio.sleep(0)
    await cancel_at(moment, kata.cancel_and_wait(task))
    assert task.done()
    assert not job.spans[0].interrupted


async def test_it_works_in_the_cleanup_of_a_cancelled_task(kata):
    job, told = Calls({"child": Call(99, cleanup=1.5), "parent": 99}), []

    async def parent():
        child = asyncio.create_task(job("child"))
        try:
            await job("parent")
        finally:
            told.append(await kata.cancel_and_wait(child))

    await cancel_at(1, parent())
    assert told == [True]
    assert job.now() == about(2.5)


# --- use -----------------------------------------------------------------------------------------------


class Resource:
    """The three callables that `use` is given, each with its calls."""

    def __init__(self, acquire, work=99, release=1):
        self.acquire, self.work, self.release = Calls(acquire), Calls(work), Calls(release)

    async def _acquire(self):
        return await self.acquire("resource")

    def use(self, kata):
        return kata.use(self._acquire, self.work, self.release)

    def releases(self):
        """How each release ended; all must be of what was acquired."""
        assert all(span.args == (self.acquire.spans[0].value,) for span in self.release.spans)
        return self.release.outcomes()


async def test_a_resource_is_acquired_used_and_released(kata):
    resource = Resource(1.5, 0.75, 2)
    assert await resource.use(kata) == resource.work.spans[0].value
    acquired = resource.acquire.spans[0].value
    assert [(span.args, span.start) for span in resource.work.spans] == [((acquired,), about(1.5))]
    assert [(span.args, span.start) for span in resource.release.spans] == [((acquired,), about(2.25))]
    assert resource.acquire.outcomes() == ["done"]
    assert resource.acquire.now() == about(4.25)


async def test_a_failing_work_releases_and_fails(kata):
    resource = Resource(1, Call(1, ValueError), 2)
    assert await failure_of(resource.use(kata)) is resource.work.spans[0].value
    assert len(resource.work.spans) == 1
    assert resource.releases() == ["done"]


async def test_what_was_not_acquired_is_not_released(kata):
    resource = Resource(Call(2, OSError))
    assert await failure_of(resource.use(kata)) is resource.acquire.spans[0].value
    assert resource.work.spans == []
    assert resource.release.spans == []


@pytest.mark.parametrize(("moment", "releases"), [(0.0, []), (0.5, []), (2.0, ["done"]), (3.75, ["done"])])
async def test_cancelled_at_any_point_it_releases_what_it_holds(kata, moment, releases):
    resource = Resource(1, 2, 1.5)
    await cancel_at(moment, resource.use(kata))
    assert resource.releases() == releases


async def test_a_second_cancel_does_not_interrupt_the_release(kata):
    resource = Resource(1, 99, 3)
    task = asyncio.create_task(resource.use(kata))
    await asyncio.sleep(1.5 * UNIT)
    task.cancel()
    await cancel_at(0.5, asyncio.wait_for(task, None))
    assert task.cancelled()
    assert resource.releases() == ["done"]
    assert resource.acquire.now() == about(4.5)


# --- shut_down -----------------------------------------------------------------------------------------


async def close_shop(kata, script, after=1):
    job = Calls(script)
    tasks = [asyncio.create_task(job(name), name=name) for name in script]
    await asyncio.sleep(after * UNIT)
    stopped = await kata.shut_down()
    return job, stopped, sum(task.done() for task in tasks)


async def test_shutting_down_cancels_all_others_and_waits_for_them(kata):
    cleanups = {"worker 7": 0.5, "worker 3": 2, "worker 9": 0, "worker 1": 1}
    job, stopped, ended = await close_shop(kata, {name: Call(99, cleanup=time) for name, time in cleanups.items()})
    assert stopped == sorted(cleanups)
    assert ended == 4
    assert job.outcomes() == ["cancelled"] * 4
    assert [span.cancelled_at for span in job.spans] == [about(1)] * 4
    assert not any(span.interrupted for span in job.spans)


async def test_only_those_that_ended_cancelled_are_named(kata):
    script = {
        "finished": 0.5,
        "returns": Call(99, cleanup=0.25, then="returns"),
        "fails": Call(99, ValueError, cleanup=0.25, then="raises"),
        "stopped": Call(99, cleanup=0.5),
    }
    _, stopped, ended = await close_shop(kata, script)
    assert stopped == ["stopped"]
    assert ended == 4


async def test_a_task_that_refuses_is_left_after_a_second_cancel(kata, monkeypatch):
    if hasattr(kata, "PATIENCE"):
        monkeypatch.setattr(kata, "PATIENCE", kata.PATIENCE * UNIT)
    refused, closing = [], asyncio.Event()

    async def refuse():
        while not closing.is_set():
            try:
                await closing.wait()
            except asyncio.CancelledError:
                refused.append("cancel")

    good = asyncio.create_task(Calls(Call(99, cleanup=0.25))("good"), name="good")
    stubborn = asyncio.create_task(refuse(), name="stubborn")
    await asyncio.sleep(UNIT)
    try:
        async with asyncio.timeout(400 * UNIT):
            assert await kata.shut_down() == ["good"]
        assert good.cancelled()
        assert not stubborn.done()
    finally:
        closing.set()
    await stubborn
    assert len(refused) >= 2


async def test_shutting_down_never_cancels_itself(kata):
    job = Calls({"after": 2.5, "other": 9})
    assert await kata.shut_down() == []
    await job("after")
    task = asyncio.create_task(job("other"), name="other")
    await asyncio.sleep(0)
    assert await kata.shut_down() == ["other"]
    assert task.cancelled()


# --- run_until_interrupt -------------------------------------------------------------------------------


def run_jobs(kata, job, interrupt=None):
    """Runs the jobs of the script; Ctrl-C comes at that moment, and must not come out."""
    main = threading.main_thread().ident
    timer = threading.Timer((interrupt or 0) * UNIT, signal.pthread_kill, (main, signal.SIGINT))
    if interrupt:
        timer.start()
    try:
        return kata.run_until_interrupt({name: partial(job, name) for name in job.script})
    except KeyboardInterrupt:
        pytest.fail("KeyboardInterrupt came out")
    finally:
        timer.cancel()


def test_without_ctrl_c_all_jobs_run_at_the_same_time(kata):
    job = Calls({"worker 7": 9, "worker 3": 2, "worker 9": 12, "worker 1": 5})
    found = run_jobs(kata, job)
    assert job.now() == about(12)
    assert [span.start for span in job.spans] == [about(0)] * 4
    assert found == {name: job.of(name).value for name in job.script}
    job = Calls({})
    assert run_jobs(kata, job) == {}
    assert job.now() == about(0)


def test_ctrl_c_keeps_the_results_that_were_there(kata):
    job = Calls({"early": 1, "late": 2, "never": 99})
    found = run_jobs(kata, job, interrupt=3.5)
    assert job.now() == about(3.5)
    assert found == {name: job.of(name).value for name in ("early", "late")}
    assert job.of("never").cancelled_at == about(3.5)


def test_ctrl_c_lets_the_jobs_clean_up(kata):
    job = Calls({"early": 1, "one": Call(99, cleanup=2), "other": Call(99, cleanup=0.75)})
    found = run_jobs(kata, job, interrupt=2)
    assert found == {"early": job.of("early").value}
    assert not any(span.interrupted for span in job.spans)
    assert job.outcomes() == ["done", "cancelled", "cancelled"]
    assert job.now() == about(4)


def test_a_failing_job_stops_the_others(kata):
    job = Calls({"bad": Call(2.5, LookupError), "other": 99})
    with pytest.raises((LookupError, ExceptionGroup)) as raised:
        run_jobs(kata, job)
    failures = getattr(raised.value, "exceptions", (raised.value,))
    assert job.of("bad").value in failures
    assert job.of("other").outcome == "cancelled"
    assert job.now() == about(2.5)
