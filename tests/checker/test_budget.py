"""The time for all runs of a kata is that kata's alone."""

import dataclasses
import random
from contextlib import closing

import pytest

from checker.course import installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.submission import Submission
from checker.suite.scenario import ship
from checker.world import pulse
from checker.world import session as sessions
from checker.world.script import World
from checker.world.session import DEFAULT_BUDGET, Performance, Session
from tests.checker.runner.scenarios import plainly


def test_what_one_submission_used_up_is_not_counted_against_the_next():
    """Two may share a sandbox: the second is graded in full, whatever the first has left of the time for all runs."""
    course = installed_course()
    kata = course.find("01")
    session = Session("auto", kata.preload)
    session.used = DEFAULT_BUDGET
    try:
        grading = grade(course, Submission(kata.solution), [kata], session=session)
    finally:
        session.close()
    assert [result.message for result in grading.results if result.verdict != "passed"] == []


def test_what_one_kata_used_up_is_not_counted_against_the_next(tmp_path):
    """A kata that hangs costs its own points: the next one has the row that it would have alone."""
    course = installed_course()
    hanging, right = course.find("01"), course.find("05")
    waits = "import select\nasync def visit(url, delay):\n    select.select([], [], [])\n"
    (tmp_path / f"{hanging.name}.py").write_text(
        waits + "def visit_now(*_):\n    select.select([], [], [])\nresolve = visit\n"
    )
    (tmp_path / f"{right.name}.py").write_bytes(right.solution.read_bytes())
    limits = Limits(wall=1.5)
    grading = grade(course, Submission(tmp_path), [hanging, right], seed=1, limits=limits, budget=5.0)
    told = {result.message for result in grading.of(hanging)}
    assert "Its runs have taken 5 s of real time together, which is the limit." in told
    assert [result.message for result in grading.of(right) if result.verdict != "passed"] == []


WAITS_IN_VAIN = {
    "over its limit": "    select.select([], [], [])",
    "in a deadlock, late": "    select.select([], [], [], 1.2)\n    threading.Barrier(2).wait()",
}


@pytest.mark.parametrize("wait", WAITS_IN_VAIN.values(), ids=WAITS_IN_VAIN.keys())
def test_who_has_come_to_no_end_twice_gets_less_time(monkeypatch, wait):
    """Nobody waits twenty times for the same thing, whatever a run was when it was ended."""
    monkeypatch.setattr(sessions, "HURRIED", 1.0)
    monkeypatch.setattr(pulse, "TOLERATED", 60.0)  # or a machine that keeps this process waiting is taken for asleep
    source = f"import select, threading\ndef work(stage, ever):\n    ever and select.select([], [], [])\n{wait}"
    with closing(Session(limits=Limits(wall=2.0))) as session:
        performance = Performance("07_semaphore", source.encode(), [], b"")
        shipped = [ship(plainly, {"ever": ever}) for ever in (False, False, True)]
        runs = [dataclasses.replace(performance, scenario=scenario) for scenario in shipped]
        traces = [session.play(run, World(), random.Random(7)) for run in runs]
    assert all(trace.ended != "finished" for trace in traces)
    assert traces[2].problem.startswith("It was still busy after its limit of 1 s of real time")
