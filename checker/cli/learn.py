"""Commands for learners: what there is to do, and what helps."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli import common

if TYPE_CHECKING:
    from checker.course import Kata


@click.command("list")
def list_katas() -> None:
    """List the katas."""
    workspace = common.workspace(None)
    for kata in common.course().katas:
        here = "" if (workspace / f"{kata.name}.py").exists() else "   (not started)"
        click.echo(f"{kata.name:<20} {kata.title}{here}")


@click.command()
@common.word
def show(kata: str) -> None:
    """Show a kata's brief."""
    from rich.markdown import Markdown

    console = common.console()
    console.print(Markdown(common.find(kata).text), width=min(console.width, 90))


@click.command()
@common.word
@click.argument("level", type=click.IntRange(1, 3), default=1)
def hint(kata: str, level: int) -> None:
    """Give a hint: LEVEL 1 is a question, 2 the mechanism, 3 nearly the code."""
    from rich.markdown import Markdown

    found = common.find(kata)
    console = common.console()
    console.print(Markdown(found.hint(level)), width=min(console.width, 90))
    if level < 3:
        click.echo(f"\nMore: kata hint {found.name} {level + 1}")


@click.command()
@common.words
def start(kata: tuple[str, ...]) -> None:
    """Put stubs into your workspace; never overwrites a file."""
    import shutil

    workspace = Path.cwd() / "katas"
    workspace.mkdir(exist_ok=True)
    for each in common.select(kata):
        target = workspace / each.stub.name
        if target.exists():
            click.echo(f"{target.relative_to(Path.cwd())} is there already.")
            continue
        shutil.copyfile(each.stub, target)
        click.echo(f"{target.relative_to(Path.cwd())} is ready; then: kata check {each.name}")


@click.command()
@common.word
def reset(kata: str) -> None:
    """Put a stub back; what you have written is kept beside it."""
    from checker.submission import Submission

    found = common.find(kata)
    target = Submission(common.workspace(None)).file(found.name)
    if not target.is_file():
        common.stop(f"There is no {_shown(target)} to put back; `kata start {found.name}` makes one.", common.USAGE)
    stub = _pristine(found, target)
    kept, fresh = _unused(target), target.with_name(f"{target.name}.part")
    try:
        if target.read_bytes() == stub:
            click.echo(f"{_shown(target)} is the stub already.")
            return
        # In this order nothing is lost, wherever it breaks off.
        fresh.write_bytes(stub)
        target.rename(kept)
        fresh.rename(target)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        common.stop(f"{_shown(target)} cannot be put back: {error.strerror}.", common.USAGE)
    click.echo(f"{_shown(target)} is the stub again; what you had written is in {_shown(kept)}.")


def _pristine(kata: Kata, target: Path) -> bytes:
    """The stub. In a checkout it is the learner's own file, and git knows how it was."""
    if not target.samefile(kata.stub):
        return kata.stub.read_bytes()
    import subprocess

    command = ["git", "-C", str(kata.root), "show", f"HEAD:katas/{kata.stub.name}"]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        common.stop(
            f"{_shown(target)} is the course's own stub, and git does not know how it was; take it from a fresh copy.",
            common.USAGE,
        )


def _unused(target: Path) -> Path:
    """A name for what is put aside that nothing has yet."""
    names = (target.with_name(f"{target.name}.{number}.bak") for number in count(1))
    return next(name for name in names if not name.exists())


def _shown(path: Path) -> str:
    """A path as somebody in this folder would write it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@click.command()
@common.word
@click.argument("name", required=False)
def solution(kata: str, name: str | None) -> None:
    """Show the reference solution, or another right answer by its NAME."""
    import sys

    found = common.find(kata)
    others = {path.stem: path for path in found.alternatives}
    if name is not None and name.removesuffix(".py") not in others:
        common.stop(f"{found.name} has no answer {name!r}; it has {', '.join(others)}.", common.USAGE)
    text = (others[name.removesuffix(".py")] if name else found.solution).read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.syntax import Syntax

    common.console().print(Syntax(text, "python", theme="ansi_dark", background_color="default"))
    click.echo(f"Other right answers, each by `kata solution {found.name} NAME`:\n  {', '.join(others)}")
