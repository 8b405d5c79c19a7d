"""Commands for learners: what there is to do, and what helps."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli import common


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
