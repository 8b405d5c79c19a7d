"""`ctrf`: the Common Test Report Format; what is ours alone stands under `extra`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checker.formats.common import dumps, final, moment, number, replacing, suites
from checker.rows import Batch, Grading, Row, Test

SPEC_VERSION = "0.0.0"
_STATUS = {"passed": "passed", "failed": "failed", "skipped": "skipped"}


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `ctrf.json`, a test at a time.

    A test's `duration` is its equal share of what its kata took: tests of a kata are played together.
    """
    path = folder / "ctrf.json"
    tool = {"name": "asyncio-katas", "version": batch.version}
    counts: Counter[str] = Counter()
    with replacing(path) as file:
        head = {"reportFormat": "CTRF", "specVersion": SPEC_VERSION, "timestamp": moment(batch.finished)}
        file.write(f'{dumps(head)[:-1]}, "results": {{"tool": {dumps(tool)}, "tests": [')
        separator = "\n"
        for row in batch.rows():
            for test in _tests(row, batch, counts):
                file.write(separator + dumps(test))
                separator = ",\n"
        # Last, since only now all are counted.
        file.write(f'\n], "summary": {dumps(_summary(batch, counts))}, "extra": {dumps(_extra(batch))}}}}}\n')
    return [path]


def _tests(row: Row, batch: Batch, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for kata, grading, tests in suites(row, batch):
        counts["suites"] += 1
        share = round(1000 * grading.seconds / len(tests)) if grading else 0
        for test in tests:
            status = _STATUS.get(test.verdict, "other")
            counts[status] += 1
            counts["tests"] += 1
            yield {
                "name": f"{kata}: {test.title}",
                "status": status,
                "rawStatus": test.verdict,
                "duration": share,
                "suite": [row.learner.name, kata],
                "message": test.message,
                "tags": [test.aspect],
                "extra": _facts(row, batch, grading, test),
            }


def _facts(row: Row, batch: Batch, grading: Grading | None, test: Test) -> dict[str, Any]:
    done = final(row, batch)
    facts: dict[str, Any] = {
        "learner": row.learner.key,
        "rowStatus": row.status,
        "rowPoints": number(row.points) if done else None,
        "rowPassed": row.passed if done else None,
        "percent": number(row.percent) if done else None,
        "test": test.name,
        "points": number(test.points),
        "maxPoints": number(test.max_points),
        "ended": test.ended,
    }
    if row.penalty:
        facts["latePenalty"] = row.penalty
    if grading is not None:
        facts |= {"seed": grading.seed, "sha256": grading.sha256, "sandbox": grading.sandbox, "python": grading.python}
    return facts


def _summary(batch: Batch, counts: Counter[str]) -> dict[str, int]:
    names = ("tests", "passed", "failed", "skipped", "pending", "other", "suites")
    times = {"start": round(1000 * batch.started), "stop": round(1000 * batch.finished)}
    return {name: counts[name] for name in names} | times


def _extra(batch: Batch) -> dict[str, Any]:
    return {
        "assignment": batch.assignment.name,
        "points": number(batch.assignment.points),
        "passMark": number(batch.assignment.pass_mark),
        "katas": list(batch.katas),
        "layout": batch.layout,
        "seed": batch.seed,
        "python": batch.python,
        "sandbox": batch.sandbox,
    }
