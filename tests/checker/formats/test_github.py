"""github: annotations that forge no command, and a summary that no name turns into markup."""

import html
import io
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from checker.formats import write
from checker.formats.summary import MAX_SUMMARY, inert
from checker.rows import Learner
from checker.values import printable

COMMAND = re.compile(r"::error title=([^:,\n]*)::(.*)")
WIDTHLESS = "\u200b"


def unescaped(text):
    for escape, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def shown(markdown):
    """What a page shows of the Markdown, and the kinds of its inline parts."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    inline = [token for token in parser.parse(markdown) if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children}
    return ["".join(child.content for child in token.children) for token in inline], kinds


def learners(make, count, **more):
    return [make.row(Learner(f"k{number}", f"Learner {number}"), **more) for number in range(count)]


# --- annotations ---------------------------------------------------------------------------------------------


def test_those_who_passed_are_not_annotated(make, capsys):
    """A batch in which everybody passed prints nothing."""
    make.written("github", make.batch(learners(make, 3)))
    assert capsys.readouterr().out == ""


def test_an_annotation_says_who_and_why(make, capsys):
    """A failure is one error with the name, the points and the reasons."""
    make.written("github", make.batch(learners(make, 1, passed=False)))
    assert capsys.readouterr().out == (
        "::error title=Learner 0::12.5 of 20, not passed. 05_cancellation: It holds. It does not."
        " 07_semaphore: It holds. It does not.\n"
    )


def test_at_most_ten_annotations_faults_first(make, nasty, capsys):
    """GitHub shows ten: the grader's faults come first, and a line in words counts the others."""
    rows = [*learners(make, 30, passed=False), *nasty.rows()]
    make.written("github", make.batch(rows))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert [COMMAND.fullmatch(line)[1] for line in lines[:3]] == ["Fault", "Unfinished", "Learner 0"]
    # 30 failures, a fault, an unfinished and a missing one.
    assert lines[10] == "23 more learners did not pass or have no grade yet; the tables list them."


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_text_forges_a_command(make, data):
    """Whatever a learner is called and prints, a line is one error whose title and message are the texts."""
    name, message = data.draw(make.texts()), data.draw(make.texts())
    row = make.row(Learner("k", name, notes=(message,)), [], "missing", passed=False)
    real, sys.stdout = sys.stdout, io.StringIO()
    try:
        make.written("github", make.batch([row]))
        out = sys.stdout.getvalue()
    finally:
        sys.stdout = real
    line = COMMAND.fullmatch(out.removesuffix("\n"))
    assert line is not None
    title, said = unescaped(line[1]), unescaped(line[2])
    assert title == (printable(name) if len(printable(name)) <= 100 else f"{printable(name)[:99]}…")
    assert said.startswith("12.5 of 20, not passed.")
    assert printable(message)[:900].strip() in said


def test_an_output_of_few_characters_is_no_fault(make, monkeypatch, tmp_path):
    """What the console cannot show is written as an escape."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    write("github", make.batch([make.row(Learner("k", "Zoë"), passed=False)]), tmp_path)
    assert out.buffer.getvalue().startswith(b"::error title=Zo\\xeb::")


# --- the summary ---------------------------------------------------------------------------------------------


def test_the_summary_is_a_table_of_all(make, nasty):
    """Every learner is a row of four cells, those who did not pass first, and nothing in it is markup."""
    cells, kinds = shown(make.written("github", nasty)["summary.md"])
    assert cells[:2] == ["Week 3", "Seed 424242, sandbox bwrap, katas 05_cancellation, 07_semaphore"]
    assert cells[2:6] == ["Learner", "Status", "Grade", "Reasons"]
    table = [cells[place : place + 4] for place in range(6, len(cells), 4)]
    assert len(table) == len(list(nasty.rows()))
    assert {len(row) for row in table} == {4}
    assert [row[0] for row in table[:3]] == ["Fault", "Missing", "Unfinished"]
    assert [row[1] for row in table[:3]] == ["fault", "missing", "graded"]
    assert table[0][2].startswith("Not graded yet")
    assert table[1][2] == "0 of 20, not passed"
    assert kinds <= {"text", "text_special"}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_text_is_shown_as_it_is(make, data):
    """A page shows the text and nothing else: no link, image, emphasis, code, element or broken cell."""
    text = data.draw(make.texts())
    cells, kinds = shown(f"| a | b |\n| --- | --- |\n| {inert(text)} | x |\n")
    assert kinds <= {"text", "text_special"}
    assert [cells[2].replace(WIDTHLESS, ""), cells[3]] == [printable(text).strip(), "x"]


@given(st.text())
@example("@user <@user> a@b.c www.x.org WWW.x http://x &#64;user")
def test_nothing_becomes_a_mention_or_a_link(text):
    """What GitHub itself turns into mentions and links does not stand in the source, nor in the page."""
    source = inert(text)
    assert not re.search(r"[<>@`]|(?i:www\.)|(?<!\\)://", source)
    assert not re.search(rf"@(?!{WIDTHLESS})", html.unescape(source))


def test_the_summary_is_appended_for_the_step(make, monkeypatch, tmp_path):
    """What other tools have told about the step stays."""
    step = tmp_path / "step.md"
    step.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    [path] = write("github", make.batch(learners(make, 2)), tmp_path / "out")
    assert path.name == "summary.md"
    assert step.read_text() == "before\n" + path.read_text()


def test_a_summary_that_is_not_asked_for_is_not_appended(make, tmp_path):
    """Without the variable there is only the file in the folder."""
    assert write("github", make.batch(learners(make, 2)), tmp_path) == [tmp_path / "summary.md"]
    assert [each.name for each in tmp_path.iterdir()] == ["summary.md"]


@pytest.mark.parametrize("taken", [0, 900_000])
def test_a_large_summary_leaves_rows_out_and_says_how_many(make, monkeypatch, tmp_path, taken):
    """The step's whole summary stays below the limit, and no row is left out in silence."""
    step = tmp_path / "step.md"
    step.write_text("x" * (taken - 1) + "\n" if taken else "")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    rows = [
        make.row(Learner(f"k{number}", f"é{number}", notes=("ü" * 900,)), passed=number > 10) for number in range(900)
    ]
    [path] = write("github", make.batch(rows), tmp_path / "out")
    text = path.read_text()
    assert 0.8 * (MAX_SUMMARY - taken) < len(text.encode()) <= MAX_SUMMARY - taken
    assert step.stat().st_size <= MAX_SUMMARY
    told = text.count("\n| é")
    left_out = int(re.search(r"\n(\d+) learners are left out here", text)[1])
    assert 0 < told < 900
    assert told + left_out == 900


def test_a_full_step_summary_is_left_alone(make, monkeypatch, tmp_path):
    """Where there is no room left, appending would lose what others have told."""
    step = tmp_path / "step.md"
    step.write_bytes(b"x" * (MAX_SUMMARY - 10))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    write("github", make.batch(learners(make, 2)), tmp_path / "out")
    assert step.stat().st_size == MAX_SUMMARY - 10
