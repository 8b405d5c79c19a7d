"""The suite of 16_process_pool: other processes do the work beside a free loop, and none of them is left.

Child processes live in real time, so nothing is measured: items wait at a gate, which the scenario opens.
"""

import _thread
import asyncio
import multiprocessing
import os
import resource
import threading
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from checker.runner import jobs
from checker.suite import Error, cancellation, ordering, points, result, scenario, timing

PATIENCE = 6.0
"""Real seconds after which a gate opens by itself; less than the items' own patience."""
PAUSE = 0.125
"""Seconds in which others may come who ought not to."""

# --- in the runner -----------------------------------------------------------------------------------


class Place:
    """A folder where items leave word; as a gate, items wait there for so many that only `open` lets them go on."""

    def __init__(self, path, many=1):
        self.path = path
        self.many = many
        os.mkdir(path)

    @property
    def begun(self):
        """How many items have left word."""
        return sum(name != "gate" for name in jobs.arrived(self.path))

    @property
    def opened(self):
        """Whether somebody has opened it."""
        return "gate" in jobs.arrived(self.path)

    def open(self):
        """Let everybody go on who waits here, or comes later."""
        for _ in range(self.many):
            jobs.arrive(self.path, "gate")

    def items(self, values):
        """An item for each value, to meet here."""
        return [[value, self.path, self.many] for value in values]


@contextmanager
def places(*manies):
    """Some places; one for more than one is a gate, and opens by itself where nobody else does it."""
    over = _thread.allocate_lock()
    over.acquire()
    with TemporaryDirectory(ignore_cleanup_errors=True) as root:
        made = [Place(os.path.join(root, str(number)), many) for number, many in enumerate(manies)]
        gates = [place for place in made if place.many > 1]

        def watch():
            if not over.acquire(timeout=PATIENCE):
                for gate in gates:
                    gate.open()

        watchman = threading.Thread(target=watch)
        if gates:
            watchman.start()
        try:
            yield made
        finally:
            over.release()
            if gates:
                watchman.join()


async def until(stage, so, patience=60.0):
    """Let the loop go on until it is so, or patience is at its end."""
    over = stage.now + patience
    while not so() and stage.now < over:
        await asyncio.sleep(1 / 128)


def is_alive(pid):
    """Whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def left(stage, place):
    """How many child processes live on; those of a fork server have left word. A manager is nobody's."""
    managers = {child.pid for child in list(multiprocessing.process._children) if "Manager-" in child.name}
    others = jobs.pids(place.path) - {os.getpid()}
    return len({*stage.children(), *filter(is_alive, others)} - managers)


def start(kata, name, items, processes, chunk):
    """A task that calls one of the three functions, with items that meet."""
    function = jobs.meet_async if name == "map_async" else jobs.meet
    extra = [chunk] if name == "crunch_chunks" else []
    return asyncio.create_task(getattr(kata, name)(function, items, processes, *extra))


async def come_together(stage, task, gate, expected):
    """How many items the loop, each time that it is free to look, sees at a gate before that opens."""
    seen = []

    def all_there():
        if not task.done() and not gate.opened:
            seen.append(gate.begun)
        return task.done() or gate.opened or seen[-1] >= expected

    await asyncio.sleep(0)
    await until(stage, all_there)
    await asyncio.sleep(PAUSE)
    all_there()
    return seen


@scenario
async def at_a_gate(kata, stage, *, name, values, processes, expected, chunk=1):
    with places(len(values) + 1) as [gate]:
        task = start(kata, name, gate.items(values), processes, chunk)
        seen = await come_together(stage, task, gate, expected)
        gate.open()
        return {"at work": seen, "results": await task}


@scenario
async def by_themselves(kata, stage, *, name, values, processes, meeting=1, chunk=1):
    with places(1) as [place]:
        place.many = meeting
        items = dict(zip(values, place.items(values), strict=True))
        given = [items[value] for value in values]
        before = [list(item) for item in given]
        results = await start(kata, name, given, processes, chunk)
        return {"results": results, "here": os.getpid(), "as it was": given == before}


@scenario
async def unchanged(kata, stage, *, name, items, large, chunk=1):
    function = jobs.echo_async if name == "map_async" else jobs.echo
    extra = [chunk] if name == "crunch_chunks" else []
    results = await getattr(kata, name)(function, [*items, bytes(large)], 2, *extra)
    if isinstance(results, list):
        return [f"{len(result):,} bytes" if type(result) is bytes else result for result in results]
    return results


