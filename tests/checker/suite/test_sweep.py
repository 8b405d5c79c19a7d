"""A sweep asks for work: whoever only waits for the cancellation earns nothing."""

import pytest

from checker.course import installed_course
from checker.grade import grade
from checker.submission import Submission
from checker.suite import explain
from checker.suite.grader import Failure, Played, Request, Result
from checker.suite.scenario import names_target
from checker.suite.sweeping import judge_evidence, judge_struck, judge_uncancelled, judge_work
from checker.suite.swept import Swept
from checker.trace import Seconds, Span, Trace
from checker.values import Error, Frame
from checker.world.script import World, calls
from checker.world.session import Performance

IDLER = """
import asyncio
async def in_turn(*_):
    for _ in range(70):
        await asyncio.sleep(1)
count_votes = in_turn
class Account:
    def __init__(self, store): pass
    deposit = in_turn
"""


def span(start, end, label="visit"):
    return Span(label=label, number=0, args=(), keywords={}, start=start, end=end, outcome="done")


def request(world=None):
    return Request(scenario=lambda: None, data={}, world=world or World())


def test_the_run_that_is_left_alone_calls_what_the_world_has():
    """Every label of the world is called, but those that are said not to be."""
    trace = Trace(spans=[span(0.0, 1.0)])
    judge_work(trace, request(calls(visit=1.0)), None, ())
    judge_work(trace, request(calls(visit=1.0, rescue=1.0)), None, ["rescue"])
    with pytest.raises(Failure, match="Left alone, it never calls `rescue`"):
        judge_work(trace, request(calls(visit=1.0, rescue=1.0)), None, ())


def test_without_a_world_it_notes_or_returns_something():
    """A world without calls: notes, or the value that is asked for."""
    with pytest.raises(Failure, match="Left alone, it does nothing"):
        judge_work(Trace(result=None), request(), None, ())
    with pytest.raises(Failure, match="Left alone, it returned None, not 'text'"):
        judge_work(Trace(result=None), request(), "text", ())
    judge_work(Trace(result="text"), request(), "text", ())


def test_cancelled_error_of_the_run_that_is_left_alone_is_named_as_such():
    """All others must end in it: that this one must not is to be said."""
    itself = Error("CancelledError", ("asyncio.CancelledError",), "", frames=(Frame(65, "visit_all"),))
    told = r"Not cancelled by the test, it raised CancelledError \(line 65\) all the same\."
    with pytest.raises(Failure, match=told):
        judge_uncancelled(Trace(error=itself), request())


async def own_target(kata, stage):
    async def inner():
        stage.target(None)

    await inner()


async def no_target(kata, stage):
    await kata.run(stage)


def test_a_scenario_that_names_what_is_cancelled_is_known():
    """The world counts the points of a scenario only where they last as long as the scenario does."""
    assert names_target(own_target)
    assert not names_target(no_target)


def test_a_cancelled_run_meets_a_call_under_way():
    """Where calls take time, some cancellation falls into one of them."""
    last = Trace(spans=[span(0.0, 2.0)])
    judge_evidence([Trace(struck_at=1.0, spans=[span(0.0, 1.0)])], last)
    with pytest.raises(Failure, match="none of the calls was under way"):
        judge_evidence([Trace(struck_at=1.0)], last)
    with pytest.raises(Failure, match="none of the calls was under way"):
        judge_evidence([Trace(struck_at=1.0, spans=[span(0.0, 0.5)])], last)
    judge_evidence([Trace(struck_at=1.0)], Trace(spans=[span(0.0, 0.0)]))


def test_waiting_again_and_again_earns_nothing(tmp_path):
    """Whoever only sleeps, more often than a sweep cancels, is left alone all the same, and has done nothing."""
    course = installed_course()
    kata = course.find("06")
    idler = tmp_path / "idler.py"
    idler.write_text(IDLER)
    grading = grade(course, Submission(idler), [kata], seed=1)
    assert [result.name for result in grading.results if result.points] == []
    swept = [result.message for result in grading.results if result.aspect == "cancellation"]
    assert any("Left alone" in message for message in swept), swept


def played(point):
    trace = Trace(struck_at=None if point is None else Seconds(point * 1.5))
    return Played(Performance("07_semaphore", b"", [], b"", strike=point), World(), "seed", trace)


@pytest.fixture
def swept():
    result = Result("07_semaphore", "test_a", "A.", "cancellation", 1.0)
    runs = [played(1), played(2)]
    result.last = alone = played(None)
    yield Swept(result, runs, alone), runs, alone, result
    explain.current = None


def test_the_trace_that_a_test_looks_at_is_the_one_that_its_failure_is_about(swept):
    """In a loop, by its place or in a slice: that run is drawn, and compared with; after a whole loop the last one."""
    traces, runs, alone, result = swept
    for trace, run in zip(traces, runs, strict=False):
        assert (explain.current, result.last) == (trace, run)
        assert trace is run.trace
    assert [trace.struck_at for trace in traces] == [1.5, 3.0]
    assert (explain.current, result.last) == (alone.trace, alone)
    assert traces[0] is explain.current is runs[0].trace
    assert all(result.last is runs[1] for _ in traces[1:])
    assert len(traces) == 2


def test_an_assertion_over_a_sweep_says_when_the_run_was_cancelled():
    """With the moment and the point; not where no run was cancelled, or the sentence says it itself."""
    said = AssertionError("Returned: expected 1, saw 2.")
    assert explain.sentence(said, played(2)) == ("Cancelled at 3 s (suspension point 2): returned: expected 1, saw 2.")
    assert explain.sentence(said, played(None)) == explain.sentence(said) == "Returned: expected 1, saw 2."
    for own in (Failure("It never ends."), AssertionError("Cancelled at 3 s, it went on.")):
        assert explain.sentence(own, played(2)) == str(own)


def test_the_name_of_a_class_keeps_its_capitals():
    """After a colon a sentence goes on in lower case, but not where it begins with a name."""
    trace = Trace(struck_at=Seconds(0.0), complaints=["DeprecationWarning: old"], error=None, result=1)
    with pytest.raises(Failure, match=r"\(suspension point 1\): DeprecationWarning: old"):
        judge_struck(trace, Request(scenario=lambda: None, data={}, world=World(), raises=ValueError), 1)
    assert explain.lowered("A task was left running.") == "a task was left running."
    assert explain.lowered("`job` was left.") == "`job` was left."
