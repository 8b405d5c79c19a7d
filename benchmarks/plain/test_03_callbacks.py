"""The suite of 03_callbacks as one would write it without the checker: plain pytest, in the same process.

The same 18 behaviours as tests/katas/test_03_callbacks.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
import time

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, failure_of


def script(*steps):
    """What the visits of /0, /1, … do: urls and script in one."""
    return {f"/{place}": step for place, step in enumerate(steps)}


class Reports:
    """A reporter that writes down what it is told, and when; a bad one then fails."""

    def __init__(self, visit, bad=False):
        self.visit, self.bad = visit, bad
        self.told, self.moments = [], []

    def __call__(self, url, outcome):
        self.told.append((url, outcome))
        self.moments.append(self.visit.now())
        if self.bad:
            raise RuntimeError("the reporter failed")

    def due(self):
        """What should have been told, in the order in which the visits ended."""
        words = {"done": "ok", "failed": "error", "cancelled": "cancelled"}
        ended = sorted(self.visit.spans, key=lambda span: span.end)
        return [(span.args[0], words[span.outcome]) for span in ended]


# --- launch --------------------------------------------------------------------------------------------


async def test_launch_returns_before_any_visit_has_started(kata):
    visit = Calls(script(1, 4, 2.5, 3))
    tasks = kata.launch(visit, list(visit.script))
    time.sleep(UNIT)  # noqa: ASYNC251
    assert visit.spans == []
    await asyncio.gather(*tasks.values())
    assert visit.peak == 4
    assert visit.now() == about(5)


async def test_the_tasks_are_named_after_their_urls(kata):
    visit = Calls(script(1, 1, 1))
    urls = list(visit.script)
    tasks = kata.launch(visit, urls)
    assert all(isinstance(task, asyncio.Task) for task in tasks.values())
    assert {url: task.get_name() for url, task in tasks.items()} == {url: url for url in visit.script}
    assert urls == list(visit.script)
    await asyncio.gather(*tasks.values())
    assert kata.launch(visit, []) == {}


async def test_each_task_brings_what_its_visit_brings(kata):
    visit = Calls(script(2, Call(0.5, ValueError), 3, 9, 1.5))
    tasks = kata.launch(visit, list(visit.script))
    await asyncio.sleep(UNIT)
    tasks["/3"].cancel()
    await asyncio.wait(tasks.values())
    assert tasks["/3"].cancelled()
    assert visit.of("/3").cancelled_at == about(1)
    assert tasks["/1"].exception() is visit.of("/1").value
    assert [tasks[url].result() for url in ("/0", "/2", "/4")] == visit.values(["/0", "/2", "/4"])


# --- visit_and_report ----------------------------------------------------------------------------------


async def report_one(kata, visit, report, over):
    """Write down what has been told by the time it is over."""
    try:
        return await kata.visit_and_report(visit, "/0", report)
    finally:
        over.extend(report.told)


async def test_a_visit_that_goes_well_is_reported_ok(kata):
    visit = Calls(1.5)
    report = Reports(visit)
    assert await kata.visit_and_report(visit, "/0", report) == visit.of("/0").value
    assert report.told == [("/0", "ok")]


async def test_a_visit_that_fails_is_reported_as_an_error(kata):
    visit = Calls(Call(1.5, OSError))
    report = Reports(visit)
    assert await failure_of(kata.visit_and_report(visit, "/0", report)) is visit.of("/0").value
    assert report.told == [("/0", "error")]


@pytest.mark.parametrize("error", [None, ValueError])
async def test_the_report_comes_when_the_visit_ends(kata, error):
    visit = Calls(Call(2.5, error))
    report = Reports(visit)
    await asyncio.gather(kata.visit_and_report(visit, "/0", report), return_exceptions=True)
    assert report.moments == [about(2.5)]
    assert visit.now() == about(2.5)


@pytest.mark.parametrize(("error", "outcome"), [(None, "ok"), (ValueError, "error")])
async def test_the_report_comes_before_the_return(kata, error, outcome):
    visit, over = Calls(Call(1.5, error)), []
    await asyncio.gather(report_one(kata, visit, Reports(visit), over), return_exceptions=True)
    assert over == [("/0", outcome)]


@pytest.mark.parametrize("moment", [0.5, 1.25, 3.0])
async def test_cancelled_it_reports_the_cancelled_visit(kata, moment):
    visit, over = Calls(4), []
    report = Reports(visit)
    await cancel_at(moment, report_one(kata, visit, report, over))
    assert over == report.told == [("/0", "cancelled")]
    assert report.moments == [about(moment)]
    assert visit.running == 0


async def test_a_visit_that_somebody_else_cancels_is_reported_too(kata):
    tasks, visit = [], Calls(9)
    report = Reports(visit)

    async def known_visit(url):
        tasks.append(asyncio.current_task())
        return await visit(url)

    own = asyncio.create_task(kata.visit_and_report(known_visit, "/0", report))
    await asyncio.sleep(1.5 * UNIT)
    for task in tasks:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await own
    assert report.told == [("/0", "cancelled")]
    assert report.moments == [about(1.5)]


# --- report_each ---------------------------------------------------------------------------------------


async def report_all(kata, *steps, bad=False):
    visit = Calls(script(*steps))
    report, urls = Reports(visit, bad), list(visit.script)
    found = await kata.report_each(visit, urls, report)
    assert urls == list(visit.script)
    return visit, report, found


async def test_all_visits_overlap(kata):
    visit, _, _ = await report_all(kata, 1, 4, 2.5, 3)
    assert visit.peak == 4
    assert visit.now() == about(4)
    visit, _, found = await report_all(kata)
    assert found == []
    assert visit.now() == about(0)


async def test_reports_come_in_finishing_order(kata):
    _, report, _ = await report_all(kata, 3, 4, 2, 1.5, 0.5)
    assert report.told == report.due()
    assert len(report.told) == 5
    assert report.moments == [about(moment) for moment in (0.5, 1.5, 2, 3, 4)]


async def test_each_report_has_its_own_url_and_outcome(kata):
    _, report, _ = await report_all(kata, 2, Call(1, ValueError), 3, Call(2.5, ValueError), 0.5)
    assert report.told == [("/4", "ok"), ("/1", "error"), ("/0", "ok"), ("/3", "error"), ("/2", "ok")]


async def test_results_stand_in_the_order_of_the_urls(kata):
    visit, _, found = await report_all(kata, 4, 3, 2, 1.5, 0.5)
    assert found == visit.values(visit.script)


async def test_a_failure_takes_its_own_place(kata):
    visit, _, found = await report_all(kata, 2, 4, Call(1, ValueError), 3, 0.5)
    assert found == visit.values(visit.script)
    assert isinstance(found[2], ValueError)
    assert visit.now() == about(4)


async def test_a_url_that_stands_twice_is_reported_twice(kata):
    visit = Calls({"twice": 2, "once": 1})
    report = Reports(visit)
    found = await kata.report_each(visit, ["twice", "once", "twice"], report)
    assert report.told == [("once", "ok"), ("twice", "ok"), ("twice", "ok")]
    first, second = (span.value for span in visit.spans if span.args == ("twice",))
    alone = visit.of("once").value
    assert found in ([first, alone, second], [second, alone, first])


@pytest.mark.parametrize("moment", [0.5, 1.25, 2.5, 3.5])
async def test_cancelled_it_reports_every_visit_once(kata, moment):
    visit = Calls(script(2, 1, Call(3, ValueError), 4))
    report = Reports(visit)
    await cancel_at(moment, kata.report_each(visit, list(visit.script), report))
    assert sorted(report.told) == sorted(report.due())
    assert visit.running == 0


# --- reports that fail ---------------------------------------------------------------------------------


async def test_a_failing_report_changes_nothing(kata):
    visit = Calls(2)
    assert await kata.visit_and_report(visit, "/0", Reports(visit, bad=True)) == visit.of("/0").value
    visit = Calls(Call(1, LookupError))
    assert await failure_of(kata.visit_and_report(visit, "/0", Reports(visit, bad=True))) is visit.of("/0").value
    visit, report, found = await report_all(kata, 2, 4, 1, 3, bad=True)
    assert found == visit.values(visit.script)
    assert report.told == report.due()


@pytest.mark.parametrize("moment", [0.5, 1.5, 2.5])
async def test_a_failing_report_does_not_stop_a_cancellation(kata, moment):
    visit = Calls(3)
    report = Reports(visit, bad=True)
    await cancel_at(moment, kata.visit_and_report(visit, "/0", report))
    assert report.told == [("/0", "cancelled")]
    visit = Calls(script(2, 1, 4))
    report = Reports(visit, bad=True)
    await cancel_at(moment, kata.report_each(visit, list(visit.script), report))
    assert sorted(report.told) == sorted(report.due())
    assert visit.running == 0
