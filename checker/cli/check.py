"""`kata check`: a learner's own work, graded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from checker.cli import common


@click.command()
@common.words
@click.option("--path", type=click.Path(path_type=Path), help="A file, or a folder with katas; else your workspace.")
@click.option("--seed", type=int, help="Replays a run: draws the same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@common.sandbox_option
@common.limit_options
def check(
    kata: tuple[str, ...], path: Path | None, seed: int | None, as_json: bool, sandbox: str, **limits: Any
) -> None:
    """Grade your work."""
    from checker.grade import grade
    from checker.submission import Submission

    course, katas = common.course(), common.select(kata or _implied(path))
    where = common.workspace(path)
    common.check_sandbox(sandbox)
    run_limits, budget = common.limits(**limits)
    grading = common.guarded(
        lambda: grade(course, Submission(where), katas, seed=seed, sandbox=sandbox, limits=run_limits, budget=budget)
    )
    from checker import report

    if as_json:
        import json

        sys.stdout.write(json.dumps(report.as_json(grading)) + "\n")
    else:
        from checker.world.session import Session

        reference = Session(sandbox, sorted({module for each in katas for module in each.preload}))
        try:
            report.Terminal(common.console(), reference, path).show(grading)
        finally:
            reference.close()
    verdicts = {report.verdict(grading.of(each)) for each in katas}
    raise SystemExit(common.FAULT if "error" in verdicts else common.FAILED if "failed" in verdicts else common.PASSED)


def _implied(path: Path | None) -> list[str] | None:
    """The kata that a single file is about: by its own name, or that of the folder that it stands in."""
    if path is None or path.is_dir():
        return None
    from checker.course import UnknownKata

    for name in (path.stem, path.resolve().parent.name):
        try:
            return [common.course().find(name).name]
        except UnknownKata:
            continue
    return common.stop(f"Which kata is {path} an answer to? Say it: kata check KATA --path {path}", common.USAGE)
