"""Hostile submissions, all in one batch with honest ones: what each earns, how it is named, and what is left of it."""

from __future__ import annotations

import csv
import gc
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from checker.intake import take_in
from checker.messages import Limits
from checker.suite import scenario
from checker.suite.scenario import ship
from checker.world.script import World
from checker.world.session import Performance, Session
from tests.abuse.builders import BUILDERS, KATA, RIGHT, ROOT

HERE = Path(__file__).parent
CORPUS = {f"{path.parent.name}-{path.stem}": path.read_text("utf-8") for path in sorted(HERE.glob("corpus/*/*.py"))}
EXPECTED = {
    **{name: re.search(r'"""(.*?)"""', text, re.DOTALL)[1] for name, text in CORPUS.items()},  # type: ignore[index]
    **{f"poisoning-{name}": builder.__doc__ or "" for name, builder in BUILDERS.items()},
}
NEIGHBOURS = {
    f"{letter}-{kind}": data
    for letter in ("a", "f-neighbour", "m", "z")  # before, between and after
    for kind, data in (
        ("right", RIGHT),
        ("mistaken", (ROOT / "solutions" / "mistakes" / "01_event_loop" / "blocking_sleep.py").read_bytes()),
    )
}
GROUPS = {
    "visit": ("a_visit_", "visits_started", "a_cancelled_visit"),
    "visit_now": ("test_visit_now_",),
    "resolve": ("awaitable", "objects", "ordinary", "result_is_not", "awaited_error", "cancellation_reaches"),
}
"""The tests of each function of the kata, by parts of their names."""

SEED = "11"
LIMITS = ["--run-seconds", "3", "--run-cpu", "1", "--budget", "20", "--memory", "512"]
FORMATS = "csv,json,junit,github,ctrf,canvas,moodle,gradescope"


@dataclass
class Row:
    """What the gradebook says of one learner."""

    score: float
    max_score: float
    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """Messages of the failed tests by their names."""
    problem: str = ""
    notes: str = ""
    verdicts: set[str] = field(default_factory=set)

    @property
    def reasons(self) -> str:
        """All that is said about it, a line each."""
        return "\n".join([self.problem, self.notes, *self.failed.values()])


@dataclass
class Graded:
    """One batch, and what it left behind."""

    rows: dict[str, Row]
    process: subprocess.CompletedProcess[str]
    left: list[str]
    status: int
    out: Path
    home: Path


def grade(folder: Path, submissions: Path) -> Graded:
    """Grade a folder with the `kata` command, watched: with a home, a TMPDIR and a working folder of its own."""
    out, home = folder / "out", folder / "home"
    for each in (home, home / "tmp", home / "work"):
        each.mkdir(parents=True)
    command = [sys.executable, "-B", str(HERE / "watch.py"), str(folder / "told"), sys.executable, "-B", "-c"]
    command += ["from checker.cli import main; main()", "grade", str(submissions), "--out", str(out)]
    command += ["--jobs", "2", "--seed", SEED, "--kata", "01_event_loop", "--format", FORMATS, *LIMITS]
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": str(ROOT)}
    environment |= {"WATCHED_SECRET": "s3cret", "TERM": "dumb", "COLUMNS": "200", "GITHUB_STEP_SUMMARY": ""}
    process = subprocess.run(
        command, cwd=home / "work", env=environment, capture_output=True, text=True, errors="surrogateescape"
    )
    facts: dict[str, Any] = json.loads((folder / "told").read_text())
    return Graded(rows(out), process, facts["left"], facts["status"], out, home)


def rows(out: Path) -> dict[str, Row]:
    """Every learner's row, by the learner's name."""
    found: dict[str, Row] = {}
    base = sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)
    gradings = base.execute(
        "SELECT learner, score, max_score, problem, notes, verdict FROM gradings JOIN learners USING (learner)"
    )
    for learner, score, most, problem, notes, verdict in gradings:
        found[learner] = Row(score, most, problem=problem, notes="\n".join(json.loads(notes)), verdicts={verdict})
    for learner, name, verdict, message in base.execute("SELECT learner, name, verdict, message FROM tests"):
        found[learner].verdicts.add(verdict)
        if verdict == "passed":
            found[learner].passed.add(name)
        else:
            found[learner].failed[name] = message
    base.close()
    return found


