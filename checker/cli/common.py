"""What the commands share: how a word is understood, and how a fault ends in one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from checker import messages
    from checker.course import Course, Kata

PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3
INTERRUPTED = 130
"""As a shell has it of whatever is ended by Ctrl-C."""

LONGEST = 24 * 60 * 60
"""Seconds that a limit can be at most: a day."""
LARGEST = 1 << 20
"""MiB that a limit can be at most: a tebibyte."""

words = click.argument("kata", nargs=-1, metavar="[KATA]...")
word = click.argument("kata", metavar="KATA")
sandbox_option = click.option(
    "--sandbox", default="auto", metavar="KIND", show_default=True, help="auto, bwrap, landlock or none."
)


def course() -> Course:
    """The course that is installed; without one there is nothing to be done."""
    from checker.course import installed_course

    try:
        return installed_course()
    except FileNotFoundError as error:
        stop(str(error), FAULT)


def find(word: str) -> Kata:
    """The kata that a word means."""
    return select([word])[0]


def select(names: Sequence[str] | None) -> list[Kata]:
    """The katas that these words mean; all of them for none."""
    from checker.course import UnknownKata

    try:
        return course().select(names or [])
    except UnknownKata as error:
        stop(str(error), USAGE)


def files(names: Sequence[str], path: Path | None) -> tuple[Sequence[str], Path | None]:
    """The words for katas, and the path that was named; a word with a slash is a file, as after `--path`."""
    named = [Path(name) for name in names if "/" in name]
    for file in named:
        if not file.exists():
            stop(f"There is no file {file}. Name a kata, or a file that is there: --path FILE names one too.", USAGE)
    if not named:
        return names, path
    if path is None and len(names) == 1:
        return (), named[0]
    folder = named[0].parent
    together = all(file.parent == folder and file.name == f"{find(str(file)).name}.py" for file in named)
    if path is None and together and len(named) == len(names):
        return names, folder
    return stop(f"Name katas, and one file or folder in which they lie: --path {folder}", USAGE)


def workspace(path: Path | None) -> Path:
    """Where the learner's work lies: what was named, else here where katas lie, else the folder `katas`, else here."""
    if path is not None:
        if not path.exists() and not path.is_symlink():
            stop(f"There is no file or folder {path}. Name a file, or a folder with katas.", USAGE)
        return path
    here = Path.cwd()
    katas = here / "katas"
    return katas if katas.is_dir() and not course().lies_in(here) else here


def check_sandbox(kind: str) -> None:
    """A kind of sandbox that does not exist is wrong usage."""
    from checker.sandbox import KINDS

    if kind not in KINDS:
        stop(f"There is no sandbox {kind!r}; choose one of {', '.join(KINDS)}.", USAGE)


def guarded(work: Any) -> Any:
    """Do the work; a fault of the grader ends in a sentence and status 3, Ctrl-C in a word."""
    from checker.grade import SuiteBroken
    from checker.sandbox import Unavailable
    from checker.world.session import GraderFault

    try:
        return work()
    except Unavailable as error:
        stop(str(error), USAGE)
    except (SuiteBroken, GraderFault, OSError) as error:
        fail(error)
    except KeyboardInterrupt:
        stop("Stopped.", INTERRUPTED)


def many(count: int, what: str) -> str:
    """So many of something, or one of it, in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def processors() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0))


def console() -> Any:
    """The terminal, or whatever stands in its place."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def fail(error: Exception) -> NoReturn:
    """End with a sentence on what went wrong on this side; all of it is shown where `KATA_DEBUG` is set."""
    import os
    import traceback

    from checker.course import CourseBroken

    if os.environ.get("KATA_DEBUG"):
        traceback.print_exception(error)
    try:
        Path.cwd()
    except OSError:
        stop("The folder that you are in is gone; change to one that is there.", USAGE)
    if isinstance(error, CourseBroken):  # it is for whoever wrote that file to mend it
        stop(str(error), USAGE)
    if isinstance(error, OSError) or type(error).__module__.startswith("checker."):  # these are made to be read
        stop(f"The grader itself failed: {error}", FAULT)
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    stop(f"The grader itself failed: {type(error).__name__}: {error} ({where}; KATA_DEBUG=1 shows more)", FAULT)


def tell(text: str, *, err: bool = False) -> None:
    """Say something; whoever reads may have read enough, and that changes nothing about the outcome."""
    from checker.values import inert

    with suppress(BrokenPipeError):
        click.echo(inert(text), err=err)


def stop(text: str, status: int) -> NoReturn:
    """Say one sentence and end with a status."""
    from checker.values import inert

    click.echo(inert(text), err=True)
    raise SystemExit(status)


# --- limits ---------------------------------------------------------------------------------------------


class _Seconds(click.FloatRange):
    """Real seconds. NaN is neither below nor above anything, so that a range alone would let it pass."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        seconds = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is no number of seconds.", param, ctx) if math.isnan(seconds) else seconds


def limit_options(command: Any) -> Any:
    """Options for the real limits that a submission is held to."""
    seconds = _Seconds(1, LONGEST)
    options = [
        ("--run-seconds", seconds, 20.0, "Real seconds that one run may take."),
        ("--run-cpu", click.IntRange(1, LONGEST), 4, "Processor seconds that each process of a run may take."),
        ("--memory", click.IntRange(128, LARGEST), 1024, "MiB of memory that one run may take."),
        ("--output", click.IntRange(1, LARGEST), 8, "MiB that one file or the printed output may have."),
        ("--budget", seconds, 120.0, "Real seconds that all runs of a kata may take."),
    ]
    for name, kind, default, text in reversed(options):
        command = click.option(name, type=kind, default=default, show_default=True, help=text)(command)
    return command


def limits(run_seconds: float, run_cpu: int, memory: int, output: int, budget: float) -> tuple[messages.Limits, float]:
    """What these options mean."""
    from checker import messages

    return messages.Limits(wall=run_seconds, cpu=run_cpu, memory=memory << 20, file_size=output << 20), budget
