"""`csv`: a table of learners, and one of all their tests, for spreadsheets and scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from checker.formats.common import Cell, explained, final, shorten, suites, write_table
from checker.rows import Batch, Grading, Row, Test

MAX_REASONS = 2000
"""Characters in the cell of reasons; `grades.json` has them whole."""

_LEARNER = ("name", "email", "user_id", "submission_id", "late", "status", "percent", "points", "passed")
_GRADING = ("verdict", "score", "max_score", "seed", "sha256", "python", "version", "sandbox", "seconds", "finished")
_TEST = ("name", "title", "property", "verdict", "points", "max_points", "message", "ended")


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `grades.csv`, a row for each learner, and `tests.csv`, a row for each learner, kata and test.

    A kata of which no test was played has one row all the same, whose verdict is `error` or `skipped`.
    """
    scores = [f"{kata} {what}" for kata in batch.katas for what in ("score", "max")]
    grades = [*_LEARNER, *scores, "reasons", "seed", "key"]
    # A test has verdict and points of its own.
    played = [f"kata_{name}" if name in ("verdict", "score", "max_score") else name for name in _GRADING]
    tests = ["key", "learner", "kata", *played, "problem", "mistake", "diagnosis", *_TEST]
    return [
        write_table(folder / "grades.csv", grades, (_grades(row, batch) for row in batch.rows())),
        write_table(folder / "tests.csv", tests, _tests(batch)),
    ]


def _grades(row: Row, batch: Batch) -> list[Cell]:
    learner, done = row.learner, final(row, batch)
    found = {grading.kata: grading for grading in row.gradings}
    cells: list[Cell] = [learner.name, learner.email, learner.user_id or learner.sis_id]
    cells += [learner.submission_id, _said(learner.late)]
    cells += [row.status, row.percent if done else None, row.points if done else None]
    cells.append(_said(row.passed) if done else None)
    for kata in batch.katas:
        grading = found.get(kata)
        known = grading is not None and grading.verdict != "error"
        # Two columns: as one, `8/10` is a date to a spreadsheet.
        cells += [grading.score, grading.max_score] if grading and known else [None, None]
    return [*cells, shorten(" | ".join(explained(row)), MAX_REASONS), batch.seed, learner.key]


def _tests(batch: Batch) -> Iterator[list[Cell]]:
    for row in batch.rows():
        for kata, grading, tests in suites(row, batch):
            for test in tests:
                yield [row.learner.key, row.learner.name, kata, *_of_grading(grading), *_of_test(test, grading)]


def _of_grading(grading: Grading | None) -> list[Cell]:
    if grading is None:
        return [None] * (len(_GRADING) + 3)
    facts: dict[str, Cell] = {name: getattr(grading, name) for name in _GRADING}
    if grading.verdict == "error":
        facts |= {"score": None, "max_score": None}
    return [*facts.values(), grading.problem, grading.mistake, grading.diagnosis]


def _of_test(test: Test, grading: Grading | None) -> list[Cell]:
    """What the grader could not say is no 0: its points are empty."""
    known = grading is not None and test.verdict != "error"
    points: list[Cell] = [test.points, test.max_points] if known else [None, None]
    return [test.name, test.title, test.aspect, test.verdict, *points, test.message, test.ended]


def _said(value: bool) -> str:
    return "yes" if value else "no"
