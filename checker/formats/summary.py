"""The step summary that `github` writes: a table in Markdown that no name or message can break."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checker.formats.common import final, not_final, number, shorten
from checker.rows import Batch, Row

MAX_SUMMARY = 1024 * 1024
"""Bytes; a step's larger summary is dropped as a whole."""
MAX_NAME = 100
MAX_REASONS = 1000

_ROOM = 200
"""Bytes kept for the line on what was left out."""
_MARKUP = re.compile(r"(?i:(?<=www)\.)|[*_{}\[\]~#:!^&<>\\|`$@]")
# Mentions are found in the finished page, where only a space of no width keeps them apart.
_ENTITIES = {"@": "&#64;&#8203;"} | {char: f"&#{ord(char)};" for char in "&<>\\|`$"}


def lines(batch: Batch, room: int) -> Iterator[str]:
    """The table, those who did not pass first: what does not fit is left out from its end."""
    head = [
        f"## {inert(shorten(batch.assignment.name, MAX_NAME))}",
        "",
        f"Seed {batch.seed}, sandbox {inert(batch.sandbox)}, katas {inert(', '.join(batch.katas))}",
        "",
        "| Learner | Status | Grade | Reasons |",
        "| --- | --- | --- | --- |",
    ]
    yield from head
    room -= sum(len(line.encode()) + 1 for line in head) + _ROOM
    left_out = 0
    for passed in (False, True):
        for row in batch.rows():
            if (row.passed and final(row, batch)) is not passed:
                continue
            line = _line(row, batch)
            room -= len(line.encode()) + 1
            if room < 0:
                left_out += 1
            else:
                yield line
    if left_out:
        yield f"\n{left_out} learners are left out here: a summary holds {MAX_SUMMARY >> 10} KiB. The tables have them."


def _line(row: Row, batch: Batch) -> str:
    cells = [shorten(row.learner.name, MAX_NAME), row.status, grade(row, batch), reasons(row)]
    return f"| {' | '.join(inert(cell) for cell in cells)} |"


def grade(row: Row, batch: Batch) -> str:
    """The grade in words."""
    if not final(row, batch):
        return not_final(row).rstrip(".")
    return f"{number(row.points)} of {number(batch.assignment.points)}, {'passed' if row.passed else 'not passed'}"


def reasons(row: Row) -> str:
    """The reasons in one line."""
    return shorten(" ".join(row.reasons), MAX_REASONS)


def inert(text: str) -> str:
    """Text that Markdown and HTML show as it is: no markup, link, mention or page comes of it."""
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), shorten(text, MAX_SUMMARY))
