"""Who should have handed in something: a list from outside, matched with what was found."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from checker.intake.layouts import Handed
from checker.rows import Learner
from checker.values import printable

MAX_ROSTER = 32 << 20

_COLUMNS = {
    "name": ("name", "fullname", "student", "studentname", "learner"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "id": ("id", "userid", "studentid", "identifier", "sid", "sisuserid", "idnumber"),
    "login": ("login", "sisloginid", "username", "githubusername", "github", "folder"),
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
    text = _decoded(data)
    lines = csv.reader(io.StringIO(text), _dialect(text))
    try:
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadRoster(f"The roster {path} is no CSV file: {error}.") from error
    columns = _columns(rows[0]) if rows else {}
    if not columns.keys() & {"name", "last", "email", "id", "login"}:
        raise BadRoster(f"The roster {path} needs a heading line with a column `name`, `email` or `id`.")
    return [_learner(row, columns, number) for number, row in enumerate(rows[1:], 2) if not _is_extra(row)]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _dialect(text: str) -> type[csv.Dialect]:
    heading = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(",;\t", key=heading.count)

    return Found


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


def _learner(row: list[str], columns: Mapping[str, int], number: int) -> Learner:
    def cell(column: str) -> str:
        place = columns.get(column)
        return printable(row[place].strip()) if place is not None and place < len(row) else ""

    name = cell("name") or " ".join(part for part in (cell("first"), cell("last")) if part)
    user_id = re.sub(r"^Participant\s+", "", cell("id"))
    key = user_id or cell("login") or cell("email") or name or f"line {number}"
    shown = name or cell("email") or key
    return Learner(key, shown, cell("email"), user_id, cell("login"))


def match(found: list[Handed], roster: list[Learner]) -> list[Handed]:
    """Add a row for everybody on the roster who handed in nothing; note who is not on it.

    A learner is known by id, login or folder name, by e-mail address, and last by name, where that is one
    person's alone; names are compared without case, accents, spaces and order of words.
    """
    index = _Index(roster)
    result = []
    for handed in found:
        listed = index.take(handed.learner)
        if listed is None:
            learner = replace(handed.learner, notes=(*handed.learner.notes, "Not on the roster."))
        else:
            learner = replace(
                handed.learner,
                name=listed.name or handed.learner.name,
                email=handed.learner.email or listed.email,
                user_id=handed.learner.user_id or listed.user_id,
            )
        result.append(Handed(learner, handed.answers, handed.problem))
    taken = {handed.learner.key for handed in result}
    for listed in index.left:
        key = listed.key if listed.key not in taken else f"{listed.key} (roster)"
        learner = replace(listed, key=key, submission_id="", notes=("Handed in nothing.",))
        result.append(Handed(learner, problem="Nothing was handed in."))
        taken.add(key)
    return result


class _Index:
    """The roster by everything that a learner may be known by."""

    def __init__(self, roster: list[Learner]) -> None:
        self._waiting = dict(enumerate(roster))
        self._numbers: list[dict[str, set[int]]] = [{}, {}, {}]
        for number, listed in self._waiting.items():
            for known, marks in zip(self._numbers, _marks(listed), strict=True):
                for mark in marks:
                    known.setdefault(mark, set()).add(number)

    @property
    def left(self) -> list[Learner]:
        """Those whom nobody has taken."""
        return list(self._waiting.values())

    def take(self, learner: Learner) -> Learner | None:
        """Whose line it is; None if it is nobody's, taken, or could be two people's."""
        for known, marks in zip(self._numbers, _marks(learner), strict=True):
            hits = {number for mark in marks for number in known.get(mark, ()) if number in self._waiting}
            if len(hits) == 1:
                return self._waiting.pop(hits.pop())
        return None


def _marks(learner: Learner) -> tuple[set[str], set[str], set[str]]:
    """Ids, e-mail addresses and names, each in a form that can be compared."""
    ids = {learner.user_id, learner.submission_id if not learner.place else learner.key, learner.key}
    emails = {learner.email.casefold()}
    return _filled(each.casefold() for each in ids), _filled(emails), _filled([_plain(learner.name)])


def _filled(texts: Iterable[str]) -> set[str]:
    return {text for text in texts if text}


def _plain(name: str) -> str:
    """The letters of a name in order of the alphabet: platforms write `Jane Doe`, `Doe, Jane` and `doejane`."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sorted(char for char in decomposed if char.isalnum()))
