"""`moodle`: a grading worksheet for the import of a Moodle assignment."""

from __future__ import annotations

import html
import re
from pathlib import Path

from checker.formats.common import Cell, final, moment, not_final, number, shorten, write_table
from checker.rows import Batch, Row

MAX_REASON = 500
"""Characters of one reason."""
MAX_REASONS = 50

_AFTER_ENTITY = re.compile(r'(?<=;)[\s"=+\-@＝＋－＠]+')
_HEADER = (
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
)


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `moodle.csv`; Moodle passes over a row without a grade.

    `Last modified (grade)` is when the work was graded: Moodle keeps a grade that somebody has changed since.
    """
    return [write_table(folder / "moodle.csv", _HEADER, (_cells(row, batch) for row in batch.rows()))]


def _cells(row: Row, batch: Batch) -> list[Cell]:
    learner = row.learner
    finished = max((grading.finished for grading in row.gradings), default=moment(batch.finished))
    return [
        f"Participant {learner.user_id}" if learner.user_id else None,
        learner.name,
        learner.email,
        "No submission" if row.status == "missing" else "Submitted for grading",
        row.points if final(row, batch) else None,
        batch.assignment.points,
        "Yes",
        None,
        finished,
        _feedback(row, batch),
    ]


def _feedback(row: Row, batch: Batch) -> str:
    """Feedback as Moodle keeps it: HTML."""
    if not final(row, batch):
        return f"<p>{_escape(not_final(row))}</p>"
    said = [f"{grading.kata}: {number(grading.score)} of {number(grading.max_score)}" for grading in row.gradings]
    reasons = row.reasons
    said += reasons[:MAX_REASONS]
    if len(reasons) > MAX_REASONS:
        said.append(f"{len(reasons) - MAX_REASONS} more reasons are left out.")
    said += [grading.diagnosis for grading in row.gradings if grading.diagnosis]
    return "<ul>" + "".join(f"<li>{_escape(each)}</li>" for each in said) + "</ul>"


def _escape(text: str) -> str:
    """HTML of a text; what follows an entity's semicolon is one too, lest the table takes it for a formula."""
    escaped = html.escape(shorten(text, MAX_REASON))
    return _AFTER_ENTITY.sub(lambda match: "".join(f"&#{ord(char)};" for char in match[0]), escaped)
