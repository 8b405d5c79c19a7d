"""Scores are weighed as the course file says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_the_points_that_are_asked_for_pass():
    """Weights whose shares are no round numbers in binary add up to the percent that is shown, and that passes."""
    rules = Assignment(weights={"01": 0.4, "02": 0.2, "03": 0.3, "05": 0.1})
    gradings = [grading("01", 10), grading("02", 10), grading("03", 0), grading("05", 0)]
    row = weigh(Learner("a", "A"), gradings, rules, missing=False)
    assert (row.percent, row.points, row.passed) == (60.0, 60.0, True)


def test_the_points_that_are_left_pass():
    """A late penalty leaves the points that are shown, and they are what the pass mark is compared with."""
    rules = Assignment(late_penalty=34, pass_mark=66)
    row = weigh(Learner("a", "A", late=True), [grading("01", 10)], rules, missing=False)
    assert (row.percent, row.points, row.passed) == (100.0, 66.0, True)


@given(
    katas=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1e6)), min_size=1, max_size=5),
    pass_mark=st.floats(0, 100),
    late_penalty=st.floats(0, 100),
    points=st.floats(0.1, 1e6),
    late=st.booleans(),
)
def test_whoever_has_the_points_has_passed(katas, pass_mark, late_penalty, points, late):
    """Whatever the numbers, points that are shown as at least the pass mark pass, and others do not."""
    rules = Assignment(
        points=points,
        pass_mark=pass_mark,
        late_penalty=late_penalty,
        weights={str(number): weight for number, (_, weight) in enumerate(katas)},
    )
    gradings = [grading(str(number), score) for number, (score, _) in enumerate(katas)]
    row = weigh(Learner("a", "A", late=late), gradings, rules, missing=False)
    assert row.passed == (row.points >= round(pass_mark / 100 * points, 4))
    assert 0 <= row.points <= round(points, 4)
    if not row.penalty:
        assert row.points == round(row.percent / 100 * points, 4)


def test_a_late_penalty_is_a_reason():
    """What being late took off is one sentence with the numbers, told first and once."""
    rules = Assignment(points=20, late_penalty=12.5)
    late = Learner("a", "A", late=True, notes=("A note.",))
    row = weigh(late, [grading("01", 10, verdict="passed")], rules, missing=False)
    assert row.reasons == [
        "Handed in late: 12.5 % of the score are taken off, 20 points become 17.5.",
        "A note.",
    ]


@pytest.mark.parametrize(
    ("learner", "score", "verdict", "penalty", "unfinished"),
    [
        (Learner("a", "in time"), 10, "passed", 10, False),
        (Learner("a", "late, and no penalty", late=True), 10, "passed", 0, False),
        (Learner("a", "late, and nothing to lose", late=True), 0, "failed", 10, False),
        (Learner("a", "late, and no grade", late=True), 10, "error", 10, False),
        (Learner("a", "late, and not graded yet", late=True), 10, "passed", 10, True),
    ],
    ids=lambda value: value.name if isinstance(value, Learner) else "",
)
def test_no_penalty_is_no_reason(learner, score, verdict, penalty, unfinished):
    """Nobody is told of a penalty that took nothing off."""
    graded = [grading("01", score, verdict=verdict)]
    row = weigh(learner, graded, Assignment(late_penalty=penalty), missing=False, unfinished=unfinished)
    assert row.penalty == ""
    assert "late" not in " ".join(row.reasons)


def test_katas_that_all_weigh_nothing_count_alike():
    """A right answer is never worth 0 points: where every kata graded weighs 0, all weigh the same."""
    rules = Assignment(weights={"01": 0, "02": 0, "07": 1})
    row = weigh(Learner("a", "A"), [grading("01", 10), grading("02", 0)], rules, missing=False)
    assert (row.percent, row.points) == (50.0, 50.0)
    none = weigh(Learner("a", "A"), [grading("01", 10), grading("07", 0)], rules, missing=False)
    assert none.points == 0.0


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
        ("[weights]\n7 = 0\n1 = 0", "not all of them 0"),
        ("[weights]\n7 = nan\n1 = 1", 'change "07_semaphore" = nan.'),
        ("[weights]\n7 = inf", 'change "07_semaphore" = inf.'),
        ("[weights]\n7 = 1e308\n1 = 1e308", 'change "07_semaphore" = 1e+308.'),
        ("[weights]\n7 = 1\n05 = 1\n07_semaphore = 2", '"7" and "07_semaphore" are both 07_semaphore; give each kata'),
        ("pass_mark = 120", "pass_mark and late_penalty are percents"),
        ("pass_mark = nan", "change pass_mark = nan."),
        ("pass_mark = -1", "change pass_mark = -1.0."),
        ("late_penalty = inf", "change late_penalty = inf."),
        ("late_penalty = 100.5", "change late_penalty = 100.5."),
        ("points = 0", "points is a number from 0.1 to 1000000; change points = 0.0."),
        ("points = nan", "change points = nan."),
        ("points = -inf", "change points = -inf."),
        ("points = 1e300", "change points = 1e+300."),
        ("points = 5e-324", "change points = 5e-324."),
        (f"points = {'9' * 5000}", "is no TOML: Exceeds the limit"),
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
