"""Runs that would not end, or end badly, are named for what they did, and leave the next run untouched."""

import pytest

from checker.messages import Limits
from checker.suite import calls, scenario


@scenario
async def one(kata, stage):
    return await kata.work(stage.calls("job"))


@scenario
def plainly(kata, stage):
    return kata.work(stage.calls("job"))


GOOD = "async def work(job):\n    return await job()\n"


@pytest.fixture
def play(play_confined):
    """In every kind of sandbox."""
    return play_confined


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


def test_what_waits_is_named_with_its_line_and_function(play):
    """A task by its name, the scenario's own as the caller; the function is the learner's innermost."""
    source = """
import asyncio
async def wait(): await asyncio.Event().wait()
async def work(job):
    other = asyncio.create_task(wait(), name="other")
    await wait()
"""
    assert "(the caller in line 3 of wait; other in line 3 of wait)" in play(source, one).problem


def test_time_that_passes_for_ever_is_an_end_too(play):
    """A loop that sleeps again and again never ends; the world counts its waits."""
    trace = play("import asyncio\nasync def work(job):\n    while True:\n        await asyncio.sleep(1)\n", one)
    assert trace.ended == "never ends"


LEAVING = {
    "os._exit": "import os\nasync def work(job):\n    os._exit(0)\n",
    "a signal to itself": "import os, signal\nasync def work(job):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
    "a signal to its parent": """
import os, signal
async def work(job):
    try:
        os.kill(os.getppid(), 9)
    finally:
        os._exit(3)
""",
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


@pytest.mark.parametrize("leaving", ["sys.exit(0)", "raise KeyboardInterrupt"])
def test_leaving_out_of_a_task_of_its_own_is_an_error_too(play, leaving):
    """asyncio lets these two out of the loop; they are told as they are anywhere else, with the line."""
    source = f"import asyncio, sys\nasync def end(): {leaving}\nasync def work(job):\n    await asyncio.gather(end())\n"
    trace = play(source, one)
    assert trace.ended == "finished"
    assert trace.error.shown == ("SystemExit" if "exit" in leaving else "KeyboardInterrupt")
    assert [frame.line for frame in trace.error.frames] == [2]
    assert play(GOOD, one, calls(job=1.0)).result is not None


def test_leaving_is_no_way_to_end_in_an_error_that_is_asked_for(play):
    """The scenario is broken off, so what is an ordinary error as well is no answer."""
    source = """
import asyncio
class Both(SystemExit, {}): pass
def end(): raise Both
async def work(job):
    asyncio.get_running_loop().call_soon(end)
    await asyncio.sleep(1)
"""
    for ordinary in ("asyncio.CancelledError", "ValueError"):
        assert play(source.format(ordinary), one).ended == "crashed"


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
    assert trace.ended in ("crashed", "timed out")
    assert trace.ended == "timed out" or "more than 8 MiB" in trace.problem


def test_what_is_printed_is_captured(play):
    """Standard output and error of a run come along, also where a child or C code writes them."""
    trace = play("import os\nasync def work(job):\n    print('one')\n    os.write(2, b'two\\n')\n", one)
    assert trace.printed == "one\ntwo\n"


def test_ignoring_signals_does_not_help(play_limited):
    """A run that ignores the soft limits is stopped by the hard ones."""
    source = """
import signal
async def work(job):
    for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
"""
    assert play_limited(Limits(cpu=1, wall=10.0), source, one).ended in ("timed out", "crashed")


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
    alive = """
import os
def work(job):
    try:
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and pid != "1"]
    except PermissionError:
        return [os.getpid()]
"""
    left = play(alive, plainly)
    assert len(left.result) == 1
    assert play(GOOD, one, calls(job=1.0)).ended == "finished"


# --- all processes together, and files -------------------------------------------------------------------

SMALL = Limits(cpu=10, wall=30.0, memory=256 << 20)

MANY = """
import os, signal
async def work(job):
    for _ in range(6):
        if not os.fork():
            kept = b"x" * (80 << 20)
            signal.pause()
    signal.pause()
"""


def test_memory_of_all_processes_together_is_limited(play_limited):
    """Children that keep to the limit each are too much together: the run ends at once, with the numbers."""
    trace = play_limited(SMALL, MANY, one)
    assert trace.ended == "out of memory"
    assert "256 MiB are allowed" in trace.problem


def test_shared_pages_are_counted_once(play_limited):
    """Children that only share what their parent holds are no excess: a pool after loading much is no crime."""
    source = """
import os, signal, time
async def work(job):
    kept = b"x" * (100 << 20)
    children = []
    for _ in range(6):
        children.append(os.fork())
        if not children[-1]:
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
            os._exit(0)
    return [os.waitpid(child, 0)[1] for child in children]
"""
    assert play_limited(SMALL, source, one).result == [0] * 6


def test_files_in_memory_count_as_memory(play_limited, confined):
    """What lies in the folders that are held in memory is memory that the run uses."""
    if confined.kind != "bwrap":
        pytest.skip("only bubblewrap has folders in memory")
    source = """
import signal
async def work(job):
    kept = b"x" * (7 << 20)
    for folder in ("/tmp", "/dev/shm"):
        for name in "abcd":
            with open(f"{folder}/{name}", "wb") as file:
                file.write(kept)
    kept = b"x" * (20 << 20)
    signal.pause()
"""
    trace = play_limited(Limits(memory=64 << 20), source, one)
    assert trace.ended == "out of memory"


def test_what_is_written_is_limited(play_limited):
    """Many files, each within its limit, are too much together: an error where the folder knows, else the end."""
    source = """
import os, signal, tempfile
async def work(job):
    for number in range(100):
        with open(f"{tempfile.gettempdir()}/{number}", "wb") as file:
            file.write(os.urandom(1 << 20))
    signal.pause()
"""
    trace = play_limited(Limits(cpu=10, wall=20.0), source, one)
    assert "32 MiB" in trace.problem or (trace.error is not None and trace.error.shown == "OSError")


def test_removed_files_that_are_still_open_count(play_limited, confined):
    """A file without a name takes room too."""
    source = """
import os, signal, tempfile
async def work(job):
    kept = []
    for number in range(60):
        kept.append(open(f"{tempfile.gettempdir()}/file", "wb"))
        kept[-1].write(os.urandom(1 << 20))
        kept[-1].flush()
        os.unlink(kept[-1].name)
    signal.pause()
"""
    trace = play_limited(Limits(cpu=10, wall=20.0), source, one)
    assert "32 MiB" in trace.problem or (trace.error is not None and trace.error.shown == "OSError")


def test_the_number_of_files_is_limited(play_limited):
    """Endless empty files end the run."""
    source = """
import tempfile
async def work(job):
    number = 0
    while True:
        number += 1
        open(f"{tempfile.gettempdir()}/{number}", "wb").close()
"""
    trace = play_limited(Limits(cpu=10, wall=20.0, entries=2000), source, one)
    assert (trace.ended, "2000 files" in trace.problem) == ("crashed", True)


def test_a_fork_bomb_is_survived(play_limited):
    """Processes without end fail at their limit or end the run; the next one is played all the same."""
    source = """
import os
async def work(job):
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
    assert play_limited(Limits(cpu=1, wall=5.0), source, one).ended in ("crashed", "timed out")


MESS = """
import os, tempfile
async def work(job):
    os.chdir(tempfile.gettempdir())
    for name in ("new\\nline", "-rf", "\\udcff\\udcfe", "x" * 255, "\\x1b[31m"):
        open(name, "w").close()
    os.symlink("/", "link")
    os.mkfifo("pipe")
    for number in range(1000):
        open(f"many{number}", "w").close()
    for mode in (0o000, 0o300, 0o500):
        os.makedirs(f"closed{mode}/within")
        open(f"closed{mode}/within/file", "w").close()
        os.mkdir(f"born{mode}", mode)
        try:
            os.chmod(f"closed{mode}/within", mode)
            os.chmod(f"closed{mode}", mode)
        except OSError:
            pass
    here = os.getcwd()
    for _ in range(1500):
        os.mkdir("deep" * 50)
        os.chdir("deep" * 50)
    THEN
"""


@pytest.mark.parametrize("then", ["return 1", "os._exit(1)"])
def test_files_do_not_stay_for_the_next_run(play, confined, then):
    """Whatever a run leaves in its folders, however named, closed and deep, is gone in the next."""
    play(MESS.replace("THEN", then), one)
    source = """
import os, tempfile
def work(job):
    return [name for name in os.listdir(tempfile.gettempdir()) if name not in tempfile.__file__.split("/")]
"""
    trace = play(source, plainly)
    assert trace.error is None
    own = {part for path in __import__("sys").path for part in path.split("/")}
    assert [name for name in trace.result if name not in own] == []


def test_a_cancellation_that_comes_with_the_answer_is_named(play):
    """Whoever cancels its caller and then answers has answered; it is told what it left behind."""
    source = "import asyncio\nasync def work(job):\n    asyncio.current_task().cancel()\n    return 7\n"
    trace = play(source, one)
    assert (trace.ended, trace.result, trace.error) == ("finished", 7, None)
    assert trace.complaints == ["A cancellation of the calling task was left behind, to come after the answer."]


@pytest.mark.parametrize("company", ["pass", "threading.Thread(target=time.sleep, args=(3,)).start()"])
def test_a_call_may_outlive_its_loop(play, company):
    """Whoever waits for something else when it ends hears nothing of it, alone or among threads."""
    source = f"""
import asyncio, threading, time
def work(job):
    loop = asyncio.new_event_loop()
    async def begin():
        loop.create_task(job())
        await asyncio.sleep(0.5)
    loop.run_until_complete(begin())
    loop.close()
    {company}
    time.sleep(5)
    return "there"
"""
    trace = play(source, plainly, calls(job=2.0))
    assert (trace.ended, trace.result, trace.elapsed) == ("finished", "there", 5.5)
    assert "Task was destroyed but it is pending!." in trace.complaints
