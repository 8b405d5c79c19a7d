"""The suite of 16_process_pool as one would write it without the checker: plain pytest, with real processes.

The same behaviours as tests/katas/test_16_process_pool.py.  Nothing is measured, as there: items wait at a gate.
"""

import asyncio
import multiprocessing
import os
import resource
from pathlib import Path

import pytest

from checker.runner import jobs

PATIENCE = 6
"""Seconds for what should come at once; items at a gate wait longer."""
PAUSE = 0.125
"""Seconds in which others may come who ought not to."""


class Gate:
    """A folder where items leave word; they wait for so many that, for more than come, only `open` lets them go on."""

    def __init__(self, path, many):
        self.path, self.many = path, many
        path.mkdir()

    @property
    def begun(self):
        return sum(name != "gate" for name in jobs.arrived(self.path))

    def open(self):
        for _ in range(self.many):
            jobs.arrive(self.path, "gate")

    def items(self, values):
        return [[value, str(self.path), self.many] for value in values]


@pytest.fixture
def gate(tmp_path):
    """Makes gates, which are open in the end."""
    made = []

    def make(many):
        made.append(Gate(tmp_path / str(len(made)), many))
        return made[-1]

    yield make
    for each in made:
        each.open()


def start(kata, name, items, processes, chunk=2):
    function = jobs.meet_async if name == "map_async" else jobs.meet
    extra = [chunk] if name == "crunch_chunks" else []
    return asyncio.create_task(getattr(kata, name)(function, items, processes, *extra))


async def until(so):
    """Let the loop go on until it is so, or patience is at its end."""
    over = asyncio.get_running_loop().time() + PATIENCE
    while not so() and asyncio.get_running_loop().time() < over:  # noqa: ASYNC110 - other processes make it so
        await asyncio.sleep(1 / 128)


async def all_come(gate, task, expected):
    """How many items are at the gate, once as many as expected have come, and others had time to."""
    await until(lambda: task.done() or gate.begun >= expected)
    await asyncio.sleep(PAUSE)
    assert not task.done()
    return gate.begun


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def left(gate):
    """How many processes live on, of those that have left word and of our own; a manager is nobody's."""
    own = {child.pid for child in multiprocessing.active_children() if "Manager" not in child.name}
    return len(own | {pid for pid in jobs.pids(gate.path) - {os.getpid()} if is_alive(pid)})


def pids_of(results, values):
    assert [value for value, _ in results] == values
    return [pid for _, pid in results]


async def at_a_gate(kata, name, gate, values, processes, expected):
    """As many items as expected come together at the gate while the loop is free to look; then all have results."""
    task = start(kata, name, gate.items(values), processes, chunk=4)
    assert await all_come(gate, task, expected) == expected
    gate.open()
    pids_of(await task, values)


async def by_themselves(kata, name, gate, values, processes):
    """All items have results, from other processes, and from no more of them than there should be."""
    items = dict(zip(values, gate.items(values), strict=True))
    given = [items[value] for value in values]
    before = [list(item) for item in given]
    pids = pids_of(await start(kata, name, given, processes, chunk=4), values)
    assert os.getpid() not in pids
    assert len(set(pids)) <= processes
    assert given == before
    return pids


async def the_first_is_the_last(kata, name, gate, values):
    """The first item is held up until others have been done."""
    held, passed = gate(2), gate(1)
    task = start(kata, name, held.items(values[:1]) + passed.items(values[1:]), 2)
    await until(lambda: task.done() or (held.begun and passed.begun))
    await asyncio.sleep(2 * PAUSE)
    held.open()
    pids_of(await task, values)


def assert_failures(results, values, bad):
    for place, (got, value) in enumerate(zip(results, values, strict=True)):
        if place in bad:
            assert isinstance(got, ValueError)
            assert got.args == (value,)
        else:
            assert got[0] == value


async def cancel(task, gate):
    """It ends in CancelledError without waiting for its items, leaves no process and begins no item."""
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.cancelled()
    begun = gate.begun
    await until(lambda: not left(gate))
    assert left(gate) == 0
    gate.open()
    assert gate.begun == begun


async def cancel_early(kata, name, gate, turns):
    task = start(kata, name, gate.items([1, 2, 3]), 2)
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancel(task, gate)


async def cancel_late(kata, name, gate, pause):
    task = start(kata, name, gate.items([1, 2, 3]), 2)
    await until(lambda: gate.begun == 3)
    await asyncio.sleep(pause)
    if task.done():
        pids_of(task.result(), [1, 2, 3])
        assert left(gate) == 0
    else:
        await cancel(task, gate)


async def test_as_many_items_at_work_as_workers(kata, gate):
    await at_a_gate(kata, "crunch", gate(7), [6, 5, 4, 3, 2, 1], 3, expected=3)


async def test_never_more_processes_than_workers(kata, gate):
    await by_themselves(kata, "crunch", gate(1), [1, 8, 7, 6, 5, 4, 3, 2, 1], 2)


