"""What a test is failed for where a run gives several reasons."""

import pytest

from checker.suite import explain
from checker.suite.grader import Failure, Request, judge
from checker.trace import Answer, Seconds, Trace, Waiting
from checker.values import Error
from checker.world.script import World

LEAK = Waiting("left behind", ())


def error(name, message="", *members):
    return Error(name, (name,), message, (), errors=tuple(members))


def request(**more):
    return Request(lambda kata, stage: None, {}, World(), **more)


def test_an_error_that_nobody_expects_comes_before_what_it_leaves_behind():
    """It breaks off the scenario, whose own tasks are left then."""
    with pytest.raises(Failure, match="It raised KeyError: gone"):
        judge(Trace(error=error("KeyError", "gone"), leaks=[LEAK]), request())


def test_a_group_tells_of_its_members():
    """Which error is inside decides, so it is named."""
    group = error("ExceptionGroup", "unhandled errors", error("OSError", "closed"), error("KeyError", "gone"))
    with pytest.raises(Failure, match=r"raised ExceptionGroup: unhandled errors \[OSError: closed, KeyError: gone\]"):
        judge(Trace(error=group), request(raises=ValueError))


def test_what_is_left_behind_fails_a_run_that_is_right_otherwise():
    """Hygiene is judged in every run."""
    with pytest.raises(Failure, match="A task was left running: left behind"):
        judge(Trace(result=1, leaks=[LEAK]), request())


def test_moments_and_what_was_due_are_written_alike():
    """No more digits on one side than on the other, and no point where nothing stands behind it."""
    moments = Answer([Seconds(0.0), Seconds(1.0390625)], "`fetch` started at")
    told = explain.comparison("==", moments, [0.0, 2.087890625, None], None)
    assert told == "`fetch` started at: expected [0, 2.08789, None], saw [0, 1.03906]."
    told = explain.comparison("<=", Seconds(3.0, "Virtual seconds taken"), 2.0, None)
    assert told == "Virtual seconds taken: expected at most 2, saw 3."


def test_a_group_that_holds_the_error_twice_will_do():
    """As a task group does whose body awaits the task that fails; what else it holds is for others to judge."""
    lost = error("ValueError", "lost")
    for held in ((lost, lost), (error("ExceptionGroup", "inner", lost), error("KeyError", "in its cleanup"))):
        judge(Trace(error=error("ExceptionGroup", "unhandled errors", *held)), request(raises=ValueError))
    with pytest.raises(Failure, match=r"should have raised OSError; it raised ExceptionGroup: .*ValueError: lost"):
        judge(Trace(error=error("ExceptionGroup", "unhandled errors", lost, lost)), request(raises=OSError))
