"""Ctrl-C while something is being graded: it is broken off at once, and nothing of it is left."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from checker.cli import interrupt
from checker.course import installed_course
from checker.runner import observer
from tests.checker.waiting import busy, until


def test_plain_pytest_is_broken_off_too(tmp_path):
    """A suite that is run by pytest itself hears Ctrl-C as well, the first one."""
    (tmp_path / "07_semaphore.py").write_text("while True: pass\n")
    suite = installed_course().find("07").suite
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite), "--submission", str(tmp_path)],
        cwd=suite.parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as tests:
        until(lambda: busy(tests.pid), "at work")
        tests.send_signal(signal.SIGINT)
        told, _ = tests.communicate(timeout=60)
    assert tests.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in told
    assert "no tests ran" in told


MOMENTS = {
    "before anything": "import os; os.umask = strike",
    "while words are read": "import click; click.Group.parse_args = strike",
    "at work": "from checker.cli import common; common.course = strike",
    "where Python drops it": "from checker.cli import common; common.course = drop",
    "while the report is written": "from checker.cli import app; app._flush = strike",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_every_command_is_broken_off_at_any_moment(moment):
    """From the first line of the command to the last: one word and exit status 130."""
    program = f"""
import signal, sys, time
from checker.cli import main

def strike(*args):
    signal.raise_signal(signal.SIGINT)

class Dropping:
    def __del__(self):
        strike()

def drop():
    Dropping()
    time.sleep(300)

{moment}
sys.argv[1:] = ["list"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (130, "Stopped.")


IMPORTING = """
import signal, sys

class Striking:
    def find_spec(self, name, *_):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Striking())
from checker.cli import main
sys.argv[1:] = ["list"]
main()
"""


@pytest.mark.parametrize("module", ["checker.cli.interrupt", "click", "checker.cli.prove", "checker.course"])
def test_every_command_is_broken_off_while_modules_are_imported(module):
    """The first tenths of a second are no exception."""
    program = IMPORTING.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (130, "Stopped.")


@pytest.fixture
def pressed(monkeypatch):
    """`pressed(seconds)`: whether Ctrl-C counts at that time of a clock."""
    moments = []
    monkeypatch.setattr(interrupt, "time", SimpleNamespace(monotonic=lambda: moments[-1]))
    interrupt.forget()

    def press(seconds):
        moments.append(seconds)
        try:
            interrupt._interrupt()
        except KeyboardInterrupt:
            return True
        return False

    yield press
    interrupt.forget()


def test_ctrl_c_is_heard_once_and_later_anew(pressed):
    """What is being ended is not broken off; what does not come to an end is."""
    assert [pressed(seconds) for seconds in (0.0, 0.1, 4.9, 5.0, 5.1, 11.0)] == [True, False, False, True, False, True]


def test_one_that_was_dropped_is_not_taken_for_heard(pressed):
    """It comes again at once, and counts."""
    assert pressed(0.0)
    interrupt.forget()
    assert pressed(0.1)


@pytest.mark.parametrize("words", [["07"], ["01", "07"]], ids=["one kata", "several"])
def test_a_check_is_broken_off(tmp_path, words):
    """One word, exit status 130, no traceback, and no process goes on."""
    for name in ("01_event_loop", "07_semaphore"):
        (tmp_path / f"{name}.py").write_text("while True: pass\n")
    command = [sys.executable, "-c", "from checker.cli import main; main()", "check", *words, "--jobs", "2"]
    check = subprocess.Popen(
        [*command, "--run-cpu", "60", "--run-seconds", "60"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    pid = until(lambda: busy(check.pid), "at work")
    check.send_signal(signal.SIGINT)
    told, _ = check.communicate(timeout=60)
    assert (check.returncode, told) == (130, "Stopped.\n")
    until(lambda: not observer.is_alive(pid), "all ended")


WORDS = {
    "check": ("check", "1", "2", "--path", "work", "--jobs", "2"),
    "grade": ("grade", "handed", "--out", "out", "--kata", "1", "--jobs", "2"),
    "verify": ("verify", "1", "--jobs", "2"),
    "watch": ("watch", "1", "--path", "work"),
}
SAID = {
    "check": (130, "Stopped.\n"),
    "grade": (130, "the same command goes on.\n"),
    "verify": (130, "Stopped.\n"),
    "watch": (0, "\n"),
}


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("moment", ["as workers begin", "at work"])
def test_whoever_presses_again_and_again_is_not_kept_waiting(tmp_path, command, moment):
    """Every process of the terminal hears it, time after time: no traceback, and no process or file is left."""
    (tmp_path / "tmp").mkdir()
    for folder in ("work", "handed/ann", "handed/bob"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("01_event_loop", "02_gather_wait"):
            (tmp_path / folder / f"{name}.py").write_text("while True: pass\n")
    stopped = subprocess.Popen(
        [sys.executable, "-c", "from checker.cli import main; main()", *WORDS[command]],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    begun = _beginning if moment == "as workers begin" else _in_sandboxes
    until(lambda: begun(stopped.pid), moment)
    family = observer.descendants(stopped.pid)

    def pressed():
        os.killpg(stopped.pid, signal.SIGINT)
        return stopped.poll() is not None

    try:
        until(pressed, "ended", patience=30)
    except BaseException:
        os.killpg(stopped.pid, signal.SIGKILL)
        raise
    told, _ = stopped.communicate(timeout=60)
    status, said = SAID[command]
    assert "Traceback" not in told
    assert (stopped.returncode, told[-len(said) :]) == (status, said), told
    until(lambda: not any(map(observer.is_alive, family)), "all ended")
    assert os.listdir(tmp_path / "tmp") == []


def test_a_proof_whose_worker_dies_is_the_graders_fault(tmp_path):
    """Exit status 3 and a sentence; nothing is waited for that will never come."""
    command = [sys.executable, "-c", "from checker.cli import main; main()", "verify", "1", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as proof:
        (worker,) = until(lambda: _in_sandboxes(proof.pid), "at work")
        os.kill(worker, signal.SIGKILL)
        told, _ = proof.communicate(timeout=60)
    assert proof.returncode == 3
    assert "a process of its own ended before its work was done" in told
    assert "Traceback" not in told


def _beginning(pid):
    """The workers that Python has got ready to be interrupted, and who have not said yet that they are not to be."""
    return [each for each in _workers(pid) if _catches_interrupts(each)] or _in_sandboxes(pid)


def _in_sandboxes(pid):
    """Those that have a sandbox already."""
    return [each for each in _workers(pid) if observer.descendants(each)[1:]]


def _workers(pid):
    return [each for each in observer.descendants(pid)[1:] if "spawn_main" in _read(each, "cmdline")]


def _catches_interrupts(pid):
    caught = re.search(r"^SigCgt:\s*(\w+)", _read(pid, "status"), re.MULTILINE)
    return caught is not None and int(caught[1], 16) >> (signal.SIGINT - 1) & 1


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
