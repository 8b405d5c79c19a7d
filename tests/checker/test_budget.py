"""The time for all runs of a kata is that kata's alone."""

from checker.course import installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.submission import Submission
from checker.world.session import DEFAULT_BUDGET, Session


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
