"""What goes wrong on the grader's side is never the submission's fault, and does no harm to what comes after."""

import random

import pytest

from checker.course import installed_course
from checker.messages import Limits
from checker.submission import Submission
from checker.suite import call, calls, scenario
from checker.suite.grader import Grader, Request, Result
from checker.suite.scenario import ship
from checker.world.script import World
from checker.world.session import GraderFault, Performance, Session

COURSE = installed_course()


@scenario
async def one(kata, stage):
    return await kata.work(stage.calls("job"))


class Stumbling:
    """A session that trips over itself."""

    shared = False

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
