"""Under Landlock runs have no unix sockets; what Python needs them for is nobody's mistake."""

import pytest

from checker.suite import scenario
from checker.world.session import GraderFault

STARTS = {
    "a manager": "multiprocessing.Manager()",
    "a manager of a context": "multiprocessing.get_context('spawn').Manager()",
    "the fork server": "multiprocessing.get_context('forkserver').Process(target=print).start()",
}
NEEDING = """
import multiprocessing, threading
def start():
    {start}
def look():
    try:
        {call}
    except Exception:
        pass
"""


@scenario
def look(kata, stage):
    return kata.look()


@pytest.mark.parametrize("call", ["start()", "t = threading.Thread(target=start); t.start(); t.join()"])
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_who_needs_one_is_not_graded_rather_than_failed(only, play_confined, start, call):
    """A right answer would have 0 points; so that is a fault of the grader's, which says what to install."""
    only("landlock")
    with pytest.raises(GraderFault, match=r"need unix sockets, .* Install bubblewrap"):
        play_confined(NEEDING.format(start=start, call=call), look, importable=True)


def test_a_submission_cannot_make_its_row_a_fault_where_nothing_is_kept_from_it(play_confined, confined):
    """The runner only tells of it; it is believed of what Landlock keeps away from runs with child processes."""
    source = """
import gc
def look():
    import checker.messages as m
    [link] = [thing for thing in gc.get_objects() if type(thing).__name__ == "Link"]
    link.send(m.Refused("sandbox", "I need more"))
    link.send(m.Told())
"""
    importable = confined.kind != "landlock"
    trace = play_confined(source, look, importable=importable)
    assert (trace.ended, trace.problem) == ("refused", "I need more")
