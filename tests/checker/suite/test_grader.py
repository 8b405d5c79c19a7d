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
from checker.suite.grader import MAX_LEFT, Grader, Request, Result
from checker.suite.plugin import _points
from checker.suite.scenario import ship
from checker.trace import Trace
from checker.values import MAX_KEPT, MAX_KEPT_BY_TEST
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


class Recorded:
    """A session that plays what it is told, and remembers how much room it was given."""

    shared = alone = stalled = False

    def __init__(self, *traces):
        self.traces = list(traces)
        self.rooms = []

    def forget_use(self):
        """Nothing is used."""

    def play(self, _performance, _world, _rng, room):
        self.rooms.append(room)
        return self.traces.pop(0)


def graded(session, verdicts, runs=1):
    """The results of as many tests, each of which plays so often."""
    grader = Grader(COURSE, Submission(COURSE.root / "solutions"), session, 1)
    for place, verdict in enumerate(verdicts):
        result = Result("07_semaphore", f"test_{place}", "A title", "result", 1.0)
        grader.begin(result)
        for _ in range(runs):
            grader.play(result, Request(one, {}, World()))
        result.verdict = verdict
    return grader


def test_the_runs_of_a_test_share_its_room():
    """A sweep keeps all of its runs: one that comes late may send no more than what the others have left."""
    whole, part = MAX_KEPT, MAX_KEPT_BY_TEST - MAX_KEPT // 2
    session = Recorded(Trace(kept=part), Trace(kept=MAX_KEPT // 2), Trace(), Trace(), Trace(), Trace())
    graded(session, ["passed", "passed"], runs=3)
    assert session.rooms == [whole, whole // 2, 0, whole, whole, whole]


def test_of_tests_that_are_over_little_is_kept():
    """Nobody looks at a passed one's trace; those of failed ones are told of as long as they are not too large."""
    verdicts = ["failed", "passed", "failed", "failed", "error"]
    traces = [Trace(problem=str(place), printed="…", kept=MAX_LEFT // 2) for place in range(len(verdicts))]
    grader = graded(Recorded(*traces), verdicts)
    assert [result.last.trace.printed for result in grader.results.values()] == ["…", "", "…", "", "…"]
    assert [result.last.trace.problem for result in grader.results.values()] == ["0", "1", "2", "3", "4"]


def test_a_run_that_decides_for_a_whole_kata_is_kept_once():
    """However many tests it decides about, and only in outline if it is too large."""
    small, large = (Trace(ended="refused", decides=True, printed="…", kept=kept) for kept in (MAX_LEFT, MAX_LEFT + 1))
    told = graded(Recorded(small), ["failed"] * 3).results.values()
    assert [result.last.trace for result in told] == [small] * 3
    told = graded(Recorded(large), ["failed"] * 3).results.values()
    assert [(result.last.trace.ended, result.last.trace.printed) for result in told] == [("refused", "")] * 3
