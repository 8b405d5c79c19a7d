"""`kata verify`: the course, proven."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checker.cli import common

if TYPE_CHECKING:
    from checker.course import Kata
    from checker.verify import Job, Outcome


@click.command()
@common.words
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="Grade right answers so often, with new seeds.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many at a time; default: one a processor.")
@click.option("--seed", type=int, help="Draws the seeds of all gradings; default: new ones.")
@click.option("--record", is_flag=True, help="Write down what each known mistake looks like.")
@common.sandbox_option
def verify(kata: tuple[str, ...], repeat: int, jobs: int | None, seed: int | None, record: bool, sandbox: str) -> None:
    """Prove the course: right answers pass, stubs and idlers fail, every mistake is caught."""
    from checker import verify as verifying

    course, katas = common.course(), common.select(kata)
    common.check_sandbox(sandbox)
    with verifying.scratch() as folder:
        plan = verifying.jobs(
            course, katas, repeat=repeat, seed=seed, sandbox=sandbox, recording=record, folder=Path(folder)
        )
        outcomes = common.guarded(lambda: _verified(plan, jobs or common.processors()))
    problems = sum(len(outcome.problems) for outcome in outcomes)
    if record:
        _save_fingerprints(katas, outcomes)
    else:
        problems += _told_of_the_whole(katas, outcomes)
    _say_verified(katas, outcomes)
    common.tell(f"{common.many(len(outcomes), 'answer')} graded, {common.many(problems, 'problem')}")
    raise SystemExit(common.FAILED if problems else common.PASSED)


def _verified(plan: Sequence[Job], jobs: int) -> list[Outcome]:
    """Grade everything, several at a time, and tell of each problem as it is found."""
    from checker import verify as verifying
    from checker.batch.pool import LocalPool, NoPool
    from checker.world.session import GraderFault

    try:
        # All answers are the course's own, and each run has its limits: an answer is waited for however long it takes.
        pool = LocalPool(jobs, patience=math.inf)
    except NoPool as error:
        common.stop(str(error), common.FAULT)
    try:
        return _told(verifying.verify(plan, pool.submit))
    except Exception as error:
        if pool.lost(error):
            raise GraderFault("a process of its own ended before its work was done; try again.") from None
        raise
    finally:
        pool.close()


def _told(outcomes: Iterable[Outcome]) -> list[Outcome]:
    kept = []
    for outcome in outcomes:
        kept.append(outcome)
        for problem in outcome.problems:
            common.tell(f"{outcome.kata}: {outcome.role} {outcome.answer} {problem}")
    return kept


def _say_verified(katas: list[Kata], outcomes: list[Outcome]) -> None:
    for each in katas:
        own = [outcome for outcome in outcomes if outcome.kata == each.name]
        counts = dict.fromkeys(("reference", "alternative", "stub", "idle", "mistake"), 0)
        for outcome in own:
            counts[outcome.role] += not outcome.problems
        totals = {role: sum(outcome.role == role for outcome in own) for role in counts}
        parts = ", ".join(f"{role} {counts[role]}/{totals[role]}" for role in counts if totals[role])
        common.tell(f"{each.name}: {parts}")


def _told_of_the_whole(katas: list[Kata], outcomes: list[Outcome]) -> int:
    """Tell what is wrong with katas and not with an answer; returns how much that is."""
    from checker import verify as verifying

    told = [f"{each.name}: {problem}" for each in katas for problem in verifying.of_the_whole(each, outcomes)]
    for problem in told:
        common.tell(problem)
    return len(told)


def _save_fingerprints(katas: list[Kata], outcomes: list[Outcome]) -> None:
    """Write the fingerprints, and tell which of them are others than before."""
    from checker import diagnosis
    from checker.course import CourseBroken

    for each in katas:
        found = {
            outcome.answer: outcome.fingerprint
            for outcome in outcomes
            if outcome.kata == each.name and outcome.fingerprint is not None
        }
        if not found:
            continue
        try:
            before = diagnosis.load(each.fingerprints)
        except CourseBroken:  # which is why they are recorded anew
            before = {}
        diagnosis.save(each.fingerprints, found)
        common.tell(f"{each.name}: fingerprints: {_compared(each, before, diagnosis.load(each.fingerprints))}")


def _compared(kata: Kata, before: dict[str, Any], after: dict[str, Any]) -> str:
    """What recording has changed; the mistakes by name, but for those that look as they did."""
    mistakes = {path.stem for path in kata.mistakes}
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    groups = {
        "new": after.keys() - before.keys(),
        "changed": changed,
        "gone": before.keys() - mistakes,
        "missing, not being caught with every seed": mistakes - after.keys(),
    }
    told = [f"{len(names)} {what} ({', '.join(sorted(names))})" for what, names in groups.items() if names]
    same = len(before.keys() & after.keys()) - len(changed)
    return "; ".join([*told, f"{same} as before"])
