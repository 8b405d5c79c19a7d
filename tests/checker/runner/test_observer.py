"""The onlooker's judgement of real processes: who is asleep, and who only seems to be."""

import os
import subprocess
import sys

import pytest

from checker.runner import observer
from tests.checker.waiting import until

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


@pytest.fixture
def sleeper():
    """A process that waits for a line, and sends back what it gets."""
    with subprocess.Popen([sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        fall_asleep(process)
        yield process
        process.kill()


def fall_asleep(process):
    until(lambda: quiet([process.pid], lambda: [process.pid]), "asleep")


def quiet(pids, listed):
    onlooker = observer.Observer()
    try:
        return onlooker.is_quiet(pids, listed)
    finally:
        onlooker.close()


def test_one_born_after_the_list_was_made_is_not_overlooked(sleeper):
    assert not quiet([sleeper.pid], lambda: [sleeper.pid, os.getpid()])


def test_one_that_works_is_not_quiet(sleeper):
    both = [sleeper.pid, os.getpid()]
    assert not quiet(both, lambda: both)


def test_one_that_works_between_the_looks_and_sleeps_in_both_is_not_quiet(sleeper):
    def listed():
        sleeper.stdin.write(b"work\n")
        sleeper.stdin.flush()
        assert sleeper.stdout.readline() == b"work\n"
        fall_asleep(sleeper)
        return [sleeper.pid]

    assert not quiet([sleeper.pid], listed)


def test_one_onlooker_sees_the_same_process_sleep_and_work_and_end(sleeper):
    """What it keeps open of a process tells it each time how that is now."""
    onlooker = observer.Observer()
    both = [sleeper.pid, os.getpid()]
    for _ in range(3):
        until(lambda: onlooker.is_quiet([sleeper.pid], lambda: [sleeper.pid]), "asleep")
        assert not onlooker.is_quiet(both, lambda: both)
    sleeper.kill()
    sleeper.wait()
    assert onlooker.is_quiet([sleeper.pid], lambda: [sleeper.pid])  # it has no threads any more
    onlooker.close()


def test_an_onlooker_keeps_few_files_open(sleeper, monkeypatch):
    monkeypatch.setattr(observer.Observer, "MOST_OPEN", 2)
    before = len(os.listdir("/proc/self/fd"))
    onlooker = observer.Observer()
    until(lambda: onlooker.is_quiet([sleeper.pid], lambda: [sleeper.pid]), "asleep")
    assert before < len(os.listdir("/proc/self/fd")) <= before + 2
    onlooker.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_where_a_thread_waits_is_asked_only_of_a_kernel_that_shows_it(sleeper, monkeypatch):
    monkeypatch.setattr(observer, "shows_waits", False)
    fall_asleep(sleeper)
    shown = observer.read(f"/proc/{sleeper.pid}/wchan") != b"0"
    assert observer.shows_waits == shown


# --- alone in a namespace, where births are counted ----------------------------------------------------------------

ALONE = """
import os, threading, time
from checker.runner.observer import Observer

orders, order = os.pipe()
answer, answers = os.pipe()
child = os.fork()
if child == 0:
    over = threading.Event()
    def spin():
        while not over.is_set():
            pass
    while True:
        what = os.read(orders, 1)
        if what == b"t":
            threading.Thread(target=spin).start()
        elif what == b"p" and os.fork() == 0:
            while True:
                pass
        elif what == b"o":
            over.set()
        os.write(answers, b".")

def do(what):
    os.write(order, what)
    os.read(answer, 1)

def quiet():
    return onlooker.is_quiet(onlooker.processes(), onlooker.processes)

def until(wanted):
    give_up = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < give_up

onlooker = Observer(alone=True)
until(quiet)
until(lambda: quiet() and onlooker._known)
"""


@pytest.fixture
def alone(run_alone):
    """Run a script's lines as process 1 of a pid namespace, with a child that does what it is told."""
    return lambda lines: run_alone(ALONE + lines, "--as-pid-1")


def test_nobody_is_looked_up_while_nobody_is_born(alone):
    alone("""
listdir, os.listdir = os.listdir, None
until(quiet)
do(b"-")
until(quiet)
os.listdir = listdir
do(b"t")
assert not any(quiet() for _ in range(200))
do(b"o")
until(quiet)
until(lambda: quiet() and len(*onlooker._known.values()) == 1)
""")


@pytest.mark.parametrize("who", ["t", "p"])
def test_one_born_just_before_the_look_is_not_overlooked(alone, who):
    """A thread or a process, whose parent has fallen asleep again by then."""
    alone(f"""
looking = onlooker._look
def late(*args):
    onlooker._look = looking
    do(b"{who}")
    until(lambda: open(f"/proc/{{child}}/stat").read().split()[2] == "S")
    return looking(*args)
onlooker._look = late
assert not quiet()
assert not any(quiet() for _ in range(200))
""")
