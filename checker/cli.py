"""The `kata` command. Every command is a small task that returns an exit status.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 the grader itself failed.
Imports stand inside the commands: `kata --help` and `kata list` should start at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from checker import __version__

if TYPE_CHECKING:
    from checker.course import Course, Kata

PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3

words = click.argument("kata", nargs=-1, metavar="[KATA]...")
word = click.argument("kata", metavar="KATA")
sandbox_option = click.option(
    "--sandbox", default="auto", metavar="KIND", show_default=True, help="auto, bwrap, landlock or none."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kata")
def app() -> None:
    """Learn asyncio by katas whose behaviour in time is graded.

    KATA is 07_semaphore, 07, 7 or semaphore; where it may be left out, all are meant.
    """


def main() -> None:
    """Run the command line; faults of usage and of the grader end in one sentence, never a traceback."""
    app(prog_name="kata")


@app.command()
@words
@click.option("--path", type=click.Path(path_type=Path), help="A file, or a folder with katas; else your workspace.")
@click.option("--seed", type=int, help="Replays a run: draws the same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@sandbox_option
def check(kata: tuple[str, ...], path: Path | None, seed: int | None, as_json: bool, sandbox: str) -> None:
    """Grade your work."""
    from checker.grade import grade
    from checker.submission import Submission

    course, katas = _course(), _select(kata or _implied(path))
    where = _workspace(path)
    _check_sandbox(sandbox)
    grading = _guarded(lambda: grade(course, Submission(where), katas, seed=seed, sandbox=sandbox))
    from checker import report

    if as_json:
        import json

        sys.stdout.write(json.dumps(report.as_json(grading)) + "\n")
    else:
        from checker.world.session import Session

        reference = Session(sandbox, sorted({module for each in katas for module in each.preload}))
        try:
            report.Terminal(_console(), reference).show(grading)
        finally:
            reference.close()
    verdicts = {report.verdict(grading.of(each)) for each in katas}
    raise SystemExit(FAULT if "error" in verdicts else FAILED if "failed" in verdicts else PASSED)


@app.command()
@words
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="Grade right answers so often, with new seeds.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many at a time; default: one a processor.")
@click.option("--seed", type=int, help="Draws the seeds of all gradings; default: new ones.")
@click.option("--record", is_flag=True, help="Write down what each known mistake looks like.")
@sandbox_option
def verify(kata: tuple[str, ...], repeat: int, jobs: int | None, seed: int | None, record: bool, sandbox: str) -> None:
    """Prove the course: right answers pass, stubs and idlers fail, every mistake is caught."""
    from checker import verify as verifying

    course, katas = _course(), _select(kata)
    _check_sandbox(sandbox)
    with verifying.scratch() as folder:
        plan = verifying.jobs(
            course, katas, repeat=repeat, seed=seed, sandbox=sandbox, recording=record, folder=Path(folder)
        )
        outcomes = _guarded(lambda: _told(verifying.verify(plan, jobs)))
    if record:
        _save_fingerprints(katas, outcomes)
    problems = sum(len(outcome.problems) for outcome in outcomes)
    _say_verified(katas, outcomes)
    click.echo(f"{len(outcomes)} answers graded, {problems} problems")
    raise SystemExit(FAILED if problems else PASSED)


def _told(outcomes: Any) -> list[Any]:
    kept = []
    for outcome in outcomes:
        kept.append(outcome)
        for problem in outcome.problems:
            click.echo(f"{outcome.kata}: {outcome.role} {outcome.answer} {problem}")
    return kept


def _say_verified(katas: list[Kata], outcomes: list[Any]) -> None:
    for each in katas:
        own = [outcome for outcome in outcomes if outcome.kata == each.name]
        counts = dict.fromkeys(("reference", "alternative", "stub", "idle", "mistake"), 0)
        for outcome in own:
            counts[outcome.role] += not outcome.problems
        totals = {role: sum(outcome.role == role for outcome in own) for role in counts}
        parts = ", ".join(f"{role} {counts[role]}/{totals[role]}" for role in counts if totals[role])
        click.echo(f"{each.name}: {parts}")


def _save_fingerprints(katas: list[Kata], outcomes: list[Any]) -> None:
    from checker import diagnosis

    for each in katas:
        found = {
            outcome.answer: outcome.fingerprint
            for outcome in outcomes
            if outcome.kata == each.name and outcome.fingerprint is not None
        }
        if found:
            diagnosis.save(each.fingerprints, found)


@app.command("list")
def list_katas() -> None:
    """List the katas."""
    workspace = _workspace(None)
    for kata in _course().katas:
        here = "" if (workspace / f"{kata.name}.py").exists() else "   (not started)"
        click.echo(f"{kata.name:<20} {kata.title}{here}")


@app.command()
@word
def show(kata: str) -> None:
    """Show a kata's brief."""
    from rich.markdown import Markdown

    console = _console()
    console.print(Markdown(_find(kata).text), width=min(console.width, 90))


