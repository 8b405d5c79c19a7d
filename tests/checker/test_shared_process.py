"""Runs of one submission share a process as long as they leave nothing behind; no right answer fails for that."""

import json

import pytest

from checker.course import installed_course
from checker.suite.scenario import scenario

SOLUTION = installed_course().find("07").solution.read_text()


@scenario
async def process(kata, stage, **data):
    """Play something, and say in which process."""
    import os

    await kata.main(**data)
    return os.getpid()


@scenario
def plain_process(kata, stage):
    """The same without a loop of the scenario's own."""
    import os

    kata.main()
    return os.getpid()


CLEAN = "import asyncio\nasync def main(**_): await asyncio.sleep(1)\n"


def test_clean_runs_share_a_process(play):
    """Runs that leave nothing behind are played in one process, one after the other."""
    assert len({play(CLEAN, process).result for _ in range(4)}) == 1


def test_each_run_begins_with_its_module_anew(play):
    """What a submission's module has kept is gone in the next run; its clock and its output begin anew too."""
    source = """
import asyncio, time
seen = []
async def main():
    seen.append(1)
    print(len(seen), time.monotonic(), asyncio.get_running_loop().time())
    await asyncio.sleep(3)
"""
    printed = [play(source, process).printed for _ in range(3)]
    assert printed == ["1 1000.0 1000.0\n"] * 3


def test_another_submission_has_another_process(play):
    """Two files never meet in a process, however alike they are."""
    assert play(CLEAN, process).result != play(CLEAN + "\n", process).result


def test_a_process_of_its_own_can_be_asked_for(play, sandbox):
    """Where a session plays alone, every run has a fresh process."""
    sandbox.alone = True
    try:
        assert len({play(CLEAN, process).result for _ in range(3)}) == 3
    finally:
        sandbox.alone = False


@pytest.mark.parametrize(
    "body",
    [
        "asyncio.get_running_loop().create_task(asyncio.sleep(9))",
        "asyncio.sleep(0)",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "os.fork() or os._exit(0)",
        "sum(range(60_000_000))",
        "bytearray(250 << 20)",
    ],
)
def test_a_run_that_leaves_something_is_the_last_of_its_process(play, body):
    """A task, a complaint, a thread, a child, a signal handler, much time or memory: the next run starts afresh."""
    source = f"import asyncio, os, signal, threading\nasync def main():\n    {body}\n    await asyncio.sleep(1)\n"
    first, second = (play(source, process) for _ in range(2))
    assert first.result != second.result


def test_plain_scenarios_share_too(play):
    """A plain function that calls asyncio.run leaves nothing either."""
    source = "import asyncio\ndef main(): asyncio.run(asyncio.sleep(2))\n"
    runs = [play(source, plain_process) for _ in range(3)]
    assert len({run.result for run in runs}) == 1
    assert [run.elapsed for run in runs] == [2.0] * 3


@pytest.mark.parametrize(
    "body",
    [
        "await asyncio.to_thread(time.sleep, 2)",
        "one = threading.Thread(target=time.sleep, args=(2,)); one.start(); one.join()",
        "a, b = socket.socketpair(); await asyncio.sleep(1); asyncio.get_running_loop().add_reader(a, int)\n"
        "    await asyncio.sleep(1); asyncio.get_running_loop().remove_reader(a); a.close(); b.close()",
    ],
    ids=["pool", "thread", "descriptor"],
)
def test_runs_whose_threads_have_ended_share(play, body):
    """Of a crowd nothing is left: not even the clock's own thread, which the next run would take for another's."""
    source = f"import asyncio, socket, threading, time\nasync def main():\n    {body}\n    print(threads())\n"
    source += "import _thread\ndef threads(): return _thread._count(), threading.active_count()\n"
    runs = [play(source, process) for _ in range(5)]
    assert [(run.ended, run.elapsed, run.complaints) for run in runs] == [("finished", 2.0, [])] * 5
    assert len({run.result for run in runs}) < 5  # not 1: on a busy machine a thread may take long to end
    assert len({run.printed for run in runs}) == 1


SAY_DONE = """
    for number in {*range(3, 64)} - {spared}:
        try:
            kept = socket.socket(fileno=os.dup(number))
            if kept.family == socket.AF_UNIX:
                kept.sendall(b".")
        except OSError:
            pass
"""
"""What a process tells the sandbox's first one when it is done, into every socket that it finds but one."""


def test_a_word_said_too_early_ends_the_process(play):
    """A submission that tells the sandbox's first process that it is done spoils its own runs only."""
    source = f"""
import asyncio, os, socket
async def main():
    spared = -1
{SAY_DONE}
    await asyncio.sleep(1)
"""
    play(source, process)
    trace = play(CLEAN, process)
    assert (trace.ended, trace.elapsed) == ("finished", 1.0)


@scenario
def look(kata, stage):
    return kata.look()


def test_a_file_written_after_the_last_word_is_not_for_the_next_run(play):
    """What a process has left that was thought to be done is removed with it."""
    source = f"""
import gc, os, socket
def look():
    seen = os.listdir("/tmp")
    spared = next(each for each in gc.get_objects() if type(each).__name__ == "Link")._channel.fileno()
{SAY_DONE}
    began = os.times().elapsed  # real seconds, in which the sandbox's first process looks at the folder
    while os.times().elapsed < began + 0.05:
        pass
    open("/tmp/for-the-next", "w").close()
    return seen
"""
    play(source, look)
    trace = play("import os\ndef look(): return os.listdir('/tmp')\n", look)
    assert trace.ended == "finished"
    assert "for-the-next" not in trace.result


@pytest.mark.parametrize(
    "spoiler",
    [
        # a right answer that cannot be loaded twice in a process
        "import asyncio\nassert not hasattr(asyncio, 'mark')\nasyncio.mark = True\n",
        # one that changes what it uses, for good
        "import asyncio\nLimit, asyncio.Semaphore = asyncio.Semaphore, None\nassert Limit\n",
        # one that works a few times only
        "import builtins\nbuiltins.uses = getattr(builtins, 'uses', 0) + 1\nassert builtins.uses < 4\n",
    ],
)
def test_a_right_answer_that_spoils_its_process_scores_everything(kata, tmp_path, spoiler):
    """A test that fails in a shared process is run again in one of its own, and that counts."""
    text = SOLUTION.replace("from __future__ import annotations\n", "")
    if "Limit" in spoiler:
        text = text.replace("asyncio.Semaphore(", "Limit(")
    (tmp_path / "07_semaphore.py").write_text(spoiler + text)
    done = kata("check", "07", "--path", "07_semaphore.py", "--json", "--seed", "3")
    [one] = json.loads(done.stdout)["katas"]
    assert [test for test in one["tests"] if test["verdict"] != "passed"] == []
    assert done.returncode == 0