def put_neighbours(folder: Path) -> None:
    """Put the honest submissions there."""
    for name, data in NEIGHBOURS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / KATA).write_bytes(data)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """The whole corpus among its neighbours, graded once."""
    folder = tmp_path_factory.mktemp("abuse")
    put_neighbours(folder / "handed")
    for name, text in CORPUS.items():
        (folder / "handed" / name).mkdir()
        (folder / "handed" / name / KATA).write_text(text, "utf-8")
    for name, builder in BUILDERS.items():
        builder(folder / "handed" / f"poisoning-{name}")
    yield grade(folder, folder / "handed")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The neighbours among themselves."""
    folder = tmp_path_factory.mktemp("alone")
    put_neighbours(folder / "handed")
    return grade(folder, folder / "handed")


def said(name: str, word: str) -> str:
    """What the description of an attack says after `Word:`."""
    found = re.search(rf"^\s*{word}: (.*)$", EXPECTED[name], re.MULTILINE)
    assert found, f"{name} says nothing after {word}."
    return found[1].strip()


def may_earn(name: str, tests: set[str]) -> set[str]:
    """The tests that an attack may honestly pass, from `0`, `all`, `all but PARTS`, or functions and PARTS of names."""
    text = said(name, "May earn")
    if text == "0":
        return set()
    but = text.removeprefix("all but ").split(", ") if text.startswith("all but ") else []
    words = [""] if text.startswith("all") else text.split(", ")
    parts = [part for word in words for part in GROUPS.get(word, (word,))]
    return {test for test in tests if any(part in test for part in parts) and not any(part in test for part in but)}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_attack_earns_what_it_has_done_and_is_named(batch: Graded, name: str) -> None:
    """An attack has a row, earns exactly the tests in which it behaves, and is called what it is."""
    row = batch.rows[name]
    everything = {*row.passed, *row.failed}
    assert len(everything) == 13
    assert row.passed == may_earn(name, everything), row.reasons
    assert "error" not in row.verdicts, row.reasons
    named = said(name, "Named")
    assert named == "-" or re.search(named, row.reasons), row.reasons


def test_every_submission_has_a_row(batch: Graded) -> None:
    """As many rows as submissions, none of them the grader's fault."""
    assert set(batch.rows) == {*EXPECTED, *NEIGHBOURS}
    assert batch.status == 1, batch.process.stderr


def test_there_are_enough_attacks_of_every_kind() -> None:
    """More than a hundred, as docs/security.md says, over all seven categories."""
    kinds = [name.partition("-")[0] for name in EXPECTED]
    assert len(kinds) > 100
    wanted = {"leaving", "forging", "looking", "poisoning", "exhausting", "reaching", "colouring"}
    assert {kind for kind in kinds if kinds.count(kind) >= 4} == wanted


def test_neighbours_are_graded_as_if_they_were_alone(batch: Graded, alone: Graded) -> None:
    """Scores and messages of honest submissions are the same with and without attacks around them."""
    assert {name: batch.rows[name] for name in NEIGHBOURS} == alone.rows
    assert [row.score for name, row in alone.rows.items() if name.endswith("right")] == [17.0] * 4


def test_no_process_is_left(batch: Graded) -> None:
    """Of all processes, grandchildren and daemons nothing is there when the command has ended."""
    assert batch.left == []


def test_no_file_is_left_but_the_results(batch: Graded, alone: Graded) -> None:
    """Home, TMPDIR and working folder are as they were; the output folder holds what it holds for honest work."""
    found = {str(path.relative_to(batch.home)) for path in batch.home.rglob("*")}
    assert found == {"tmp", "work"}
    results = [{path.name for path in graded.out.rglob("*") if not path.is_dir()} for graded in (batch, alone)]
    assert results[0] == results[1]


# --- what others read ---------------------------------------------------------------------------------------


def test_what_is_said_cannot_act_on_a_terminal(batch: Graded) -> None:
    """What the command prints holds no control characters, whatever was printed or raised."""
    text = batch.process.stdout + batch.process.stderr
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_workflow_obeys_the_grader_alone(batch: Graded) -> None:
    """Each line that a CI runner would obey is an annotation of the grader's own making, and there are few."""
    lines = (batch.process.stdout + batch.process.stderr).split("\n")
    commands = [line for line in lines if re.search(r"^\s*::|##\w*\[", line)]
    names = "|".join(re.escape(name) for name in (*EXPECTED, *NEIGHBOURS))
    assert 1 <= len(commands) <= 10
    assert all(re.match(rf"::error title=({names})::[\d.]+ of 100, not passed", line) for line in commands)


def test_reasons_cannot_act_on_whoever_reads_them(batch: Graded) -> None:
    """No reason, note or name in the gradebook holds a character that is not to be seen."""
    for name, row in batch.rows.items():
        assert name.isprintable()
        assert all(line.isprintable() for line in row.reasons.split("\n")), name