async def test_results_stand_in_the_order_of_the_items(kata, gate):
    await the_first_is_the_last(kata, "crunch", gate, [5, 3, 6, 1, 4, 2])


def some_bad(values, *bad):
    return [[value, "ValueError" if value in bad else None] for value in values]


async def test_a_failure_takes_its_own_place(kata):
    values = [6, 5, 4, 3, 2, 1]
    results = await kata.crunch(jobs.fail, some_bad(values, 5, 2), 2)
    assert_failures(results, values, bad=(1, 4))


@pytest.mark.parametrize("name", ["crunch", "crunch_chunks", "map_async"])
async def test_processes_are_gone_on_return(kata, gate, name):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    assert await start(kata, name, [], 2) == []
    assert multiprocessing.active_children() == []
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt == before
    place = gate(1)
    pids_of(await start(kata, name, place.items([3, 1, 2]), 2), [3, 1, 2])
    assert left(place) == 0


async def test_cancelled_at_work_it_kills_the_processes(kata, gate):
    closed = gate(7)
    task = start(kata, "crunch", closed.items([6, 5, 4, 3, 2, 1]), 2)
    assert await all_come(closed, task, 2) == 2
    await cancel(task, closed)


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_cancelled_early_it_leaves_no_process(kata, gate, turns):
    await cancel_early(kata, "crunch", gate(4), turns)


@pytest.mark.parametrize("pause", [0, 0.002, 0.006])
async def test_cancelled_late_it_leaves_no_process(kata, gate, pause):
    await cancel_late(kata, "crunch", gate(1), pause)


async def test_as_many_messages_at_work_as_workers(kata, gate):
    await at_a_gate(kata, "crunch_chunks", gate(12), list(range(11)), 3, expected=3)


async def test_a_message_is_worked_off_by_one_process(kata, gate):
    pids = await by_themselves(kata, "crunch_chunks", gate(2), list(range(13)), 2)
    assert [len(set(pids[first : first + 4])) for first in range(0, 13, 4)] == [1, 1, 1, 1]


async def test_chunks_stand_in_the_order_of_the_items(kata, gate):
    await the_first_is_the_last(kata, "crunch_chunks", gate, [5, 3, 6, 1, 4, 2, 7])


async def test_a_failing_item_spoils_only_itself(kata):
    values = [8, 7, 6, 5, 4, 3, 2, 1]
    results = await kata.crunch_chunks(jobs.fail, some_bad(values, 7, 4), 2, 3)
    assert_failures(results, values, bad=(1, 4))


async def test_cancelled_it_does_not_finish_its_messages(kata, gate):
    closed = gate(8)
    task = start(kata, "crunch_chunks", closed.items([7, 6, 5, 4, 3, 2, 1]), 2)
    assert await all_come(closed, task, 2) == 2
    await cancel(task, closed)


async def test_sixteen_jobs_overlap_in_one_process(kata, gate):
    await at_a_gate(kata, "map_async", gate(17), list(range(16)), 1, expected=16)


async def test_two_processes_hold_more_jobs(kata, gate):
    await at_a_gate(kata, "map_async", gate(22), list(range(21)), 2, expected=21)


async def test_jobs_run_in_other_processes(kata, gate):
    await by_themselves(kata, "map_async", gate(1), [1, 8, 7, 6, 5, 4, 3, 2, 1], 3)


async def test_jobs_results_stand_in_the_order_of_the_items(kata, gate):
    await the_first_is_the_last(kata, "map_async", gate, [5, 3, 6, 1, 4, 2])


async def test_a_failed_job_is_raised(kata):
    values = [5, 4, 3, 2, 1]
    pids_of(await kata.map_async(jobs.fail_async, some_bad(values), 2), values)
    with pytest.raises(Exception) as caught:
        await kata.map_async(jobs.fail_async, some_bad(values, 3), 2)
    assert "3" in str(caught.value)


async def test_the_first_failure_ends_the_rest(kata, gate):
    place, closed = gate(1), gate(6)
    pids_of(await start(kata, "map_async", place.items([5, 4, 3, 2, 1]), 2), [5, 4, 3, 2, 1])
    items = closed.items([5, 4, 3, 2, 1])
    items[2][1] += ".missing"
    task = start(kata, "map_async", items, 2)
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.done()
    assert isinstance(task.exception(), Exception)
    await until(lambda: not left(closed))
    assert left(closed) == 0


async def test_cancelled_no_job_process_is_left(kata, gate):
    closed = gate(7)
    task = start(kata, "map_async", closed.items([6, 5, 4, 3, 2, 1]), 2)
    assert await all_come(closed, task, 6) == 6
    await cancel(task, closed)


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_cancelled_early_no_job_process_is_left(kata, gate, turns):
    await cancel_early(kata, "map_async", gate(4), turns)


@pytest.mark.parametrize("pause", [0, 0.002, 0.006])
async def test_cancelled_late_no_job_process_is_left(kata, gate, pause):
    await cancel_late(kata, "map_async", gate(1), pause)
