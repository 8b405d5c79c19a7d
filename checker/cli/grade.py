"""`kata grade`: everybody's work, graded."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checker.cli import common

if TYPE_CHECKING:
    from checker.batch.driver import Counts, Plan
    from checker.batch.gradebook import Gradebook
    from checker.batch.pool import Pool
    from checker.course import Course
    from checker.intake import Handed, Intake
    from checker.messages import Limits
    from checker.rows import Assignment, Batch

DEFAULT_FORMATS = ("csv", "json")
SEED = click.IntRange(-(2**63), 2**63 - 1)
"""As the gradebook keeps whole numbers."""
MOST_NOTES = 20
"""Notes on what was handed in that are told; an archive may be full of junk."""


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the gradebook and the tables.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many at a time; default: one a processor.")
@click.option("--kata", "words", multiple=True, metavar="KATA", help="Grade this kata; may be given again.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT",
    help="csv, canvas, moodle, gradescope, junit, ctrf, json, github; may be given again.",
)
@click.option(
    "--layout", default="auto", show_default=True, help="auto, folders, git, canvas, moodle, gradescope, single."
)
@click.option(
    "--roster", type=click.Path(path_type=Path), help="CSV of all learners; who handed in nothing gets a row."
)
@click.option("--course", "settings", type=click.Path(path_type=Path), help="TOML with weights, pass mark and points.")
@click.option("--seed", type=SEED, help="Draws all numbers; default: that of the gradebook, or a new one.")
@click.option("--fresh", is_flag=True, help="Start over; else only what is new or changed is graded.")
@click.option("--dask", metavar="ADDRESS", help="Use the Dask cluster whose scheduler is there.")
@common.sandbox_option
@common.limit_options
def grade(
    submissions: Path,
    out: Path,
    jobs: int | None,
    words: tuple[str, ...],
    formats: tuple[str, ...],
    layout: str,
    roster: Path | None,
    settings: Path | None,
    seed: int | None,
    fresh: bool,
    dask: str | None,
    sandbox: str,
    **limits: Any,
) -> None:
    """Score everybody's SUBMISSIONS: a folder, or a zip archive from a learning platform.

    The same command again goes on where it stopped, and grades only what is new or changed.
    Exit status: 0 everything passed, 1 something failed, 2 wrong usage, 3 the grader itself failed.
    """
    from checker.batch.gradebook import BookFault
    from checker.batch.pool import NoPool

    # Whoever manages jobs asks them to end this way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.time()
    chosen = _formats(formats)
    course = common.course()
    assignment = _assignment(settings, course)
    run_limits, budget = common.limits(**limits)
    kind = _sandbox(sandbox, run_limits)
    intake = _taken_in(submissions, course, layout, out, may_be_empty=roster is not None)
    katas = _katas(words, assignment, intake, course)
    handed = _with_roster(intake, roster)
    try:
        # First the workers: `--fresh` empties a gradebook only when there is somebody to fill it again.
        with closing(_pool(dask, jobs, budget, katas)) as pool:
            book = _open(out, fresh=fresh)
            plan = _plan(course, katas, handed, book, seed, kind, run_limits, budget)
            try:
                _run(plan, book, pool)
            finally:
                pool.close()
                counts = _report(plan, book, assignment, intake.layout, started, out, chosen)
                book.close()
                intake.close()
    except (BookFault, NoPool) as error:
        common.stop(str(error), common.USAGE if isinstance(error, BookFault) else common.FAULT)
    except KeyboardInterrupt:
        common.stop(f"Stopped. What is graded so far is in {out}; the same command goes on.", common.INTERRUPTED)
    for note in intake.notes[:MOST_NOTES]:
        common.tell(f"Note: {note}")
    if len(intake.notes) > MOST_NOTES:
        common.tell(f"… and {common.many(len(intake.notes) - MOST_NOTES, 'note')} more.")
    fault = counts.faults or counts.unwritten
    raise SystemExit(common.FAULT if fault else common.PASSED if counts.perfect else common.FAILED)


# --- before --------------------------------------------------------------------------------------------------


def _formats(asked: Sequence[str]) -> list[str]:
    from checker.formats import FORMATS

    chosen = list(dict.fromkeys(name for each in asked or DEFAULT_FORMATS for name in each.split(",") if name))
    for name in chosen:
        if name not in FORMATS:
            common.stop(f"There is no format {name!r}; choose from {', '.join(FORMATS)}.", common.USAGE)
    return chosen


def _assignment(path: Path | None, course: Course) -> Assignment:
    from checker.batch.settings import BadSettings, read_settings

    try:
        return read_settings(path, course)
    except BadSettings as error:
        return common.stop(str(error), common.USAGE)


def _sandbox(kind: str, limits: Limits) -> str:
    """The kind of sandbox that every submission is played in: decided once, and never none unless asked for."""
    from checker.sandbox import Unavailable
    from checker.world.session import GraderFault, Session

    common.check_sandbox(kind)
    session = Session(kind, limits=limits)
    try:
        found = session.probe()
    except (Unavailable, GraderFault) as error:
        return common.stop(str(error), common.USAGE)
    finally:
        session.close()
    if found == "none" and kind != "none":
        common.stop(
            "There is no sandbox on this machine, and submissions are strangers' code: `kata doctor` says what to"
            " install. To grade without one all the same: --sandbox none.",
            common.USAGE,
        )
    return found


def _taken_in(path: Path, course: Course, layout: str, out: Path, *, may_be_empty: bool) -> Intake:
    from checker.intake import LAYOUTS, Unreadable, take_in

    if layout not in LAYOUTS:
        common.stop(f"There is no layout {layout!r}; choose from {', '.join(LAYOUTS)}.", common.USAGE)
    if not path.exists():
        common.stop(f"There is no file or folder {path}. Name a folder or a zip archive of submissions.", common.USAGE)
    try:
        return take_in(path, [kata.name for kata in course.katas], layout, out, may_be_empty=may_be_empty)
    except Unreadable as error:
        return common.stop(str(error), common.USAGE)


def _katas(words: Sequence[str], assignment: Assignment, intake: Intake, course: Course) -> list[str]:
    """Those named, else those with a weight, else those that somebody has handed in."""
    if words:
        return [kata.name for kata in common.select(words)]
    if assignment.weights:
        return sorted(assignment.weights)
    found = {kata for handed in intake.submissions for kata in handed.answers}
    faults = [handed.fault for handed in intake.submissions if handed.fault]
    if not found and faults:
        common.stop(
            f"{faults[0]} Nobody else has handed in a kata, so nobody can be graded: mend that, and give the same"
            " command again.",
            common.FAULT,
        )
    if not found:
        names = ", ".join(f"{kata.name}.py" for kata in course.katas[:3])
        common.stop(
            f"Nobody has handed in a file that is named like a kata ({names}, …). Is this the right folder? Name the"
            " katas with --kata to give everybody a row all the same.",
            common.USAGE,
        )
    return sorted(found)


def _with_roster(intake: Intake, roster: Path | None) -> list[Handed]:
    from checker.intake import BadRoster, match, read_roster

    if roster is None:
        return intake.submissions
    try:
        return match(intake.submissions, read_roster(roster))
    except BadRoster as error:
        return common.stop(str(error), common.USAGE)


def _open(out: Path, *, fresh: bool) -> Gradebook:
    from checker.batch.gradebook import Gradebook

    return Gradebook(out, fresh=fresh)


def _plan(
    course: Course,
    katas: list[str],
    handed: list[Handed],
    book: Gradebook,
    seed: int | None,
    kind: str,
    limits: Limits,
    budget: float,
) -> Plan:
    import msgspec

    from checker.batch.driver import Plan, choose_seed

    # Where there is nothing, there is no place: by that the gradebook knows who has handed in nothing.
    book.enrol(msgspec.structs.replace(each.learner, place="") if each.empty else each.learner for each in handed)
    return Plan(course, katas, handed, choose_seed(book, seed), kind, limits, budget)


def _pool(dask: str | None, jobs: int | None, budget: float, katas: Sequence[str]) -> Pool:
    from checker.batch.pool import DaskPool, LocalPool

    if dask is not None:
        return DaskPool(dask)
    # Far behind the limits that the work keeps itself: for a grader that hangs.
    patience = 60 + (10 + 2 * budget) * len(katas)
    return LocalPool(jobs or common.processors(), patience)


# --- during and after ------------------------------------------------------------------------------------------


def _run(plan: Plan, book: Gradebook, pool: Pool) -> None:
    from checker.batch.driver import run
    from checker.batch.progress import Progress

    with Progress(len(plan.submissions)) as progress:
        run(plan, book, pool, progress.advanced)


def _report(
    plan: Plan,
    book: Gradebook,
    assignment: Assignment,
    layout: str,
    started: float,
    out: Path,
    formats: Sequence[str],
) -> Counts:
    from checker.batch.driver import Counts, batch
    from checker.formats import outdated, write

    report: Batch = batch(plan, book, assignment, layout, started)
    counts = Counts()
    for row in report.rows():
        counts.add(row)
    written = []
    for name in formats:
        try:
            written += write(name, report, out)
        except BrokenPipeError:  # whoever reads has read enough
            pass
        except OSError as error:
            common.tell(
                f"The {name} table cannot be written: {error}. What is graded is in the gradebook; make room, or mend"
                " the folder, and give the same command again.",
                err=True,
            )
            counts.unwritten += 1
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    common.tell(_sum(counts, time.time() - started))
    common.tell(f"Seed {plan.seed}, sandbox {plan.sandbox}, layout {layout}, katas {', '.join(plan.katas)}")
    for path in written:
        common.tell(f"  {path}")
    for path, name in outdated(formats, out).items():
        common.tell(f"Note: {path} is of an earlier batch; --format {name} writes it anew.")
    return counts


def _sum(counts: Counts, seconds: float) -> str:
    learners, faults = common.many(counts.learners, "learner"), common.many(counts.faults, "fault")
    left = f"{counts.unfinished} {'is' if counts.unfinished == 1 else 'are'}"
    return (
        f"{learners} in {seconds:.0f} s: {counts.passed} passed, {counts.failed} did not,"
        f" {counts.missing} handed in nothing"
        + (f", {left} not graded yet" if counts.unfinished else "")
        + (f", {faults} of the grader (graded again by the same command)" if counts.faults else "")
    )
