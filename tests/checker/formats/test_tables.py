"""csv, canvas and moodle: tables that spreadsheets and platforms read, and never run."""

import csv
import html
import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from checker.formats.common import cell
from checker.rows import Assignment, Learner
from checker.values import printable

STARTERS = tuple("=+-@＝＋－＠")
TABLES = {"csv": ["grades.csv", "tests.csv"], "canvas": ["canvas.csv"], "moodle": ["moodle.csv"]}


def read(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=delimiter == ","))


def records(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def runs(value):
    """Whether a spreadsheet may take a cell for a formula, blanks and quotes before it or not; numbers are none."""
    return value.lstrip(' "\t\r\n').startswith(STARTERS) and not re.fullmatch(r"-?\d+(\.\d+)?", value)


def check_tables(make, batch, count):
    for name, files in TABLES.items():
        written = make.written(name, batch)
        assert sorted(written) == sorted(files)
        for file, text in written.items():
            table = read(text)
            assert {len(line) for line in table} == {len(table[0])}, file
            assert not [value for line in table for value in line if runs(value) or value[:1] in ("\t", "\r", "\n")]
            assert not [value for line in read(text, ";") for value in line if runs(value)], file
            if file != "tests.csv":
                assert len(table) == count + (2 if name == "canvas" else 1)


# --- all of them ---------------------------------------------------------------------------------------------


def test_no_nasty_row_breaks_or_runs(make, nasty):
    """Every learner is one line, no cell is a formula, whatever separator the spreadsheet expects."""
    check_tables(make, nasty, len(list(nasty.rows())))
    check_tables(make, make.batch([], assignment=Assignment(name=";")), 0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_text_breaks_or_runs(make, data):
    """The same of any text, in every field that comes from outside."""
    texts = make.texts()
    names = data.draw(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
    rows = [
        make.row(
            Learner(key, name, message, name, key, notes=(message,), sis_id=name, login=message, section=key),
            [make.grading(kata, [make.test(message=message, title=name)], problem=key) for kata in make.katas],
        )
        for key, name, message in names
    ]
    check_tables(make, make.batch(rows, assignment=Assignment(name=names[0][1])), len(rows))


@given(st.text())
@example("=1")
@example("a;=1")
def test_a_cell_only_gains_apostrophes(text):
    """Defusing changes nothing else in a text."""
    assert cell(text).replace("'", "") == printable(text).replace("'", "")


@pytest.mark.parametrize("text", ["Zoë", "07_semaphore", "a - b = c", "x,y", "1.5", "12 of 20"])
def test_harmless_text_is_left_alone(text):
    """What no spreadsheet runs is not touched."""
    assert cell(text) == text


@pytest.mark.parametrize(("value", "said"), [(-1.5, -1.5), (12.0, 12), (1 / 3, 0.3333), (7, 7), (None, None)])
def test_numbers_stay_numbers(value, said):
    """A number is written as one, even below zero, with four decimals at most."""
    assert (cell(value), type(cell(value))) == (said, type(said))


# --- csv -----------------------------------------------------------------------------------------------------


def test_grades_have_all_that_was_asked_for(make, nasty):
    """A late learner's line says everything, its numbers without quotes."""
    text = make.written("csv", nasty)["grades.csv"]
    late = next(each for each in records(text) if each["name"] == "Late")
    assert late == {
        "name": "Late",
        "email": "",
        "user_id": "93",
        "submission_id": "",
        "late": "yes",
        "status": "graded",
        "percent": "80",
        "points": "16",
        "passed": "yes",
        "05_cancellation score": "5",
        "05_cancellation max": "10",
        "07_semaphore score": "5",
        "07_semaphore max": "10",
        "reasons": "05_cancellation: It holds. It does not. | 07_semaphore: It holds. It does not.",
        "seed": "424242",
        "key": "l",
    }
    assert '"graded",80,16,"yes",5,10,' in text


def test_no_grade_is_never_a_zero(make, nasty):
    """The grader's fault and a kata that was not graded leave their cells empty; a missing learner has 0 and why."""
    found = {each["name"]: each for each in records(make.written("csv", nasty)["grades.csv"])}
    fault = found["Fault"]
    assert (fault["status"], fault["percent"], fault["points"], fault["passed"]) == ("fault", "", "", "")
    assert (fault["05_cancellation score"], fault["07_semaphore score"]) == ("5", "")
    assert "The grader itself failed" in fault["reasons"]
    assert (found["Unfinished"]["points"], found["Unfinished"]["07_semaphore max"]) == ("", "")
    assert (found["Missing"]["status"], found["Missing"]["points"]) == ("missing", "0")
    assert "No file for it was handed in." in found["Missing"]["reasons"]


def test_reasons_are_shortened(make):
    """Reasons without end do not make a cell without end."""
    row = make.row(Learner("a", "A", notes=("n" * 5000,)))
    cell_of_reasons = records(make.written("csv", make.batch([row]))["grades.csv"])[0]["reasons"]
    assert len(cell_of_reasons) == 2000
    assert cell_of_reasons.endswith("…")


def test_every_test_has_its_line(make, nasty):
    """The table of tests has all tests of all learners, with all fields of grading and test."""
    found = records(make.written("csv", nasty)["tests.csv"])
    played = [each for each in found if each["name"] != "graded"]
    assert len(played) == sum(len(grading.tests) for row in nasty.rows() for grading in row.gradings)
    last = played[-1]
    assert {name: last[name] for name in ("key", "kata", "name", "property", "verdict", "points", "ended")} == {
        "key": "u",
        "kata": "05_cancellation",
        "name": "test_x",
        "property": "timing",
        "verdict": "passed",
        "points": "5",
        "ended": "finished",
    }
    assert (last["sha256"], last["seed"], last["sandbox"], last["seconds"]) == ("5a" * 32, "424242", "bwrap", "0.1235")


def test_the_table_of_tests_leaves_nobody_out(make, nasty):
    """A kata that the grader failed at, or that is not graded yet, has a line that says so and holds no 0."""
    found = records(make.written("csv", nasty)["tests.csv"])
    assert {each["key"] for each in found} == {cell(row.learner.key) for row in nasty.rows()}
    names = ("key", "kata", "kata_verdict", "kata_score", "verdict", "points", "max_points", "message")
    assert [[each[name] for name in names] for each in found if each["name"] == "graded"] == [
        ["f", "07_semaphore", "error", "", "error", "", "", "The grader itself failed: x."],
        ["u", "07_semaphore", "", "", "skipped", "", "", "It was not graded."],
    ]


# --- canvas --------------------------------------------------------------------------------------------------


def test_canvas_as_its_gradebook_imports_it(make, nasty):
    """Header, maximum points and learners stand as Canvas exports them; what is no grade is empty."""
    table = read(make.written("canvas", nasty)["canvas.csv"])
    assert table[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 3 (77)"]
    assert table[1] == ["    Points Possible", "", "", "", "", "20"]
    found = {line[0]: line for line in table[2:]}
    assert found["Late"] == ["Late", "93", "", "", "", "16"]
    assert [found[name][-1] for name in ("Fault", "Unfinished", "Missing")] == ["", "", "0"]


LISTED = Learner("S1", "Doe, Ann", "ann@x.org", "4", sis_id="S1", login="ann7", section="X")


@pytest.mark.parametrize(
    ("learner", "layout", "cells"),
    [
        (LISTED, "folders", ["4", "S1", "ann7", "X"]),
        (LISTED, "canvas", ["4", "S1", "ann7", "X"]),
        (LISTED, "moodle", ["", "S1", "ann7", "X"]),
        (LISTED, "gradescope", ["", "S1", "ann7", "X"]),
        (replace(LISTED, user_id="", login=""), "folders", ["", "S1", "", "X"]),
        (replace(LISTED, user_id="", sis_id="", login=""), "folders", ["", "", "ann@x.org", "X"]),
    ],
)
def test_every_id_stands_in_its_own_column_of_canvas(make, learner, layout, cells):
    """Canvas looks for its own number, the school's id, the login; an e-mail address is a login at most."""
    table = read(make.written("canvas", make.batch([make.row(learner)], layout=layout))["canvas.csv"])
    assert table[2] == ["Doe, Ann", *cells, "12.5"]


def test_a_table_of_grades_shows_the_school_id_where_there_is_no_other(make):
    """One column of ids is enough for people."""
    rows = [make.row(LISTED), make.row(replace(LISTED, user_id=""))]
    found = records(make.written("csv", make.batch(rows))["grades.csv"])
    assert [each["user_id"] for each in found] == ["4", "S1"]


def test_nobody_is_taken_for_the_row_of_points(make, nasty):
    """A learner who is called Points Possible does not change how many points there are."""
    table = read(make.written("canvas", nasty)["canvas.csv"])
    assert [place for place, line in enumerate(table) if "Points Possible" in line[0]] == [1]


def test_without_canvas_number_the_name_stands_alone(make):
    """An assignment whose number is unknown is found by its name."""
    batch = make.batch([], assignment=Assignment(name="Week 3"))
    assert read(make.written("canvas", batch)["canvas.csv"])[0][-1] == "Week 3"


# --- moodle --------------------------------------------------------------------------------------------------


def test_moodle_as_its_worksheet_imports_it(make, nasty):
    """A line has the columns of Moodle's own worksheet, and the time since which a change by hand is kept."""
    found = {each["Full name"]: each for each in records(make.written("moodle", nasty)["moodle.csv"])}
    late = dict(found["Late"])
    feedback = late.pop("Feedback comments")
    assert late == {
        "Identifier": "Participant 93",
        "Full name": "Late",
        "Email address": "",
        "Status": "Submitted for grading",
        "Grade": "16",
        "Maximum Grade": "20",
        "Grade can be changed": "Yes",
        "Last modified (submission)": "",
        "Last modified (grade)": "2026-01-02T03:04:05+00:00",
    }
    assert feedback.startswith("<ul><li>05_cancellation: 5 of 10</li>")
    assert "<li>05_cancellation: It holds. It does not.</li>" in feedback
    assert [found[name]["Grade"] for name in ("Fault", "Unfinished", "Missing")] == ["", "", "0"]
    assert found["Missing"]["Status"] == "No submission"


def test_a_fault_says_nothing_about_the_work(make, nasty):
    """Learners are not shown what went wrong in the grader."""
    found = {each["Full name"]: each for each in records(make.written("moodle", nasty)["moodle.csv"])}
    assert found["Fault"]["Feedback comments"].startswith("<p>Not graded yet")
    assert "failed: x" not in found["Fault"]["Feedback comments"]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_feedback_is_the_text_in_html(make, data):
    """No tag of a learner's reaches Moodle, and what Moodle shows is the text, formula or not."""
    text = data.draw(make.texts())
    row = replace(make.row(Learner("a", "A", notes=(text,))), gradings=[])
    found = records(make.written("moodle", make.batch([row], katas=()))["moodle.csv"])[0]["Feedback comments"]
    inner = found.removeprefix("<ul><li>").removesuffix("</li></ul>")
    assert "<" not in inner
    expected = printable(text)
    assert html.unescape(inner) == (expected if len(expected) <= 500 else f"{expected[:499]}…")


def test_feedback_has_an_end(make):
    """Reasons by the thousand are counted, not written."""
    row = make.row(Learner("a", "A", notes=tuple(f"note {number}" for number in range(2000))))
    found = records(make.written("moodle", make.batch([row]))["moodle.csv"])[0]["Feedback comments"]
    assert "1952 more reasons are left out." in found
    assert len(found) < 10_000
