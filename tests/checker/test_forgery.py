"""What a submission cannot forge: time, overlap, results, and the messages that carry them."""

import asyncio
from functools import partial

import pytest

from checker.suite import calls, scenario
from checker.suite.grader import Failure
from checker.suite.sweeping import judge_count
from checker.values import Alien


@scenario
async def three_jobs(kata, stage):
    return await kata.run([partial(stage.calls("job"), number) for number in range(3)])


def one_after_another(trace):
    """Whether the world saw three jobs of 2 s, none of them together."""
    return trace.peak("job") == 1 and trace.starts("job") == [0.0, 2.0, 4.0] and trace.elapsed == 6.0


SEQUENTIAL = """
import asyncio, gc, sys

async def run(jobs):
    results = []
    for job in jobs:
        before()
        results.append(await job())
        after()
    return results
"""

HONEST = "def before(): pass\nafter = before"

TRICKS = {
    "the loop's clock is turned back before each job": """
def before():
    asyncio.get_running_loop().clock.now = 1000.0
def after():
    asyncio.get_running_loop().clock.now = 1000.0
""",
    "the loop's own `time` is replaced": """
def before():
    type(asyncio.get_running_loop()).time = lambda self: 0.0
after = before
""",
    "every clock and link in memory is edited": """
def before():
    for thing in gc.get_objects():
        name = type(thing).__name__
        if name == "Clock":
            thing.now = thing.start
        if name == "Link":
            thing.__dict__["_next_call"] = 0 if not thing._calls else thing._next_call
def after():
    pass
""",
    "the frames of the harness are edited": """
def before():
    frame = sys._getframe()
    while frame is not None:
        frame.f_locals["elapsed"] = 0.0
        frame.f_globals["START"] = 0.0
        frame = frame.f_back
after = before
""",
    "asyncio's own sleep and gather are replaced": """
def before():
    async def nothing(*args, **keywords):
        return None
    asyncio.sleep = nothing
after = before
""",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_a_sequential_answer_cannot_be_made_to_look_concurrent(play, trick):
    """Whatever is edited in the runner, the world has seen one job after another, or voids the run."""
    trace = play(SEQUENTIAL + trick, three_jobs, calls(job=2.0))
    assert one_after_another(trace) or trace.ended != "finished"


def test_the_plain_sequential_answer_is_seen_as_what_it_is(play):
    """The control: without a trick the run finishes, one job after another, with the right results."""
    trace = play(SEQUENTIAL + HONEST, three_jobs, calls(job=2.0))
    assert one_after_another(trace)
    assert trace.result == trace.all_given("job")


def test_results_cannot_be_known_before_their_call_has_ended(play):
    """A submission that returns without waiting holds no result: nothing in its memory looks like one."""
    source = """
import gc
async def run(jobs):
    import asyncio
    tasks = [asyncio.ensure_future(job()) for job in jobs]
    await asyncio.sleep(0)
    words = [thing for thing in gc.get_objects() if isinstance(thing, str) and len(thing) == 8]
    await asyncio.gather(*tasks)
    return [tasks[0].result() in words] + [word for word in words if word in {task.result() for task in tasks}]
"""
    trace = play(source, three_jobs, calls(job=2.0))
    assert trace.result == [False]


def test_a_result_rewritten_on_its_way_out_is_still_only_a_result(play):
    """An answer forged by a patched encoder arrives as it was forged, with no call behind it."""
    source = """
import checker.runner.encode as encode
from checker.values import ListValue
encode.encode = lambda value, depth=0: ListValue(["a", "b", "c"])
async def run(jobs):
    return []
"""
    trace = play(source, three_jobs, calls(job=2.0))
    assert trace.result == ["a", "b", "c"]
    assert trace.count("job") == 0
    assert trace.elapsed == 0.0


CLINGING = """
import asyncio, sys

def keep_away():
    frame = sys._getframe()
    while frame is not None:
        play = frame.f_locals.get("self")
        if type(play).__name__ == "Play":
            play._link.has_target = lambda: False
        frame = frame.f_back

keep_away()

async def run(jobs):
    for job in jobs:
        await job()
"""


def test_a_cancellation_kept_away_is_counted_by_the_world(play):
    """The world cancels where the runner says that it could be; one that never is has gone through too many waits."""
    honest, kept = (play(source, three_jobs, calls(job=2.0), strike=2) for source in (SEQUENTIAL + HONEST, CLINGING))
    assert (honest.struck_at, honest.passed) == (2.0, 1)
    assert (kept.struck_at, kept.passed) == (None, 3)
    judge_count(honest, 2)
    with pytest.raises(Failure, match="kept the cancellation at suspension point 2 from coming"):
        judge_count(kept, 2)


def test_replaced_builtins_do_not_reach_the_grader(play):
    """`len`, `isinstance` and `sorted` may lie in the runner; the trace is drawn up elsewhere."""
    source = """
import builtins
builtins.len = lambda thing: 3
builtins.sorted = lambda *a, **k: []
async def run(jobs):
    return [await job() for job in jobs]
"""
    trace = play(source, three_jobs, calls(job=2.0))
    assert one_after_another(trace) or trace.ended != "finished"


RAW = """
import gc, socket, struct
def channel():
    return next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")._channel
def frame(body):
    return struct.pack(">I", len(body)) + body
"""

FORGERIES = {
    "two answers": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Returned(1)) * 2)
