"""Scores are weighed as the course file says."""

import msgspec
import pytest

from checker.batch.settings import BadSettings, read_settings
from checker.course import installed_course
from checker.rows import Assignment, Grading, Learner, Test, weigh


def grading(kata, score, max_score=10.0, verdict="failed", **more):
    test = Test("test_x", "It holds.", "timing", verdict, score, max_score, "It does not.", "finished")
    facts = {"key": "k", "sha256": "s", "seed": 1, "python": "3", "version": "1", "sandbox": "bwrap"}
    return Grading(kata=kata, verdict=verdict, score=score, max_score=max_score, tests=[test], seconds=0.1,
                   finished="now", **facts, **more)  # fmt: skip


def test_katas_count_alike_whatever_their_points():
    """Without weights every kata counts the same."""
    row = weigh(Learner("a", "A"), [grading("01", 10), grading("07", 0, 30.0)], Assignment(), missing=False)
    assert (row.percent, row.points, row.passed, row.status) == (50.0, 50.0, False, "graded")


def test_weights_pass_mark_points_and_penalty():
    """Weights, pass mark, points and late penalty are applied in this order."""
    rules = Assignment(points=20, pass_mark=70, late_penalty=10, weights={"01": 3, "07": 1})
    gradings = [grading("01", 10), grading("07", 0)]
    assert weigh(Learner("a", "A"), gradings, rules, missing=False).points == 15.0
    late = weigh(Learner("a", "A", late=True), gradings, rules, missing=False)
    assert (late.percent, late.points, late.passed) == (75.0, 13.5, False)


def test_a_fault_of_the_grader_is_no_grade():
    """A fault is a status of its own and never a pass."""
    row = weigh(Learner("a", "A"), [grading("01", 10), grading("07", 0, 0.0, "error")], Assignment(), missing=False)
    assert (row.status, row.passed) == ("fault", False)


def test_reasons_say_each_thing_once():
    """Every lost point has a reason; a problem of the file stands for all its tests."""
    row = weigh(
        Learner("a", "A", notes=("A note.",)),
        [grading("01", 0), grading("07", 0, problem="07.py is empty."), grading("08", 10, verdict="passed")],
        Assignment(),
        missing=False,
    )
    assert row.reasons == ["A note.", "01: It holds. It does not.", "07: 07.py is empty."]


def test_what_many_tests_say_is_said_once():
    """A stub's row is one sentence, not one for each of its tests."""
    test = Test("t", "It holds.", "timing", "failed", 0.0, 1.0, "Not written yet.", "finished")
    one = msgspec.structs.replace(grading("07", 0), tests=[test, test, test])
    row = weigh(Learner("a", "A"), [one], Assignment(), missing=False)
    assert row.reasons == ["07: Not written yet. (3 tests)"]


def settings(tmp_path, text):
    path = tmp_path / "course.toml"
    path.write_text(text)
    return read_settings(path, installed_course())


def test_a_course_file_is_read(tmp_path):
    """Katas may be named as on the command line."""
    found = settings(tmp_path, 'name = "Week 3"\npass_mark = 75\n[weights]\n7 = 2\n"01_event_loop" = 1\n')
    assert (found.name, found.pass_mark, found.weights) == ("Week 3", 75, {"07_semaphore": 2, "01_event_loop": 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is no TOML"),
        ("pass_mark = 'much'", "Expected `float`, got `str` - at `$.pass_mark`"),
        ("passmark = 3", "unknown field `passmark`"),
        ("[weights]\n99 = 1", "There is no kata '99'"),
        ("[weights]\n7 = -1", "weights are numbers from 0 on"),
        ("pass_mark = 120", "pass_mark and late_penalty are percents"),
    ],
)
def test_a_bad_course_file_is_told(tmp_path, text, said):
    """What is wrong with a course file is one sentence."""
    with pytest.raises(BadSettings) as caught:
        settings(tmp_path, text)
    assert said in str(caught.value)


def test_a_missing_course_file_is_told(tmp_path):
    """A course file that is not there is said to be so."""
    with pytest.raises(BadSettings, match="cannot be read: No such file"):
        read_settings(tmp_path / "none.toml", installed_course())