@scenario
async def the_first_is_the_last(kata, stage, *, name, values, processes, chunk=1):
    with places(2, 1) as [gate, passed]:
        first, *others = values
        task = start(kata, name, gate.items([first]) + passed.items(others), processes, chunk)
        await until(stage, lambda: task.done() or gate.opened or (gate.begun and passed.begun))
        await asyncio.sleep(2 * PAUSE)
        gate.open()
        return {"results": await task}


@scenario
async def nothing_and_something(kata, stage, *, values):
    told = []
    for name in ("crunch", "crunch_chunks", "map_async"):
        with places(1) as [place]:
            reaped = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
            nothing = await start(kata, name, [], 2, 2)
            started = left(stage, place) + (resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt > reaped)
            told.append({"name": name, "nothing": nothing, "started": started})
    for each in told:
        with places(1) as [place]:
            each["results"] = await start(kata, each["name"], place.items(values), 2, 2)
            each["left"] = left(stage, place)
    return told


@scenario
async def failing(kata, stage, *, name, values, bad, processes, error="ValueError", chunk=1):
    function = jobs.fail_async if name == "map_async" else jobs.fail
    extra = [chunk] if name == "crunch_chunks" else []
    items = [[value, error if place in bad else None] for place, value in enumerate(values)]
    return await getattr(kata, name)(function, items, processes, *extra)


async def struck(stage, task, gate):
    """Cancel it, and say what comes of it, of its processes and of the items not yet begun."""
    task.cancel()
    since = stage.now
    await asyncio.wait([task])
    waited, begun = gate.opened or stage.now - since > PATIENCE, gate.begun
    await until(stage, lambda: not left(stage, gate), 2.0)
    told = {"waited": waited, "left": left(stage, gate)}
    gate.open()
    if told["left"]:
        await asyncio.sleep(PAUSE)
    told["later"] = gate.begun - begun
    if not task.cancelled():
        told["results"] = task.result()
    return told


@scenario
async def cancelled_at_work(kata, stage, *, name, values, processes, expected, chunk=1):
    with places(len(values) + 1) as [gate]:
        task = start(kata, name, gate.items(values), processes, chunk)
        seen = await come_together(stage, task, gate, expected)
        return {"at work": seen, **await struck(stage, task, gate)}


@scenario
async def cancelled_early(kata, stage, *, name, values, processes, turns):
    with places(len(values) + 1) as [gate]:
        task = start(kata, name, gate.items(values), processes, 1)
        for _ in range(turns):
            await asyncio.sleep(0)
        return await struck(stage, task, gate)


@scenario
async def cancelled_late(kata, stage, *, name, values, processes, pause):
    with places(1) as [place]:
        task = start(kata, name, place.items(values), processes, 1)
        await until(stage, lambda: task.done() or place.begun == len(values))
        await asyncio.sleep(pause)
        finished = task.done()
        return {"finished": finished, "begun": place.begun, **await struck(stage, task, place)}


@scenario
async def one_fails_while_others_wait(kata, stage, *, values, bad, processes):
    with places(1, len(values) + 1) as [place, gate]:
        told = {"results": await start(kata, "map_async", place.items(values), processes, 1)}
        items = gate.items(values)
        items[bad][1] += ".missing"
        task = start(kata, "map_async", items, processes, 1)
        since = stage.now
        await asyncio.wait([task])
        told["waited"] = gate.opened or stage.now - since > PATIENCE
        await until(stage, lambda: not left(stage, gate), 2.0)
        told["left"] = left(stage, gate)
        gate.open()
        error = None if task.cancelled() else task.exception()
        if not isinstance(error, Exception):
            told["instead"] = "CancelledError" if task.cancelled() else repr(error or task.result())[:80]
        return told


# --- in the grader -----------------------------------------------------------------------------------


async def play(run, which, *, allow=(), **data):
    """Play it, and return what came of it; starting and ending processes may hold the loop up for a moment."""
    return (await run(which, allow=("blocked", *allow), **data)).result


async def play_hard(run, which, **data):
    """As `play`; an executor may complain about its killed workers."""
    return await play(run, which, allow=("complaints",), **data)


def draw(rng, count):
    """So many values that nobody can know."""
    return rng.sample(range(10**6), count)


def is_pair(result):
    """Whether it is of the form that an item's result has: its value, and a process id."""
    return isinstance(result, list) and [type(part) for part in result] == [int, int]