@pytest.mark.parametrize("table", ["grades.csv", "tests.csv", "canvas.csv", "moodle.csv"])
def test_no_cell_of_a_table_is_a_formula(batch: Graded, table: str) -> None:
    """No cell begins, after blanks and quotes, with what a spreadsheet would run, and none acts on a terminal."""
    with (batch.out / table).open(encoding="utf-8", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert len(cells) > len(batch.rows)
    for cell in cells:
        assert cell.isprintable()
        assert not re.match(r"""[\s"';|,]*[=+@\-](?!\d+(\.\d+)?$)""", cell) or cell.startswith("'"), cell


def test_the_junit_file_holds_nothing_but_its_own_elements(batch: Graded) -> None:
    """It is well-formed, every element is one of JUnit's, and every text is printable."""
    tree = ElementTree.parse(batch.out / "junit.xml")
    allowed = {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped"}
    for element in tree.iter():
        assert element.tag in allowed
        texts = [element.text or "", element.tail or "", *element.attrib.values()]
        assert all(line.isprintable() for text in texts for line in text.split("\n"))


def test_json_files_hold_only_printable_texts(batch: Graded) -> None:
    """Every JSON file can be read, has only finite numbers, and none of its texts acts on a terminal or a page."""
    files = list(batch.out.rglob("*.json"))
    assert len(files) >= len(batch.rows)
    for path in files:
        text = path.read_text("utf-8")
        assert "<" not in text
        for word in _texts(json.loads(text, parse_constant=pytest.fail)):
            assert all(line.isprintable() for line in word.split("\n")), path


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(each)


def test_the_summary_holds_no_markup_of_a_submission(batch: Graded) -> None:
    """No HTML, no link and no bold text of a submission's making stands in the step summary."""
    text = (batch.out / "summary.md").read_text("utf-8")
    assert all(line.isprintable() for line in text.split("\n"))
    assert not re.search(r"<(script|b|img|a)\b", text)
    assert not re.search(r"^\s*(::|##\[)", text, re.MULTILINE)


# --- what no batch can show ---------------------------------------------------------------------------------


def test_a_hard_link_to_a_file_of_the_course_is_no_work(tmp_path: Path) -> None:
    """A file of the course under another name is told by its number, not by its name."""
    (tmp_path / "course.py").write_bytes(RIGHT)
    (tmp_path / "handed" / "learner").mkdir(parents=True)
    os.link(tmp_path / "course.py", tmp_path / "handed" / "learner" / KATA)
    status = (tmp_path / "course.py").stat()
    intake = take_in(tmp_path / "handed", ["01_event_loop"], "folders")
    source = intake.submissions[0].source("01_event_loop", {(status.st_dev, status.st_ino)})
    assert source.data == b""
    assert "hard link" in source.problem


def test_a_bomb_of_yaml_stays_small(tmp_path: Path) -> None:
    """Aliases of aliases in an export's list are never written out."""
    (tmp_path / "submission_1").mkdir()
    (tmp_path / "submission_1" / KATA).write_bytes(RIGHT)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    lines += ["submission_1: {':submitters': [{':name': Jane}], ':x': *a39}"]
    (tmp_path / "submission_metadata.yml").write_text("\n".join(lines))
    intake = take_in(tmp_path, ["01_event_loop"])
    assert [handed.learner.name for handed in intake.submissions] == ["Jane"]


@scenario
async def visit_once(kata: Any, stage: Any) -> Any:
    return await kata.visit("x", 1.0)


def test_no_descriptor_child_or_thread_is_left_in_the_grader() -> None:
    """After attacks of every ending the grader's own process holds what it held before."""
    before = _held()
    names = ["leaving-exit_at_import", "leaving-kills_the_zygote", "forging-two_answers", "exhausting-fork_bomb"]
    names += [
        "exhausting-descriptors",
        "exhausting-thread_bomb",
        "colouring-names_of_tasks",
        "forging-memory_by_ctypes",
    ]
    session = Session("bwrap", limits=Limits(wall=3.0, cpu=1, memory=512 << 20))
    try:
        for name in names:
            performance = Performance("01_event_loop", CORPUS[name].encode(), [], ship(visit_once, {}))
            session.play(performance, World(), random.Random(name))
    finally:
        session.close()
    assert _held() == before


def _held() -> tuple[list[str], str, int]:
    """What the descriptors of this process are, its children, and how many threads it has."""
    gc.collect()
    links = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that lists the others
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return sorted(re.sub(r"\d+", "#", link) for link in links), children, threading.active_count()
