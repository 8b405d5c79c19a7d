"""What goes wrong on the grader's side is never the submission's fault, and does no harm to what comes after."""

import random
from types import SimpleNamespace

import pytest
from _pytest.assertion import util

from checker.course import installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.sandbox import Unavailable
from checker.submission import Submission
from checker.suite import call, calls, scenario
from checker.suite.grader import Grader, Request, Result
from checker.suite.plugin import _points
from checker.suite.scenario import ship
from checker.world.script import World
from checker.world.session import GraderFault, Performance, Session

COURSE = installed_course()


@scenario
async def one(kata, stage):
    return await kata.work(stage.calls("job"))


@scenario
async def needs_a_limit(kata, stage, *, limit):
    return await kata.work(limit)


class Stumbling:
    """A session that trips over itself."""

    shared = alone = False

    def play(self, *_):
        raise TypeError("of our own making")


def test_an_error_of_the_graders_own_is_told_as_such():
    """Whatever it is that is raised while a scenario is played."""
    grader = Grader(COURSE, Submission(COURSE.root / "solutions"), Stumbling(), 1)
    result = Result("07_semaphore", "test", "A title", "result", 1.0)
    with pytest.raises(GraderFault, match="TypeError: of our own making"):
        grader.play(result, Request(one, {}, World()))


def test_a_conversation_that_is_broken_off_here_leaves_nothing_for_the_next():
    """What the sandbox has still to say of that run is not taken for an answer about another one."""

    def interrupt():
        raise KeyboardInterrupt

    performance = Performance("07_semaphore", b"async def work(job): return await job()", [], ship(one, {}))
    session = Session(limits=Limits(cpu=3, wall=15.0), budget=float("inf"))
    try:
        with pytest.raises(KeyboardInterrupt):
            session.play(performance, calls(job=call(1.0, interrupt)), random.Random(1))
        for _ in range(3):
            trace = session.play(performance, calls(job=1.0), random.Random(1))
            assert (trace.ended, trace.elapsed, trace.result) == ("finished", 1.0, trace.spans[0].value)
    finally:
        session.close()


def test_a_scenario_that_is_called_wrongly_is_the_suites_fault():
    """A keyword that it does not take, or one that is missing, is told with the scenario's name."""
    for data in ({"raise_": "ValueError"}, {}):
        with pytest.raises(TypeError, match="The scenario needs_a_limit cannot be played like that"):
            ship(needs_a_limit, data)
    assert ship(needs_a_limit, {"limit": 3})


@pytest.mark.parametrize("args", [(), ("two",), (0,), (1, 2)])
def test_a_test_that_does_not_say_what_it_is_worth_is_an_error(args):
    """It must not vanish from the grade."""
    item = SimpleNamespace(name="test_it", get_closest_marker=lambda name: SimpleNamespace(args=args))
    with pytest.raises(GraderFault, match="test_it says wrongly what it is worth"):
        _points(item)


def test_a_sandbox_that_does_not_exist_is_none():
    """A misspelt kind is refused, and never played without a sandbox."""
    with pytest.raises(Unavailable, match="There is no sandbox 'bwarp'"):
        Session("bwarp").probe()


def test_pytest_compares_nothing_by_itself(monkeypatch, sandbox):
    """On a server for CI it would look for the differences of two lists, for minutes if a submission wants that."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(util, "assertrepr_compare", None)
    found = grade_mistake("02_gather_wait", "done_read_as_ordered", sandbox)
    told = [each.message for each in found if each.verdict == "failed"]
    assert any(message.startswith("Returned: expected [") for message in told)
    assert "NoneType" not in " ".join(told)


def test_a_repetition_deals_other_tokens(sandbox):
    """What the run before has learned is of no use to the one that is played again, alone."""
    found = grade_mistake("02_gather_wait", "done_read_as_ordered", sandbox)
    assert {each.last.seed.endswith("/again") for each in found if each.verdict == "failed"} == {True}
    assert not all(each.last.seed.endswith("/again") for each in found if each.verdict == "passed")


def grade_mistake(name, mistake, session):
    """The results of grading a known mistake."""
    kata = COURSE.find(name)
    [path] = [path for path in kata.mistakes if path.stem == mistake]
    return grade(COURSE, Submission(path), [kata], seed=7, session=session).results
