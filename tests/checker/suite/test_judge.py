"""What a test is failed for where a run gives several reasons."""

import pytest

from checker.suite.grader import Failure, Request, judge
from checker.trace import Trace, Waiting
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