def assert_results(results, values):
    """The results belong to the values, in order; returns the process ids that stand beside them."""
    count = len(values)
    assert isinstance(results, list), f"It returned {results!r}, expected a list of {count} results."
    came = len(results)
    assert came == count, f"It returned {came} results for {count} items."
    for place, (pair, value) in enumerate(zip(results, values, strict=True)):
        assert is_pair(pair), f"At place {place} of the results stands {pair!r}, not what the function gave."
        assert pair[0] == value, f"At place {place} stands the result {pair[0]} instead of {value}."
    return [pair[1] for pair in results]


def assert_others(pids, here, most):
    """These are at most so many processes, and not the submission's own."""
    assert here not in pids, f"{pids.count(here)} of {len(pids)} items ran in this process, expected 0."
    assert len(set(pids)) <= most, f"The items ran in {len(set(pids))} processes, expected at most {most}."


def assert_at_work(told, expected):
    """So many items waited at the gate together, and the loop was free to see them there."""
    assert told["at work"], "The loop was not free: it came to nothing else before all was over."
    saw = told["at work"][-1]
    assert saw == expected, f"Items at work at the same time: expected {expected}, saw {saw}."


def assert_ended(told):
    """A cancelled call ended in CancelledError, without waiting for an item, and no process goes on."""
    assert not told["waited"], "Cancelled, it waited for the items under way instead of ending their processes."
    assert "results" not in told, f"Cancelled, it returned {told['results']!r}; it must end in CancelledError."
    assert told["left"] == 0, f"Cancelled, it left {told['left']} processes running, expected 0."
    assert told["later"] == 0, f"{told['later']} more items were begun after the cancellation, expected 0."


# --- crunch ------------------------------------------------------------------------------------------


@timing
@points(2)
async def test_as_many_items_at_work_as_workers(run, rng):
    """Where there are enough items, `workers` processes are at work at the same time, and the loop stays free."""
    workers = rng.randint(2, 3)
    values = draw(rng, 2 * workers)
    told = await play(run, at_a_gate, name="crunch", values=values, processes=workers, expected=workers)
    assert_results(told["results"], values)
    assert_at_work(told, workers)


@result
@points(2)
async def test_never_more_processes_than_workers(run, rng):
    """All items, whatever they are, run in at most `workers` processes, none of them this one."""
    workers = rng.randint(2, 3)
    one, *others = draw(rng, 4 * workers)
    values = [one, *others, one]
    told = await play(run, by_themselves, name="crunch", values=values, processes=workers)
    assert_others(assert_results(told["results"], values), told["here"], workers)
    assert told["as it was"], "The list of items was changed."
    alone = await play(run, by_themselves, name="crunch", values=values[:1], processes=workers)
    assert_others(assert_results(alone["results"], values[:1]), alone["here"], workers)
    await assert_unchanged(run, rng, "crunch")


@ordering
async def test_results_stand_in_the_order_of_the_items(run, rng):
    """Results come in the order of the items, also when the first item is the last to end."""
    values = draw(rng, rng.randint(5, 7))
    told = await play(run, the_first_is_the_last, name="crunch", values=values, processes=2)
    assert_results(told["results"], values)


ORDINARY = [None, 0, "", False, [], ()]
"""Items and results like any other, for all that they count as false."""
BULK = 1 << 18
"""Bytes of an item, and of its result, that no pipe holds: who waits for a process before reading waits for ever."""


async def assert_unchanged(run, rng, name, **chunk):
    """Items and results may be anything, and large."""
    items = rng.sample(ORDINARY, len(ORDINARY))
    results = await play(run, unchanged, name=name, items=items, large=BULK, **chunk)
    expected = [*items, f"{BULK:,} bytes"]
    same = isinstance(results, list) and list(map(type, results)) == list(map(type, expected)) and results == expected
    assert same, f"With a function that gives back its item `{name}` returned {results!r}, expected {expected!r}."


ERRORS = {
    error.__name__: error for error in (ValueError, LookupError, TimeoutError, ArithmeticError, AssertionError, OSError)
}


def assert_failures(results, values, bad, error):
    """The failures, of that class, stand in the places of the bad items, the results in all others."""
    assert isinstance(results, list), f"It returned {results!r}, expected a list of {len(values)} results."
    count = len(results)
    assert count == len(values), f"It returned {count} results for {len(values)} items."
    for place, (got, value) in enumerate(zip(results, values, strict=True)):
        if place in bad:
            right = isinstance(got, Error) and got.is_a(ERRORS[error]) and got.args == (value,)
            assert right, f"In the place of a failed item stands {got!r}, expected {error}({value})."
        else:
            right = is_pair(got) and got[0] == value
            assert right, f"In the place of an item that did not fail stands {got!r}, expected its result."


