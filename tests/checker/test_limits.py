"""Runs that would not end, or end badly, are named for what they did, and leave the next run untouched."""

import pytest

from checker.messages import Limits
from checker.suite import calls, scenario
from checker.world.session import Session


@scenario
async def one(kata, stage):
    return await kata.work(stage.calls("job"))


@scenario
def plainly(kata, stage):
    return kata.work(stage.calls("job"))


GOOD = "async def work(job):\n    return await job()\n"

ENDINGS = {
    "deadlock": ("import asyncio\nasync def work(job):\n    await asyncio.Event().wait()\n", 3),
    "never ends": ("import asyncio\nasync def work(job):\n    while True:\n        await asyncio.sleep(0)\n", 4),
    "timed out": ("async def work(job):\n    while True:\n        pass\n", None),
    "out of memory": ("async def work(job):\n    return len(bytearray(1 << 40))\n", None),
}


@pytest.mark.parametrize(("ended", "case"), ENDINGS.items(), ids=ENDINGS.keys())
def test_a_run_that_does_not_finish_is_named(play, ended, case):
    """The trace says how the run ended, in a sentence, and where its task stood."""
    source, line = case
    trace = play(source, one, calls(job=1.0))
    assert trace.ended == ended
    assert trace.problem
    if line is not None:
        assert [waiting.frames[-1].line for waiting in trace.waiting] == [line]
    assert play(GOOD, one, calls(job=1.0)).ended == "finished"


def test_time_that_passes_for_ever_is_an_end_too(play):
    """A loop that sleeps again and again never ends; the world counts its waits."""
    trace = play("import asyncio\nasync def work(job):\n    while True:\n        await asyncio.sleep(1)\n", one)
    assert trace.ended == "never ends"


LEAVING = {
    "os._exit": "import os\nasync def work(job):\n    os._exit(0)\n",
    "a signal to itself": "import os, signal\nasync def work(job):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
    "a signal to its parent": "import os, signal\nasync def work(job):\n    os.kill(os.getppid(), 9)\n    os._exit(3)",
    "a segmentation fault": "import ctypes\nasync def work(job):\n    ctypes.string_at(0)\n",
}


@pytest.mark.parametrize("source", LEAVING.values(), ids=LEAVING.keys())
def test_leaving_early_is_a_crash(play, source):
    """A process that ends itself has given no answer, and the next run is played all the same."""
    assert play(source, one).ended == "crashed"
    assert play(GOOD, one, calls(job=1.0)).ended == "finished"


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt", "GeneratorExit", "Odd"])
def test_base_exceptions_are_errors_like_others(play, error):
    """Raising SystemExit, or a BaseException of one's own, is an answer: an error."""
    trace = play(f"class Odd(BaseException): pass\nasync def work(job):\n    raise {error}\n", one)
    assert trace.ended == "finished"
    assert trace.error.shown == error.partition("(")[0]


def test_an_import_that_never_ends_decides_all(play):
    """An import that does not end is known for what it is, so that no other run need be tried."""
    trace = play("while True:\n    pass\n", one)
    assert trace.ended == "timed out"
    assert trace.decides
    assert "Importing" in trace.problem


def test_an_import_that_leaves_decides_all(play):
    """An import that ends the process decides all runs."""
    trace = play("import os\nos._exit(0)\n", one)
    assert (trace.ended, trace.decides) == ("crashed", True)


def test_a_syntax_error_is_told_with_its_place(play):
    """Line and column of what does not compile."""
    trace = play("def f(:\n    pass\n", one)
    assert (trace.ended, trace.problem_line, trace.decides) == ("refused", 1, True)
    assert "SyntaxError" in trace.problem


def test_endless_output_is_capped(play):
    """Printing without end fails at some size, and what is kept of it is small."""
    trace = play("async def work(job):\n    while True:\n        print('x' * 1000)\n", one)
    assert len(trace.printed) < 100_000
    assert trace.error is not None or trace.ended == "timed out"


def test_what_is_printed_is_captured(play):
    """Standard output and error of a run come along, also where a child or C code writes them."""
    trace = play("import os\nasync def work(job):\n    print('one')\n    os.write(2, b'two\\n')\n", one)
    assert trace.printed == "one\ntwo\n"


def test_ignoring_signals_does_not_help():
    """A run that ignores the soft limits is stopped by the hard ones."""
    source = """
import signal
async def work(job):
    for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
"""
    from checker.suite.scenario import ship
    from checker.world.script import World
    from checker.world.session import Performance

    session = Session(limits=Limits(cpu=1, wall=10.0))
    try:
        performance = Performance("07_semaphore", source.encode(), [], ship(one, {}))
        assert session.play(performance, World(), __import__("random").Random(1)).ended in ("timed out", "crashed")
    finally:
        session.close()


def test_leftover_threads_and_children_do_not_reach_the_next_run(play):
    """What a run leaves behind ends with it."""
    source = """
import subprocess, sys, threading, time
async def work(job):
    subprocess.Popen([sys.executable, "-c", "while True: pass"])
    threading.Thread(target=lambda: threading.Event().wait(), daemon=False).start()
    return 1
"""
    assert play(source, one).result == 1
    alive = "import os\ndef work(job):\n    return [p for p in os.listdir('/proc') if p.isdigit() and p != '1']\n"
    left = play(alive, plainly)
    if len(left.result) < 20:  # in a pid namespace of its own: only the run itself
        assert len(left.result) == 1
