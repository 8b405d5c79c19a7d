"""Ctrl-C while something is being graded: it is broken off at once, and nothing of it is left."""

import signal
import subprocess
import sys

import pytest

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
    "while the report is written": "from checker import cli; cli._flush = strike",
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
