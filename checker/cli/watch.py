"""`kata watch`: a learner's work, graded each time it is saved."""

from __future__ import annotations

import random
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checker.cli import check, common

if TYPE_CHECKING:
    from checker.report import Outcome

LOOK = 0.2
"""Real seconds between one look at the files and the next."""
QUIET = 0.05
"""Real seconds without a change after which a save is taken for complete."""
LONGEST = 1.0
"""Real seconds of changes upon changes after which they are graded all the same."""

State = tuple[int, ...]
"""What a save changes about a file; empty where there is none."""


@click.command()
@common.words
@click.option("--path", type=click.Path(path_type=Path), help="A file, or a folder with katas; else your workspace.")
@common.sandbox_option
@common.limit_options
def watch(kata: tuple[str, ...], path: Path | None, sandbox: str, **limits: Any) -> None:
    """Grade your work each time you save it, until Ctrl-C.

    A KATA that is named is graded at once; without one, whichever kata you save.
    """
    from checker.batch.pool import LocalPool
    from checker.submission import Submission

    named, path = common.files(kata, path)
    common.workspace(path)  # it must be there to begin with; later it may be gone for a while
    words = named or check.implied(path) or ()
    common.check_sandbox(sandbox)
    run_limits, budget = common.limits(**limits)
    names = [each.name for each in common.select(words)]

    def where() -> Path:
        return path or common.workspace(None)

    def files() -> dict[str, Path]:
        work = Submission(where())
        return {name: work.file(name) for name in names}

    # One process for all evening: it has loaded everything when the second save comes.
    pool = LocalPool(1, patience=60 + 2 * budget)

    def graded(name: str) -> Outcome:
        seed = random.SystemRandom().randrange(2**32)
        screen = check.Screen.of(common.console())
        order = check.Order([name], where(), path, seed, sandbox, run_limits, budget, screen)
        outcomes: list[Outcome] = pool.submit(check.graded, order).result()
        return outcomes[0]

    try:
        _follow(files, names if words else [], graded, pool.lost, sandbox)
    except KeyboardInterrupt:
        click.echo()
    finally:
        pool.close()


def _follow(
    files: Callable[[], dict[str, Path]],
    first: Sequence[str],
    graded: Callable[[str], Outcome],
    lost: Callable[[BaseException], bool],
    sandbox: str,
) -> None:
    """Grade the katas in `first`, and then those whose files are saved, for ever."""
    scores: dict[str, float] = {}
    saves = _saves(files)
    next(saves)  # it listens from here on, so that nothing saved meanwhile is missed
    names: Sequence[str] = first
    while True:
        outcomes = []
        for name in names:
            _say(f"{time.strftime('%H:%M:%S')}  grading {name}")
            outcomes += [outcome] if (outcome := _guarded(name, graded, lost)) is not None else []
        if outcomes:
            _show(outcomes, scores, sandbox)
        watched = [path.name for path in files().values()]
        shown = ", ".join(watched) if len(watched) <= 3 else "your katas"
        _say(f"Watching {shown}: save to have it graded, Ctrl-C to end.")
        names = []
        while not names:
            names, gone = next(saves)
            if gone:
                _say(_gone(gone))


def _say(text: str) -> None:
    """Say something that is no part of a report."""
    from checker.values import inert

    click.secho(inert(text), dim=True)


def _gone(files: Sequence[str]) -> str:
    """Says of files that they are no more."""
    if len(files) == 1:
        return f"{files[0]} is gone; it will be graded when it is back."
    shown = " and ".join(files) if len(files) == 2 else f"{len(files)} files"
    return f"{shown} are gone; they will be graded when they are back."


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
            common.tell(f"The grader itself failed: {error}", err=True)
        else:
            raise
    return None


def _show(outcomes: Sequence[Outcome], scores: dict[str, float], sandbox: str) -> None:
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
    check.warn(outcomes, sandbox)


def _saves(files: Callable[[], dict[str, Path]]) -> Iterator[tuple[list[str], list[str]]]:
    """First nothing, once it looks; then, each time, katas whose files were saved, and names of files that are gone.

    It looks at the files themselves, by their names, again and again. To be told by the system instead is to listen
    to a folder that is there: what is made, replaced or linked to later is missed, and folders on a network are mute.
    """
    seen = _states(files())
    yield [], []
    while True:
        time.sleep(LOOK)
        if _states(files()) != seen:
            before, seen = seen, _settled(files)
            saved = [name for name, state in seen.items() if state not in ((), before[name])]
            gone = [files()[name].name for name, state in seen.items() if state == () != before[name]]
            if saved or gone:
                yield saved, gone


def _settled(files: Callable[[], dict[str, Path]]) -> dict[str, State]:
    """How the files are once nothing is changed any more: some editors write in several steps."""
    limit = time.monotonic() + LONGEST
    last = _states(files())
    while True:
        time.sleep(QUIET)
        before, last = last, _states(files())
        if last == before or time.monotonic() > limit:
            return last


def _states(files: dict[str, Path]) -> dict[str, State]:
    return {name: _state(path) for name, path in files.items()}


def _state(path: Path) -> State:
    try:
        found = path.stat()
    except OSError:
        return ()
    if not stat.S_ISREG(found.st_mode):
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