""",
    "an answer and the scenario's own": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Returned(1)))
    return 2
""",
    "a last word before the answer": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Told()))
""",
    "an answer, a last word, and more": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Returned([])) + m.frame(m.Told()) + m.frame(m.Returned([])))
""",
    "noise": """
async def run(jobs):
    channel().sendall(b"\\x00\\x00\\x00\\x04noise and more noise")
""",
    "a frame of four gigabytes": """
async def run(jobs):
    channel().sendall(b"\\xff\\xff\\xff\\xff")
""",
    "the end of a call that never began": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Cancelled(99)))
""",
    "time that is no number": """
async def run(jobs):
    import checker.messages as m
    channel().sendall(m.frame(m.Wait(float("nan"))))
""",
    "a value nested without end": """
async def run(jobs):
    channel().sendall(frame(b"\\x92\\xa8returned" + b"\\x92\\xa1l\\x91" * 2000 + b"\\xc0"))
""",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_message_voids_the_run(play, forgery):
    """Messages that are repeated, out of order, malformed or oversized end the run as refused, with a plain reason."""
    trace = play(RAW + forgery, three_jobs, calls(job=2.0))
    assert trace.ended == "refused"
    assert "spoke to the grader" in trace.problem
    assert trace.result is None


KNOWING = """
import gc
def told(thing, depth=0):
    names = getattr(type(thing), "__struct_fields__", ()) or getattr(thing, "__dict__", {})
    found = {name for name in names if "strike" in name or "point" in name}
    return found if depth > 2 else found.union(*(told(getattr(thing, name), depth + 1) for name in names))

known = set().union(*(told(thing) for thing in gc.get_objects() if type(thing).__name__ in ("Play", "Link", "Stage")))

async def run(jobs):
    for job in jobs:
        await job()
    return sorted(known)
"""


def test_nobody_knows_where_the_cancellation_will_come(play):
    """Who knew could come to an end before it, and be cancelled at the points only where that does no harm."""
    assert play(KNOWING, three_jobs, calls(job=2.0)).result == ["on_strike"]


def test_a_wait_for_what_is_past_is_no_point_to_be_cancelled_at(play):
    """Or all of a sweep's cancellations could be met before anything is done."""
    waits = "    link.send(m.Wait(0.0, True)); link._receive()\n" * 3
    source = (
        RAW
        + f"""
async def run(jobs):
    import checker.messages as m
    link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
{waits}
    for job in jobs:
        await job()
"""
    )
    trace = play(source, three_jobs, calls(job=2.0), strike=2)
    assert (trace.struck_at, trace.passed) == (2.0, 1)


def test_time_never_goes_back(play):
    """A wait until a moment that has passed does not bring that moment back."""
    source = (
        RAW
        + """
import asyncio
async def run(jobs):
    import checker.messages as m
    first = await jobs[0]()
    link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
    link.wait(1000.0)
    link.wait(-5.0)
    return [first, await jobs[1]()]
"""
    )
    trace = play(source, three_jobs, calls(job=2.0))
    assert trace.starts("job") == [0.0, 2.0]
    assert trace.elapsed == 4.0


@scenario
async def odd_results(kata, stage):
    return await kata.run([])


LOOK_ALIKES = """
class Yes:
    def __eq__(self, other): return True
    def __len__(self): return 3
    def __iter__(self): return iter([1, 2, 3])
    def __repr__(self): return "[1, 2, 3]"
    @property
    def __class__(self): return list
class Liar(list):
    def __eq__(self, other): return True
    def __iter__(self): return iter([1, 2, 3])
    def __len__(self): return 3
class One(int):
    def __eq__(self, other): return True
    def __int__(self): return 7
    def __index__(self): return 7
async def run(jobs):
    return {"alien": Yes(), "list": Liar(), "int": One(1)}
"""


def test_look_alikes_arrive_as_what_they_are(play):
    """An object that claims to be a list is no list; a list that lies about itself holds what it holds."""
    trace = play(LOOK_ALIKES, odd_results)
    assert isinstance(trace.result["alien"], Alien)
    assert trace.result["alien"] != [1, 2, 3]
    assert trace.result["list"] == []
    assert type(trace.result["int"]) is int
    assert trace.result["int"] == 1


def test_errors_are_known_by_class_not_by_name(play):
    """A class that calls itself ValueError is not one."""
    source = """
ValueError = type("ValueError", (Exception,), {"__module__": "builtins"})
async def run(jobs):
    raise ValueError("not really")
"""
    trace = play(source, odd_results)
    assert trace.error.shown == "ValueError"
    assert not trace.error.is_a(__builtins__["ValueError"] if isinstance(__builtins__, dict) else ValueError)
    assert trace.error.is_a(Exception)


def test_asyncio_in_the_grader_is_untouched():
    """The grader's own asyncio is the one that came with Python."""
    assert asyncio.SelectorEventLoop.__module__ == "asyncio.unix_events"