@result
@points(2)
async def test_a_failure_takes_its_own_place(run, rng):
    """An item that fails leaves its exception in its place, and all others have their results."""
    for values, bad in ((draw(rng, 6), rng.sample(range(6), 2)), (draw(rng, 1), [0])):
        error = rng.choice(list(ERRORS))
        told = await play(run, failing, name="crunch", values=values, bad=bad, error=error, processes=2)
        assert_failures(told, values, bad, error)


@result
async def test_processes_are_gone_on_return(run, rng):
    """On return of each function its processes are gone; without items it gives [] and starts none."""
    values = draw(rng, 3)
    for told in await play(run, nothing_and_something, values=values):
        name = told["name"]
        assert told["nothing"] == [], f"For no items `{name}` returned {told['nothing']!r}, expected []."
        assert told["started"] == 0, f"For no items `{name}` started processes, expected none."
        assert_results(told["results"], values)
        assert told["left"] == 0, f"{told['left']} processes of `{name}` are there after its return, expected 0."


@cancellation
@points(2)
async def test_cancelled_at_work_it_kills_the_processes(run, rng):
    """Cancelled while items are at work, `crunch` ends in CancelledError without waiting, and no item runs on."""
    values = draw(rng, rng.randint(5, 7))
    told = await play_hard(run, cancelled_at_work, name="crunch", values=values, processes=2, expected=2)
    assert_at_work(told, 2)
    assert_ended(told)


def assert_ended_early_or_late(early, late, values):
    """Cancelled at its beginning it ended at once; towards its end too, unless it had finished."""
    assert_ended(early)
    if late["finished"]:
        assert_results(late.pop("results", None), values)
    begun = late["begun"]
    assert begun == len(values), f"Of {len(values)} items {begun} were begun."
    assert_ended(late)


@cancellation
async def test_cancelled_early_or_late_it_leaves_no_process(run, rng):
    """Cancelled as its processes start, or as they end, `crunch` ends in CancelledError and leaves none of them."""
    values = draw(rng, 3)
    early = await play_hard(run, cancelled_early, name="crunch", values=values, processes=2, turns=rng.randint(1, 3))
    pause = rng.randint(0, 8) / 1024
    late = await play_hard(run, cancelled_late, name="crunch", values=values, processes=2, pause=pause)
    assert_ended_early_or_late(early, late, values)


# --- crunch_chunks -----------------------------------------------------------------------------------


@timing
async def test_as_many_messages_at_work_as_workers(run, rng):
    """Messages are worked off by `workers` processes at the same time, and the loop stays free."""
    chunk = rng.randint(3, 5)
    values = draw(rng, 3 * chunk - 1)
    told = await play(run, at_a_gate, name="crunch_chunks", chunk=chunk, values=values, processes=3, expected=3)
    assert_results(told["results"], values)
    assert_at_work(told, 3)


@result
@points(2)
async def test_a_message_is_worked_off_by_one_process(run, rng):
    """Each `chunk` consecutive items, whatever they are, run in one process; the last message may be shorter."""
    chunk = rng.randint(5, 7)  # four messages of even length would be shorter from the first on
    values = draw(rng, 3 * chunk + 1)
    told = await play(run, by_themselves, name="crunch_chunks", chunk=chunk, values=values, processes=2, meeting=2)
    pids = assert_results(told["results"], values)
    assert_others(pids, told["here"], 2)
    for first in range(0, len(values), chunk):
        many = len(set(pids[first : first + chunk]))
        assert many == 1, f"The {chunk} items from place {first} on ran in {many} processes, expected 1."
    await assert_unchanged(run, rng, "crunch_chunks", chunk=2)


@ordering
async def test_chunks_stand_in_the_order_of_the_items(run, rng):
    """Results come in the order of the items, also when the first message is the last to end."""
    values = draw(rng, 7)
    told = await play(run, the_first_is_the_last, name="crunch_chunks", chunk=2, values=values, processes=2)
    assert_results(told["results"], values)