@app.command()
@word
@click.argument("level", type=click.IntRange(1, 3), default=1)
def hint(kata: str, level: int) -> None:
    """Give a hint: LEVEL 1 is a question, 2 the mechanism, 3 nearly the code."""
    from rich.markdown import Markdown

    found = _find(kata)
    console = _console()
    console.print(Markdown(found.hint(level)), width=min(console.width, 90))
    if level < 3:
        click.echo(f"\nMore: kata hint {found.name} {level + 1}")


@app.command()
@words
def start(kata: tuple[str, ...]) -> None:
    """Put stubs into your workspace; never overwrites a file."""
    import shutil

    workspace = Path.cwd() / "katas"
    workspace.mkdir(exist_ok=True)
    for each in _select(kata):
        target = workspace / each.stub.name
        if target.exists():
            click.echo(f"{target.relative_to(Path.cwd())} is there already.")
            continue
        shutil.copyfile(each.stub, target)
        click.echo(f"{target.relative_to(Path.cwd())} is ready; then: kata check {each.name}")


# --- what the commands share --------------------------------------------------------------------------


def _course() -> Course:
    from checker.course import installed_course

    try:
        return installed_course()
    except FileNotFoundError as error:
        _quit(str(error), FAULT)


def _find(word: str) -> Kata:
    return _select([word])[0]


def _select(names: Sequence[str] | None) -> list[Kata]:
    from checker.course import UnknownKata

    try:
        return _course().select(names or [])
    except UnknownKata as error:
        _quit(str(error), USAGE)


def _implied(path: Path | None) -> list[str] | None:
    """The kata that a single file is about: by its own name, or that of the folder that it stands in."""
    if path is None or path.is_dir():
        return None
    from checker.course import UnknownKata

    for name in (path.stem, path.resolve().parent.name):
        try:
            return [_course().find(name).name]
        except UnknownKata:
            continue
    return _quit(f"Which kata is {path} an answer to? Say it: kata check KATA --path {path}", USAGE)


def _workspace(path: Path | None) -> Path:
    """Where the learner's work lies: what was named, else the folder `katas` here, else this folder."""
    if path is not None:
        if not path.exists() and not path.is_symlink():
            _quit(f"There is no file or folder {path}. Name a file, or a folder with katas.", USAGE)
        return path
    katas = Path.cwd() / "katas"
    return katas if katas.is_dir() else Path.cwd()


def _check_sandbox(kind: str) -> None:
    from checker.sandbox import KINDS

    if kind not in KINDS:
        _quit(f"There is no sandbox {kind!r}; choose one of {', '.join(KINDS)}.", USAGE)


def _guarded(work: Any) -> Any:
    """Do the work; a fault of the grader ends in a sentence and status 3."""
    from checker.grade import SuiteBroken
    from checker.sandbox import Unavailable
    from checker.world.session import GraderFault

    try:
        return work()
    except Unavailable as error:
        _quit(str(error), USAGE)
    except (SuiteBroken, GraderFault, OSError) as error:
        _quit(f"The grader itself failed: {error}", FAULT)


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _quit(text: str, status: int) -> NoReturn:
    click.echo(text, err=True)
    raise SystemExit(status)
