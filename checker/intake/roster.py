"""Who should have handed in something: a list from outside."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from checker.rows import Learner
from checker.values import printable

MAX_ROSTER = 32 << 20

_COLUMNS = {
    "name": ("name", "fullname", "student", "studentname", "learner"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "id": ("id", "userid", "identifier"),
    "sis": ("sisuserid", "studentid", "sid", "idnumber"),
    "login": ("sisloginid", "login", "username"),
    "folder": ("githubusername", "github", "folder"),
    "section": ("section",),
}
"""Headings as platforms write them, letters only; of several the first one counts."""


class BadRoster(ValueError):
    """The list of learners cannot be used; one sentence on why."""


def read_roster(path: Path) -> list[Learner]:
    """Read a CSV file with a heading line; columns are known by their headings.

    Raises:
        BadRoster: it cannot be read, or has no column with names, e-mail addresses or ids.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ROSTER + 1)
    except OSError as error:
        raise BadRoster(f"The roster {path} cannot be read: {error.strerror}.") from error
    # With every usual end of a line made the same; at a blank one at the end, a quote that is still open shows.
    lines = [*io.StringIO(_decoded(data), newline=None), "\n"]
    tables = [_read(lines, separator) for separator in ",;\t"]
    # Whichever separator makes the most of the heading is the file's.
    rows, columns, problem = max(tables, key=lambda found: (len(found[1]), not found[1] and found[2] != ""))
    if problem:
        raise BadRoster(f"The roster {path} cannot be read: {problem}")
    if not columns.keys() & {"name", "last", "email", "id", "sis", "login", "folder"}:
        raise BadRoster(f"The roster {path} needs a heading line with a column `name`, `email` or `id`.")
    return [found for row in rows if not _is_extra(row) and (found := _learner(row, columns)) is not None]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _read(lines: list[str], separator: str) -> tuple[list[list[str]], dict[str, int], str]:
    """The rows below the heading, where it has which column, and why what follows cannot be read."""
    reader = csv.reader(lines, delimiter=separator)
    rows, problem, above = [], "", 0
    try:
        for row in reader:
            if reader.line_num > above + 1:
                # Of a cell that goes on for lines the quotes must be right: an open one swallows the rows below it.
                exact = (re.sub(rf'" +(?=[{separator}\n])', '"', line) for line in lines[above : reader.line_num])
                list(csv.reader(exact, delimiter=separator, strict=True))
            above = reader.line_num
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error:
        problem = (
            f"in the row that begins in line {above + 1} a quote is not closed; close it, or take it out."
            if reader.line_num > above + 1
            else f"line {above + 1} has a cell of more than {csv.field_size_limit()} characters; shorten it, or take"
            " its column out."
        )
    if rows and rows[0][0].startswith("sep="):  # a spreadsheet's note to itself
        del rows[0]
    return rows[1:], _columns(rows[0]) if rows else {}, problem


def _columns(heading: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[^a-z]", "", cell.lower()) for cell in heading]
    found = {}
    for column, names in _COLUMNS.items():
        place = next((plain.index(name) for name in names if name in plain), None)
        if place is not None:
            found[column] = place
    return found


def _is_extra(row: list[str]) -> bool:
    """Whether it is a line of a gradebook that is no learner's, such as Canvas's `Points Possible`."""
    return any(cell.strip().lower() in ("points possible", "student, test") for cell in row)


def _learner(row: list[str], columns: Mapping[str, int]) -> Learner | None:
    """Who stands on a line; None if it is nobody's."""

    def cell(column: str) -> str:
        place = columns.get(column)
        return printable(row[place].strip()) if place is not None and place < len(row) else ""

    name = cell("name") or " ".join(part for part in (cell("first"), cell("last")) if part)
    user_id = re.sub(r"^Participant\s+", "", cell("id"))
    key = user_id or cell("sis") or cell("login") or cell("folder") or cell("email") or name
    if not key:
        return None
    return Learner(
        key,
        name or cell("email") or key,
        cell("email"),
        user_id,
        submission_id=cell("folder"),  # a name of somebody's folder, until the work is matched
        sis_id=cell("sis"),
        login=cell("login"),
        section=cell("section"),
    )