@result
async def test_a_failing_item_spoils_only_itself(run, rng):
    """A failing item leaves its exception in its place; the others of its message have their results."""
    values = draw(rng, 8)
    bad = [rng.randrange(3), rng.randrange(3, 6)]
    error = rng.choice(list(ERRORS))
    told = await play(run, failing, name="crunch_chunks", chunk=3, values=values, bad=bad, error=error, processes=2)
    assert_failures(told, values, bad, error)


@cancellation
async def test_cancelled_it_does_not_finish_its_messages(run, rng):
    """Cancelled, `crunch_chunks` does not wait for messages under way, and none of their items runs on."""
    values = draw(rng, 7)
    told = await play_hard(
        run, cancelled_at_work, name="crunch_chunks", chunk=2, values=values, processes=2, expected=2
    )
    assert_at_work(told, 2)
    assert_ended(told)


# --- map_async ---------------------------------------------------------------------------------------


@timing
@points(2)
async def test_sixteen_jobs_overlap_in_one_process(run, rng):
    """The waits of 16 jobs overlap in one process, and this loop stays free."""
    values = draw(rng, 16)
    told = await play(run, at_a_gate, name="map_async", values=values, processes=1, expected=16)
    assert_results(told["results"], values)
    assert_at_work(told, 16)


@timing
async def test_two_processes_hold_more_jobs(run, rng):
    """More than 16 jobs overlap in two processes."""
    values = draw(rng, rng.randint(18, 24))
    told = await play(run, at_a_gate, name="map_async", values=values, processes=2, expected=len(values))
    assert_results(told["results"], values)
    assert_at_work(told, len(values))


@result
@points(2)
async def test_jobs_run_in_other_processes(run, rng):
    """All jobs, whatever their items are, run in at most `processes` processes, none of them this one."""
    processes = rng.randint(2, 3)
    one, *others = draw(rng, 16 * processes + 3)  # more than can wait together
    values = [one, *others, one]
    told = await play(run, by_themselves, name="map_async", values=values, processes=processes)
    assert_others(assert_results(told["results"], values), told["here"], processes)
    assert told["as it was"], "The list of items was changed."
    await assert_unchanged(run, rng, "map_async")


@ordering
async def test_jobs_results_stand_in_the_order_of_the_items(run, rng):
    """Results come in the order of the items, also when the first job is the last to end."""
    values = draw(rng, rng.randint(5, 7))
    told = await play(run, the_first_is_the_last, name="map_async", values=values, processes=2)
    assert_results(told["results"], values)


@result
async def test_a_failed_job_is_raised(run, rng):
    """A job that fails makes `map_async` raise, whatever the type of the exception."""
    values = draw(rng, 5)
    assert_results((await play(run, failing, name="map_async", values=values, bad=[], processes=2)), values)
    bad, error = [rng.randrange(len(values))], rng.choice(list(ERRORS))
    await play_hard(run, failing, name="map_async", values=values, bad=bad, error=error, processes=2, raises=Exception)


@result
@points(2)
async def test_the_first_failure_ends_the_rest(run, rng):
    """The first failure is raised while other jobs still wait, and ends them: none of the processes is left."""
    values = draw(rng, rng.randint(4, 6))
    told = await play_hard(run, one_fails_while_others_wait, values=values, bad=rng.randrange(len(values)), processes=2)
    assert_results(told["results"], values)
    assert not told["waited"], "A failure was raised only when all other jobs had ended."
    assert "instead" not in told, f"A job failed, and what came out was {told['instead']}, not an exception."
    assert told["left"] == 0, f"After the failure {told['left']} processes were left, expected 0."


@cancellation
@points(2)
async def test_cancelled_no_job_process_is_left(run, rng):
    """Cancelled while jobs wait, `map_async` ends in CancelledError without waiting, and no process is left."""
    values = draw(rng, rng.randint(4, 8))
    told = await play_hard(run, cancelled_at_work, name="map_async", values=values, processes=2, expected=len(values))
    assert_at_work(told, len(values))
    assert_ended(told)


@cancellation
async def test_cancelled_early_or_late_no_job_process_is_left(run, rng):
    """Cancelled as its processes start, or as they end, `map_async` ends in CancelledError and leaves none of them."""
    values = draw(rng, 3)
    early = await play_hard(run, cancelled_early, name="map_async", values=values, processes=2, turns=rng.randint(1, 3))
    pause = rng.randint(0, 8) / 1024
    late = await play_hard(run, cancelled_late, name="map_async", values=values, processes=2, pause=pause)
    assert_ended_early_or_late(early, late, values)
