"""`gradescope`: for each learner the file that a Gradescope autograder hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checker.formats.common import NOTHING, dumps, file_name, final, not_final, number, replacing
from checker.rows import Batch, Row, Test

_FILE = "results.json"


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `gradescope/<learner>/results.json`; nothing in it tells seeds or what the suites expect.

    Results of learners who were part of an earlier batch and are gone are removed.

    Returns:
        The folder of all of them.
    """
    top = folder / "gradescope"
    top.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for row in batch.rows():
        name = file_name(row.learner.key)
        written.add(name)
        with replacing(top / name / _FILE) as file:
            file.write(dumps(_results(row, batch)) + "\n")
    _remove_others(top, written)
    return [top]


def _remove_others(top: Path, written: set[str]) -> None:
    """Remove results of other learners, and nothing else; what lies behind a link is not ours."""
    if top.is_symlink():
        return
    for folder in top.iterdir():
        path = folder / _FILE
        if folder.name in written or folder.is_symlink() or path.is_symlink() or not path.is_file():
            continue
        path.unlink()


def _results(row: Row, batch: Batch) -> dict[str, Any]:
    """Without score and tests if it is no grade: Gradescope then says that the autograder failed."""
    done = final(row, batch)
    results: dict[str, Any] = {
        "execution_time": number(sum(grading.seconds for grading in row.gradings)),
        "output": _output(row) if done else not_final(row),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": row.status, "late": row.learner.late, "passed": row.passed if done else None},
        "tests": [],
    }
    if done:
        results["score"] = number(row.points)
        results["tests"] = [
            _test(test, grading.kata, f"{part}.{place}")
            for part, grading in enumerate(row.gradings, 1)
            for place, test in enumerate(grading.tests, 1)
        ]
    return results


def _output(row: Row) -> str:
    """What concerns all tests: the penalty, what was seen on the way in, what kept katas from being played, advice."""
    told = [*([NOTHING] if row.status == "missing" else []), *([row.penalty] if row.penalty else [])]
    told += row.learner.notes
    told += [f"{grading.kata}: {grading.problem}" for grading in row.gradings if grading.problem]
    told += [f"{grading.kata}: {grading.diagnosis}" for grading in row.gradings if grading.diagnosis]
    return " ".join(told)


def _test(test: Test, kata: str, place: str) -> dict[str, Any]:
    return {
        "name": f"{kata}: {test.title}",
        "number": place,
        "score": number(test.points),
        "max_score": number(test.max_points),
        "status": "passed" if test.verdict == "passed" else "failed",
        "output": test.message,
        "output_format": "text",
        "tags": [kata, test.aspect],
        "visibility": "visible",
    }
