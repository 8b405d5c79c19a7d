"""`canvas`: a file for the import of Canvas's gradebook."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from checker.formats.common import Cell, final, write_table
from checker.rows import Assignment, Batch, Learner, Row

_STUDENT = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_STRANGERS = ("moodle", "gradescope")
"""Layouts whose user ids are another platform's numbers."""


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `canvas.csv`; a row that is no grade yet leaves its cell empty, and Canvas's grade as it is."""
    possible: list[Cell] = ["    Points Possible", None, None, None, None, batch.assignment.points]
    rows = chain([possible], (_student(row, batch) for row in batch.rows()))
    return [write_table(folder / "canvas.csv", [*_STUDENT, _column(batch.assignment)], rows)]


def _column(assignment: Assignment) -> str:
    number = "" if assignment.canvas_id is None else f" ({assignment.canvas_id})"
    return f"{assignment.name}{number}"


def _student(row: Row, batch: Batch) -> list[Cell]:
    # Canvas takes every row whose first cell holds these words for the row of maximum points.
    name = row.learner.name.replace("Points Possible", "Points_Possible")
    grade = row.points if final(row, batch) else None
    return [name, *_ids(row.learner, batch.layout), row.learner.section, grade]


def _ids(learner: Learner, layout: str) -> list[Cell]:
    """Canvas's own number, the school's id and the login, by which Canvas looks for somebody one after the other.

    An e-mail address is many schools' login, and given for one where nothing else is known.
    """
    own = "" if layout in _STRANGERS else learner.user_id
    login = learner.login or ("" if own or learner.sis_id else learner.email)
    return [own, learner.sis_id, login]
