"""`kata watch`: a learner's work, graded each time it is saved."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checker.cli import check, common

if TYPE_CHECKING:
    from checker.report import Outcome

QUIET = 50
"""Milliseconds without a change after which a save is taken for complete."""
LONGEST = 1000
"""Milliseconds of changes upon changes after which they are graded all the same."""
WAKE = 100
"""Milliseconds after which it says that it listens, though nothing was saved."""


@click.command()
@common.words
@click.option("--path", type=click.Path(path_type=Path), help="A file, or a folder with katas; else your workspace.")
@common.sandbox_option
@common.limit_options
def watch(kata: tuple[str, ...], path: Path | None, sandbox: str, **limits: Any) -> None:
    """Grade your work each time you save it, until Ctrl-C.

    A KATA that is named is graded at once; without one, whichever kata you save. Where a folder on the network
    tells nothing of saves, WATCHFILES_FORCE_POLLING=1 in the environment has it looked at instead.
    """
    from checker.batch.pool import LocalPool
    from checker.submission import Submission

    words = kata or check.implied(path) or ()
    where = common.workspace(path)
    common.check_sandbox(sandbox)
    run_limits, budget = common.limits(**limits)
    files = {each.name: Submission(where).file(each.name) for each in common.select(words)}
    # One process for all evening: it has loaded everything when the second save comes.
    pool = LocalPool(1, patience=60 + 2 * budget)

    def graded(name: str) -> Outcome:
        seed = random.SystemRandom().randrange(2**32)
        screen = check.Screen.of(common.console())
        order = check.Order([name], where, path, seed, sandbox, run_limits, budget, screen)
        outcomes: list[Outcome] = pool.submit(check.graded, order).result()
        return outcomes[0]

    try:
        _follow(files, list(files) if words else [], graded, pool.lost)
    except KeyboardInterrupt:
        click.echo()
    finally:
        pool.close()


def _follow(
    files: dict[str, Path],
    first: Sequence[str],
    graded: Callable[[str], Outcome],
    lost: Callable[[BaseException], bool],
) -> None:
    """Grade the katas in `first`, and then those whose files are saved, for ever."""
    scores: dict[str, float] = {}
    saves = _saves(files)
    next(saves)  # it listens from here on, so that nothing saved meanwhile is missed
    names: Sequence[str] = first
    while True:
        outcomes = []
        for name in names:
            click.secho(f"{time.strftime('%H:%M:%S')}  grading {name}", dim=True)
            outcomes += [outcome] if (outcome := _guarded(name, graded, lost)) is not None else []
        if outcomes:
            _show(outcomes, scores)
        shown = ", ".join(path.name for path in files.values()) if len(files) <= 3 else "your katas"
        click.secho(f"Watching {shown}: save to have it graded, Ctrl-C to end.", dim=True)
        names = next(saves)


def _guarded(name: str, graded: Callable[[str], Outcome], lost: Callable[[BaseException], bool]) -> Outcome | None:
    """The outcome; a fault of the grader's own is told, and ends nothing."""
    from checker.grade import SuiteBroken
    from checker.sandbox import Unavailable
    from checker.world.session import GraderFault

    try:
        return graded(name)
    except Unavailable as error:
        common.stop(str(error), common.USAGE)
    except Exception as error:
        if lost(error):
            click.echo("The grader's process ended before its work was done; save again to have it graded.", err=True)
        elif isinstance(error, SuiteBroken | GraderFault | OSError):
            click.echo(f"The grader itself failed: {error}", err=True)
        else:
            raise
    return None


def _show(outcomes: Sequence[Outcome], scores: dict[str, float]) -> None:
    """Put the reports on the screen, in place of the ones before, and what has changed since then."""
    from checker import report

    if sys.stdout.isatty():
        click.clear()
    for outcome in outcomes:
        click.echo(outcome.told, nl=False)
        before, scores[outcome.kata] = scores.get(outcome.kata), outcome.score
        change = "" if before is None or before == outcome.score else f" ({outcome.score - before:+g})"
        told = f"{outcome.kata}: {report.total([outcome])}{change}"
        click.secho(told, fg="green" if outcome.verdict == "passed" else "red", bold=True)
    check.warn(outcomes)


def _saves(files: dict[str, Path]) -> Iterator[list[str]]:
    """First an empty list, once it listens; then, each time, the katas whose files were saved.

    Folders are watched, not files: many editors write a new file and put it in the old one's place.
    """
    from watchfiles import watch as changes

    katas = {(path.parent.resolve(), path.name): name for name, path in files.items()}
    folders = {folder for folder, _ in katas}
    listening = changes(
        *folders,
        watch_filter=None,
        step=QUIET,
        debounce=LONGEST,
        recursive=False,
        rust_timeout=WAKE,
        yield_on_timeout=True,
    )
    next(listening)  # nothing or something, it listens now
    yield []
    for found in listening:
        changed = {(Path(path).parent.resolve(), Path(path).name) for _, path in found}
        names = [name for place, name in katas.items() if place in changed and files[name].is_file()]
        if names:
            yield names
