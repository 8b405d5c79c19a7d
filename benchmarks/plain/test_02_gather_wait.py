"""The suite of 02_gather_wait as one would write it without the checker: plain pytest, in the same process.

The same 30 behaviours as tests/katas/test_02_gather_wait.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
import gc

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, failure_of


def script(*steps):
    """What the visits of /0, /1, … do: urls and script in one."""
    return {f"/{place}": step for place, step in enumerate(steps)}


async def is_over_at_once(coroutine, result):
    async with asyncio.timeout(0.34 * UNIT):
        assert await coroutine == result


def nobody_runs(visit):
    return visit.running == 0 and not any(span.interrupted for span in visit.spans)


# --- visit_all -----------------------------------------------------------------------------------------


async def test_all_visits_overlap(kata):
    visit = Calls(script(1, 4, 2.5, 3))
    await kata.visit_all(visit, list(visit.script))
    assert visit.now() == about(4)
    assert visit.peak == 4
    await is_over_at_once(kata.visit_all(visit, []), [])


async def test_results_stand_in_the_order_of_the_urls(kata):
    visit = Calls(script(3, 4, 2, 1.5, 0.5))
    urls = list(visit.script)
    assert await kata.visit_all(visit, urls) == visit.values(urls)
    assert urls == list(visit.script)


@pytest.mark.parametrize("function", ["visit_all", "visit_settled", "visit_or_abandon"])
async def test_a_url_that_stands_twice_is_visited_twice(kata, function):
    visit = Calls({"twice": 2, "once": 1})
    found = await getattr(kata, function)(visit, ["twice", "once", "twice"])
    first, second = (span.value for span in visit.spans if span.args == ("twice",))
    alone = visit.of("once").value
    assert found in ([first, alone, second], [second, alone, first])


async def test_the_error_of_a_failed_visit_is_raised(kata):
    visit = Calls(script(2, 2, Call(6, LookupError), 2))
    failure = await failure_of(kata.visit_all(visit, list(visit.script)))
    assert failure is visit.of("/2").value


async def test_a_failure_leaves_no_other_visit_running(kata):
    visit = Calls(script(9, 1, 9, Call(2, ValueError), 9))
    failure = await failure_of(kata.visit_all(visit, list(visit.script)))
    assert failure is visit.of("/3").value
    assert visit.now() == about(2)
    assert visit.outcomes() == ["cancelled", "done", "cancelled", "failed", "cancelled"]


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0, 3.5])
async def test_cancelled_it_leaves_no_visit_running(kata, moment):
    visit = Calls(script(3, 1, 4))
    await cancel_at(moment, kata.visit_all(visit, list(visit.script)))
    assert visit.now() == about(moment)
    assert nobody_runs(visit)


# --- visit_groups --------------------------------------------------------------------------------------


def by_group(visit, groups):
    return {name: visit.values(urls) for name, urls in groups.items()}


async def test_all_groups_overlap(kata):
    visit = Calls(script(2, 1, 4, 2.5, 3, 0.5))
    await kata.visit_groups(visit, {"z": ["/0", "/1"], "a": ["/2", "/3", "/4"], "m": ["/5"]})
    assert visit.now() == about(4)
    assert visit.peak == 6


async def test_each_group_has_its_own_results(kata):
    visit = Calls(script(4, 3, 2.5, 2, 1))
    groups = {"z": ["/0", "/1", "/2"], "a": [], "m": ["/3", "/4"]}
    given = {name: list(urls) for name, urls in groups.items()}
    assert await kata.visit_groups(visit, given) == by_group(visit, groups)
    assert given == groups


async def test_groups_keep_their_order(kata):
    visit = Calls(script(4, 3.5, 3, 2, 1, 0.5))
    groups = {"z": ["/0"], "a": ["/1", "/2"], "m": ["/3"], "k": ["/4", "/5"]}
    found = await kata.visit_groups(visit, groups)
    assert list(found.items()) == list(by_group(visit, groups).items())
    await is_over_at_once(kata.visit_groups(visit, {}), {})


async def test_a_failure_ends_all_groups(kata):
    visit = Calls(script(9, 9, 9, Call(2, ValueError), 9, 9))
    groups = {"z": ["/0", "/1"], "a": ["/2", "/3"], "m": ["/4", "/5"]}
    failure = await failure_of(kata.visit_groups(visit, groups))
    assert failure is visit.of("/3").value
    assert visit.now() == about(2)
    assert sorted(visit.outcomes()) == ["cancelled"] * 5 + ["failed"]


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0, 3.5])
async def test_cancelled_it_leaves_no_group_running(kata, moment):
    visit = Calls(script(3, 1, 4))
    await cancel_at(moment, kata.visit_groups(visit, {"z": ["/0"], "a": ["/1", "/2"]}))
    assert visit.now() == about(moment)
    assert nobody_runs(visit)


# --- visit_settled -------------------------------------------------------------------------------------


async def test_a_failure_takes_its_own_place(kata):
    visit = Calls(script(3, Call(1, ValueError), 2, Call(4, OSError), 0.5))
    urls = list(visit.script)
    assert await kata.visit_settled(visit, urls) == visit.values(urls)
    assert sorted(visit.outcomes()) == ["done"] * 3 + ["failed"] * 2
    assert urls == list(visit.script)


async def test_a_failure_disturbs_nobody(kata):
    visit = Calls(script(Call(1, ValueError), 5, Call(1, ValueError), Call(1, ValueError)))
    await kata.visit_settled(visit, list(visit.script))
    assert visit.now() == about(5)
    assert visit.peak == 4
    await is_over_at_once(kata.visit_settled(visit, []), [])


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0, 3.5])
async def test_a_cancellation_does_not_settle(kata, moment):
    visit = Calls(script(2.5, Call(1, ValueError), 4))
    await cancel_at(moment, kata.visit_settled(visit, list(visit.script)))
    assert visit.now() == about(moment)
    assert nobody_runs(visit)


# --- visit_or_abandon ----------------------------------------------------------------------------------


async def test_without_a_failure_all_results_are_there(kata):
    visit = Calls(script(4, 3, 2, 1))
    urls = list(visit.script)
    assert await kata.visit_or_abandon(visit, urls) == visit.values(urls)
    assert visit.now() == about(4)
    assert urls == list(visit.script)
    await is_over_at_once(kata.visit_or_abandon(visit, []), [])


async def test_a_failure_is_raised_after_the_cleanup(kata):
    late = [Call(9, KeyError, cleanup=cleanup) for cleanup in (1, 3, 0.5)]
    visit = Calls(script(late[0], 1, late[1], Call(2, ValueError), late[2]))
    failure = await failure_of(kata.visit_or_abandon(visit, list(visit.script)))
    assert failure is visit.of("/3").value
    assert nobody_runs(visit)
    assert [visit.of(url).cancelled_at for url in ("/0", "/2", "/4")] == [about(2)] * 3
    assert visit.now() == about(5)


@pytest.mark.parametrize("moment", [0.0, 1.0, 3.0, 5.0])
async def test_cancelled_it_waits_for_the_cleanup(kata, moment):
    visit = Calls(script(Call(4, cleanup=1), Call(2, cleanup=2), Call(20, cleanup=0.5)))
    await cancel_at(moment, kata.visit_or_abandon(visit, list(visit.script)))
    assert nobody_runs(visit)


@pytest.mark.parametrize("moment", [1.25, 1.75, 2.5])
async def test_cancelled_in_the_cleanup_it_still_waits(kata, moment):
    visit = Calls(script(Call(20, cleanup=2), Call(1, ValueError), Call(20, cleanup=1), Call(20, cleanup=0.5)))
    task = asyncio.create_task(kata.visit_or_abandon(visit, list(visit.script)))
    await asyncio.sleep(moment * UNIT)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, ValueError, ExceptionGroup)):
        await task
    assert visit.now() == about(3)
    assert nobody_runs(visit)


# --- first_visit ---------------------------------------------------------------------------------------


async def test_the_first_to_finish_wins(kata):
    visit = Calls(script(Call(2, OSError), Call(4, OSError), 1, Call(3, OSError)))
    urls = list(visit.script)
    assert await kata.first_visit(visit, urls) == visit.of("/2").value
    assert urls == list(visit.script)
    visit = Calls(2)
    assert await kata.first_visit(visit, ["/0"]) == visit.of("/0").value


async def test_it_is_over_with_the_first(kata):
    visit = Calls(script(4, 3, 2.5, 1.5))
    await kata.first_visit(visit, list(visit.script))
    assert visit.peak == 4
    assert visit.now() == about(1.5)


async def test_the_first_to_finish_may_fail(kata):
    visit = Calls(script(4, 4, Call(1.5, LookupError), 4))
    failure = await failure_of(kata.first_visit(visit, list(visit.script)))
    assert failure is visit.of("/2").value
    assert visit.now() == about(1.5)


async def test_the_others_have_cleaned_up(kata):
    visit = Calls(script(Call(9, cleanup=1), Call(9, cleanup=3), 1, Call(9, cleanup=0.5)))
    assert await kata.first_visit(visit, list(visit.script)) == visit.of("/2").value
    assert nobody_runs(visit)
    assert visit.now() == about(4)


async def test_a_loser_that_fails_in_its_cleanup_changes_nothing(kata):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    visit = Calls(script(Call(9, cleanup=1), Call(9, OSError, cleanup=2, then="raises"), 1, Call(9, cleanup=0.5)))
    assert await kata.first_visit(visit, list(visit.script)) == visit.of("/2").value
    assert visit.of("/1").outcome == "failed"
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("moment", [0.0, 1.0, 2.25, 3.0])
async def test_cancelled_the_race_is_off(kata, moment):
    visit = Calls(script(Call(20, cleanup=1), Call(2, cleanup=0.5), Call(20, cleanup=2)))
    await cancel_at(moment, kata.first_visit(visit, list(visit.script)))
    assert visit.now() == about(min(moment, 2) + 2)
    assert nobody_runs(visit)


# --- split_at ------------------------------------------------------------------------------------------


async def test_the_deadline_parts_the_urls(kata):
    visit = Calls(script(3, 1.5, 1, 4))
    urls = list(visit.script)
    found, late = await kata.split_at(visit, urls, 2 * UNIT)
    assert found == {url: visit.of(url).value for url in ("/1", "/2")}
    assert late == ["/0", "/3"]
    assert urls == list(visit.script)


async def test_both_parts_keep_the_order_of_the_input(kata):
    visit = Calls(script(1.5, 9, 1, 8, 0.5))
    found, late = await kata.split_at(visit, list(visit.script), 2 * UNIT)
    assert list(found) == ["/0", "/2", "/4"]
    assert late == ["/1", "/3"]


@pytest.mark.parametrize(("deadline", "end", "in_time"), [(3, 3, ["/0", "/2"]), (12, 9, None), (0.5, 0.5, [])])
async def test_it_ends_at_the_deadline_or_with_the_last_visit(kata, deadline, end, in_time):
    visit = Calls(script(2, 9, 1, 8))
    urls = list(visit.script)
    in_time = urls if in_time is None else in_time
    found, late = await kata.split_at(visit, urls, deadline * UNIT)
    assert visit.now() == about(end)
    assert visit.peak == 4
    assert found == {url: visit.of(url).value for url in in_time}
    assert late == [url for url in urls if url not in in_time]
    await is_over_at_once(kata.split_at(visit, [], deadline * UNIT), ({}, []))


async def test_a_failure_before_the_deadline_is_a_result(kata):
    visit = Calls(script(Call(1, ValueError), 4, 1.5, Call(0.5, TimeoutError)))
    found, late = await kata.split_at(visit, list(visit.script), 2 * UNIT)
    assert found == {url: visit.of(url).value for url in ("/0", "/2", "/3")}
    assert late == ["/1"]


async def test_the_late_are_cancelled_and_cleaned_up(kata):
    visit = Calls(script(Call(20, cleanup=1), 1, Call(20, cleanup=3), Call(20, cleanup=0.5)))
    await kata.split_at(visit, list(visit.script), 2 * UNIT)
    assert nobody_runs(visit)
    assert [visit.of(url).cancelled_at for url in ("/0", "/2", "/3")] == [about(2)] * 3
    assert visit.now() == about(5)


@pytest.mark.parametrize("moment", [0.0, 1.5, 2.25, 3.5])
async def test_cancelled_nobody_is_split(kata, moment):
    visit = Calls(script(Call(20, cleanup=1), Call(1, cleanup=0.5), Call(20, cleanup=2)))
    await cancel_at(moment, kata.split_at(visit, list(visit.script), 2 * UNIT))
    assert visit.now() == about(min(moment, 2) + 2)
    assert nobody_runs(visit)
