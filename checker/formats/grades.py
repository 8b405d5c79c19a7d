"""`json`: everything that is known, for scripts; `schema` is raised when a field changes its meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from checker.formats.common import dumps, explained, final, moment, replacing
from checker.rows import Batch, Grading, Row

SCHEMA = 1


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `grades.json`, a learner a line."""
    path = folder / "grades.json"
    with replacing(path) as file:
        file.write(f'{dumps(_head(batch))[:-1]}, "learners": [')
        separator = "\n"
        for row in batch.rows():
            file.write(separator + dumps(_learner(row, batch)))
            separator = ",\n"
        file.write("\n]}\n")
    return [path]


def _head(batch: Batch) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "assignment": msgspec.to_builtins(batch.assignment),
        "katas": list(batch.katas),
        "layout": batch.layout,
        "seed": batch.seed,
        "python": batch.python,
        "version": batch.version,
        "sandbox": batch.sandbox,
        "started": moment(batch.started),
        "finished": moment(batch.finished),
    }


def _learner(row: Row, batch: Batch) -> dict[str, Any]:
    """A learner with all gradings; percent, points and passed are null while there is no grade."""
    done = final(row, batch)
    return {
        **msgspec.to_builtins(row.learner),
        "status": row.status,
        "percent": row.percent if done else None,
        "points": row.points if done else None,
        "passed": row.passed if done else None,
        "reasons": explained(row),
        "gradings": [_grading(grading) for grading in row.gradings],
    }


def _grading(grading: Grading) -> dict[str, Any]:
    """With the names of `kata check --json`: an aspect is a `property`."""
    found: dict[str, Any] = msgspec.to_builtins(grading)
    for test in found["tests"]:
        test["property"] = test.pop("aspect")
    return found
