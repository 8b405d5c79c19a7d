"""`kata check` with several katas: in several processes, told as if by one."""

import json
import os
import signal
import subprocess
import sys

import pytest

from checker.course import installed_course
from checker.runner import observer
from tests.checker.waiting import until

SOLUTIONS = installed_course().root / "solutions"
WORDS = ("check", "3", "1", "7", "--path", str(SOLUTIONS), "--seed", "3")


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["terminal", "json"])
def test_several_processes_tell_what_one_tells(kata, more):
    """The report is the same to the letter, in the order of the course."""
    one, two = (kata(*WORDS, *more, "--jobs", jobs) for jobs in ("1", "2"))
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert one.stdout == two.stdout
    if more:
        katas = [each["kata"] for each in json.loads(two.stdout)["katas"]]
        assert katas == ["01_event_loop", "03_callbacks", "07_semaphore"]
    else:
        assert two.stdout.endswith("\n3 of 3 katas passed, 70 of 70 points\n")


WITHOUT_LOCKS = """
import errno, sys
from multiprocessing import synchronize
from checker.cli import main

def refuse(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")

synchronize.SemLock.__init__ = refuse
sys.argv[1:] = {words!r}
main()
"""


def without_locks(*words):
    """Run a command where /dev/shm is read-only, as in some containers, so that processes can share no locks."""
    program = WITHOUT_LOCKS.format(words=list(words))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)


def test_without_locks_for_several_processes_one_does_it_all():
    """That takes longer, and nobody is bothered with it."""
    done = without_locks("check", "3", "1", "--path", str(SOLUTIONS), "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n2 of 2 katas passed, " in done.stdout


def test_without_locks_for_workers_a_batch_says_what_is_missing(tmp_path):
    """Exit status 3: the machine is not fit for it."""
    done = without_locks("grade", str(SOLUTIONS), "--out", str(tmp_path / "out"), "--kata", "1")
    said = "their locks live in /dev/shm, which cannot be written to (Read-only file system)."
    assert (done.returncode, said in done.stderr) == (3, True), done.stderr


def test_the_work_of_a_process_that_dies_is_done_again():
    """Nobody is bothered with it: the report is that of all katas."""
    with _checking(SOLUTIONS, "--json") as check:
        os.kill(until(lambda: _workers(check.pid), "at work")[0], signal.SIGKILL)
        out, err = check.communicate(timeout=120)
    assert check.returncode == 0, err
    assert [each["verdict"] for each in json.loads(out)["katas"]] == ["passed", "passed"]


def test_processes_that_die_again_are_the_graders_fault(tmp_path):
    """Exit status 3 and a sentence; nothing hangs and nothing is left."""
    for name in ("01_event_loop", "02_gather_wait"):
        (tmp_path / f"{name}.py").write_text("while True: pass\n")
    family, killed = set(), set()

    def none_is_left():
        for worker in set(_workers(check.pid)) - killed:
            family.update(observer.descendants(check.pid))
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        return check.poll() is not None

    with _checking(tmp_path) as check:
        until(none_is_left, "ended")
        out, err = check.communicate(timeout=120)
    assert check.returncode == 3, out
    assert "a process of its own ended before its work was done" in err
    assert "Traceback" not in err
    until(lambda: not any(map(observer.is_alive, family)), "all ended")


def _checking(path, *more):
    command = [sys.executable, "-c", "from checker.cli import main; main()", "check", "1", "2", "--jobs", "2", *more]
    return subprocess.Popen([*command, "--path", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _workers(pid):
    """The processes that play something: each has a sandbox below it."""
    return [child for child in observer.descendants(pid)[1:] if len(observer.descendants(child)) > 2]
