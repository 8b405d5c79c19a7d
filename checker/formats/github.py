"""`github`: annotations on standard output, and the step summary, of GitHub Actions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from checker.formats.common import final, replacing, shorten
from checker.formats.summary import MAX_NAME, MAX_SUMMARY, grade, lines, reasons
from checker.rows import Batch, Row

MAX_ANNOTATIONS = 10
"""GitHub shows no more errors of one step."""


def write(batch: Batch, folder: Path) -> list[Path]:
    """Print annotations, write `summary.md`, and append it to `$GITHUB_STEP_SUMMARY` if that is set."""
    path, step = folder / "summary.md", os.environ.get("GITHUB_STEP_SUMMARY")
    room = MAX_SUMMARY
    if step and Path(step).exists():
        room -= Path(step).stat().st_size
    summary = "\n".join(lines(batch, room)) + "\n"
    with replacing(path) as file:
        file.write(summary)
    if step and len(summary.encode()) <= room:
        with Path(step).open("a", encoding="utf-8") as file:
            file.write(summary)
    _annotate(batch)
    return [path]


def _annotate(batch: Batch) -> None:
    faults: list[str] = []
    failures: list[str] = []
    count = 0
    for row in batch.rows():
        if row.passed and final(row, batch):
            continue
        count += 1
        kind = failures if final(row, batch) else faults
        if len(kind) < MAX_ANNOTATIONS:
            kind.append(_annotation(row, batch))
    told = [*faults, *failures][:MAX_ANNOTATIONS]
    if more := count - len(told):
        who = "1 more learner did not pass or has" if more == 1 else f"{more} more learners did not pass or have"
        told.append(f"{who} no grade yet; the tables list them.")
    encoding = sys.stdout.encoding or "utf-8"
    for line in told:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def _annotation(row: Row, batch: Batch) -> str:
    title = _data(shorten(row.learner.name, MAX_NAME)).replace(":", "%3A").replace(",", "%2C")
    return f"::error title={title}::{_data(f'{grade(row, batch)}. {reasons(row)}'.strip())}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
