"""What the formats share: texts made harmless, files replaced as a whole, and what counts as a grade."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import replace

from checker.rows import Batch, Grading, Row, Test
from checker.values import printable

FAULT = "Not graded yet: the grader itself failed, which says nothing about this work."
UNFINISHED = "Not graded yet: the batch was stopped; the same command goes on with it."
NOTHING = "Nothing was handed in."

# A spreadsheet runs what begins with one of these, some after blanks, some in their full width.  Where its
# separator is the semicolon, it also begins a cell behind one that stands inside a cell of ours.
_FORMULA = re.compile(r'(?:^|(?<=;))(?=[\s"]*[=+\-@＝＋－＠])')
_UNPLAYED = {"missing": NOTHING, "unfinished": UNFINISHED}
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Cell = str | float | None


def final(row: Row, batch: Batch) -> bool:
    """Whether the row is a grade: nothing was handed in, or every kata was graded and the grader never at fault."""
    return row.status == "missing" or (
        row.status not in ("fault", "unfinished") and len(row.gradings) >= len(batch.katas)
    )


def not_final(row: Row) -> str:
    """Why a row is no grade."""
    return FAULT if row.status == "fault" else UNFINISHED


def explained(row: Row) -> list[str]:
    """The row's reasons, and that the batch was stopped: a fault of the grader's is among them already."""
    return [UNFINISHED, *row.reasons] if row.status == "unfinished" else row.reasons


def suites(row: Row, batch: Batch) -> Iterator[tuple[str, Grading | None, Sequence[Test]]]:
    """For each kata its grading and at least one test, whose verdict may also be `skipped`: nothing was played."""
    found = {grading.kata: grading for grading in row.gradings}
    for kata in dict.fromkeys([*batch.katas, *found]):
        grading = found.get(kata)
        verdict = "skipped" if grading is None else grading.verdict
        problem = grading.problem if grading else _UNPLAYED.get(row.status, "It was not graded.")
        most = grading.max_score if grading else 0.0
        whole = Test("graded", "The work can be graded.", "result", verdict, 0.0, most, problem, "")
        tests = (grading.tests if grading else ()) or [whole]
        if row.status == "missing":
            tests = [replace(test, verdict="skipped") for test in tests]
        yield kata, grading, tests


def shorten(text: str, most: int) -> str:
    """At most so many characters, in one printable line."""
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def moment(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def number(value: float) -> int | float:
    """A number as people write it: at most four decimals, and none that says nothing."""
    return int(value) if value == int(value) else round(value, 4)


def cell(value: Cell) -> Cell:
    """A cell that no spreadsheet runs: an apostrophe stands before whatever could be a formula; numbers stay so.

    Not `defusedcsv`: it lets tabs, blanks and semicolons before a formula through, and puts backslashes into texts.
    """
    if isinstance(value, str):
        return _FORMULA.sub("'", printable(value))
    return None if value is None else number(value)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Path:
    """Write a table as CSV; texts in quotes, numbers without."""
    with replacing(path) as file:
        table = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        table.writerows([cell(value) for value in row] for row in chain([header], rows))
    return path


def clean(value: Any) -> Any:
    """The same of strings, numbers, lists and dicts, with every text made printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(name)): clean(each) for name, each in value.items()}
    return [clean(each) for each in value] if isinstance(value, list | tuple) else value


def dumps(value: Any) -> str:
    """JSON in one line; without `<`, so that it may stand in a page, whatever a learner is called."""
    return json.dumps(clean(value), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def file_name(key: str) -> str:
    """A name for a learner's file: never another learner's, on any file system, and never out of the folder."""
    if _PLAIN_NAME.fullmatch(key):
        return key
    readable = re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")[:60]
    return f"{readable or 'learner'}.{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file to write to that takes the place of `path` when all is written, and not at all if something fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
