"""A grader that stood still for a while - Ctrl-Z, a paused container - blames no submission for it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from checker import grade
from checker.course import installed_course
from checker.runner import observer
from checker.submission import Submission
from checker.suite.plugin import MOST_REPETITIONS
from checker.world.session import Session
from tests.checker.waiting import until

STOPS_ITS_GRADER = """
import os, re, signal
from pathlib import Path
marker = Path({marker!r})
if not marker.exists():
    marker.write_text(str(os.getpid()))
    grader = re.search(r"PPid:\\t(\\d+)", Path(f"/proc/{{os.getppid()}}/status").read_text())[1]
    os.kill(int(grader), signal.SIGSTOP)
"""
"""Put before an answer, stops the grader in the middle of the first run. Without a sandbox it can."""

CHECK = "from checker.cli import main; main()"
WITH_BACKSTOP = "from checker import grade; grade.BACKSTOP = 3; " + CHECK


def has_alarm(pid):
    """Whether an alarm has rung that this process, which is stopped, has not heard yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (signal.SIGALRM - 1) & 1 for mask in pending)


@pytest.mark.parametrize(
    ("command", "seconds"), [(CHECK, 3), (WITH_BACKSTOP, 60)], ids=["a run's own limit", "the backstop of a test"]
)
def test_a_limit_that_passes_meanwhile_costs_nothing(tmp_path, command, seconds):
    """A right answer passes, though its first run, or its first test, had no time left when the grader went on."""
    marker = tmp_path / "marker"
    kata = installed_course().find("01")
    answer = tmp_path / "answer.py"
    answer.write_text(kata.solution.read_text() + STOPS_ITS_GRADER.format(marker=str(marker)))
    words = ["check", "01", "--path", str(answer), "--json", "--sandbox", "none", "--run-seconds", str(seconds)]
    with subprocess.Popen([sys.executable, "-c", command, *words], stdout=subprocess.PIPE, text=True) as check:
        assert os.WIFSTOPPED(os.waitpid(check.pid, os.WUNTRACED)[1])
        run = int(marker.read_text())
        if command == CHECK:
            until(lambda: not observer.is_alive(run), "ended by its limit")
        else:
            until(lambda: has_alarm(check.pid), "heard an alarm")
        check.send_signal(signal.SIGCONT)
        told, _ = check.communicate(timeout=120)
    (found,) = json.loads(told)["katas"]
    assert [test["message"] for test in found["tests"] if test["verdict"] != "passed"] == []
    assert check.returncode == 0


def test_a_grader_that_always_stands_still_comes_to_an_end_too(monkeypatch, tmp_path):
    """A wrong answer is found wrong then, after some repetitions, with the same words."""
    kata = installed_course().find("01")
    answer = tmp_path / f"{kata.name}.py"
    answer.write_text("async def visit(url, delay):\n    return url\nvisit_now = resolve = visit\n")
    plays = []
    play = Session.play

    def stalling(session, *args):
        plays.append(args)
        session.stalled = True
        return play(session, *args)

    def graded():
        plays.clear()
        grading = grade.grade(installed_course(), Submission(answer), [kata], seed=1)
        return [(result.name, result.verdict, result.message) for result in grading.results], len(plays)

    before, _ = graded()
    monkeypatch.setattr(Session, "play", stalling)
    after, many = graded()
    assert after == before
    assert many > MOST_REPETITIONS * len([name for name, verdict, _ in after if verdict == "failed"]) > 0
