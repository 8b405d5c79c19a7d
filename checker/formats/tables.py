"""`csv`: a table of learners, and one of all their tests, for spreadsheets and scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from checker.formats.common import Cell, final, shorten, write_table
from checker.rows import Batch, Grading, Row, Test

MAX_REASONS = 2000
"""Characters in the cell of reasons; `grades.json` has them whole."""

_LEARNER = ("name", "email", "user_id", "submission_id", "late", "status", "percent", "points", "passed")
_GRADING = ("verdict", "score", "max_score", "seed", "sha256", "python", "version", "sandbox", "seconds", "finished")
_TEST = ("name", "title", "property", "verdict", "points", "max_points", "message", "ended")


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `grades.csv`, a row for each learner, and `tests.csv`, a row for each learner, kata and test."""
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
    cells: list[Cell] = [learner.name, learner.email, learner.user_id, learner.submission_id, _said(learner.late)]
    cells += [row.status, row.percent if done else None, row.points if done else None]
    cells.append(_said(row.passed) if done else None)
    for kata in batch.katas:
        grading = found.get(kata)
        known = grading is not None and grading.verdict != "error"
        # Two columns: as one, `8/10` is a date to a spreadsheet.
        cells += [grading.score, grading.max_score] if grading and known else [None, None]
    return [*cells, shorten(" | ".join(row.reasons), MAX_REASONS), batch.seed, learner.key]


def _tests(batch: Batch) -> Iterator[list[Cell]]:
    for row in batch.rows():
        for grading in row.gradings:
            for test in grading.tests:
                yield [row.learner.key, row.learner.name, *_of_grading(grading), *_of_test(test)]


def _of_grading(grading: Grading) -> list[Cell]:
    facts: list[Cell] = [getattr(grading, name) for name in _GRADING]
    return [grading.kata, *facts, grading.problem, grading.mistake, grading.diagnosis]


def _of_test(test: Test) -> list[Cell]:
    told = (test.name, test.title, test.aspect, test.verdict)
    return [*told, test.points, test.max_points, test.message, test.ended]


def _said(value: bool) -> str:
    return "yes" if value else "no"
