"""Commands for learners: what there is to do, and what helps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli import common

if TYPE_CHECKING:
    from checker.course import Kata

_LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()]+)\)")
"""A link in a brief: its text and its address."""


@click.command("list")
def list_katas() -> None:
    """List the katas."""
    from checker.submission import Submission

    work = Submission(common.workspace(None))
    for kata in common.course().katas:
        here = "" if work.file(kata.name).exists() else "   (not started)"
        click.echo(f"{kata.name:<20} {kata.title}{here}")


@click.command()
@common.word
def show(kata: str) -> None:
    """Show a kata's brief."""
    _print(common.find(kata).text)


@click.command()
@common.word
@click.argument("level", type=click.IntRange(1, 3), default=1)
def hint(kata: str, level: int) -> None:
    """Give a hint: LEVEL 1 is a question, 2 the mechanism, 3 nearly the code."""
    found = common.find(kata)
    _print(found.hint(level))
    if level < 3:
        click.echo(f"\nMore: kata hint {found.name} {level + 1}")


def _print(text: str) -> None:
    """Show a text, and then the addresses of its links: each in one piece, to be read and copied in any terminal.

    Rich would hide them where it thinks that the terminal knows links, and break them where a line ends.
    """
    from rich.markdown import Markdown

    addresses: list[str] = []

    def numbered(link: re.Match[str]) -> str:
        addresses.append(link[2])
        return f"{link[1]} [{len(addresses)}]"

    shown = Markdown(_LINK.sub(numbered, text), hyperlinks=False)
    console = common.console()
    console.print(shown, width=min(console.width, 90))
    if addresses:
        click.echo()
    for number, address in enumerate(addresses, 1):
        click.echo(f"[{number}] {address}")


@click.command()
@common.words
def start(kata: tuple[str, ...]) -> None:
    """Put stubs into your workspace; never overwrites a file."""
    from checker.submission import Submission

    katas, home = common.select(kata), _home()
    _make(home)
    work = Submission(home)
    for each in katas:
        target = work.file(each.name)
        if target.exists():
            click.echo(f"{_shown(target)} is there already.")
            continue
        stub = _pristine(each)
        try:
            with target.open("xb") as file:
                file.write(stub)
        except OSError as error:
            common.stop(f"{_shown(target)} cannot be made: {error.strerror}.", common.USAGE)
        click.echo(f"{_shown(target)} is ready; then: kata check {each.name}")


def _home() -> Path:
    """Where new stubs go: among the katas that are there, else into a folder `katas`."""
    where = common.workspace(None)
    return where if where.name == "katas" or common.course().lies_in(where) else where / "katas"


def _make(folder: Path) -> None:
    """Make a folder unless it is there."""
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        common.stop(
            f"{_shown(folder)} is no folder, and stubs belong into one of that name; move it away first.", common.USAGE
        )
    except OSError as error:
        common.stop(f"{_shown(folder)} cannot be made: {error.strerror}.", common.USAGE)


@click.command()
@common.word
def reset(kata: str) -> None:
    """Put a stub back; what you have written is kept beside it."""
    from checker.submission import Submission

    found = common.find(kata)
    target = Submission(common.workspace(None)).file(found.name)
    if "/" in kata and not (Path(kata).exists() and target.exists() and target.samefile(kata)):
        common.stop(f"Here `kata reset` puts back {_shown(target)}, not {kata}; name the kata alone.", common.USAGE)
    if not target.is_file():
        common.stop(f"There is no {_shown(target)} to put back; `kata start {found.name}` makes one.", common.USAGE)
    stub = _pristine(found)
    kept, fresh = _unused(target), target.with_name(f"{target.name}.part")
    if fresh.is_file() or fresh.is_symlink():
        common.stop(f"{_shown(fresh)} is in the way; move it elsewhere first, it may be yours.", common.USAGE)
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


def _pristine(kata: Kata) -> bytes:
    """The stub. In a checkout the course's file is the learner's own, who may have committed it: git knows how it was.

    The newest version that is a stub, not the first one: a course changes its stubs too.
    """
    from checker.course import is_stub

    for data in _versions(kata):
        if is_stub(data):
            return data
    return common.stop(
        f"The course's stub of {kata.name} is gone: {_shown(kata.stub)} has been changed or removed, and git does not "
        "know how it was; take it from a fresh copy of the course.",
        common.USAGE,
    )


def _versions(kata: Kata) -> Iterator[bytes]:
    """What the course's file for a kata was, the newest commit first, and at last as it lies there.

    An installed course is in nobody's git, nor is a copy without git or its history: then it is the file alone.
    """
    for commit in _git(kata, "rev-list", "HEAD", "--", f"katas/{kata.stub.name}").decode().split():
        yield _git(kata, "show", f"{commit}:./katas/{kata.stub.name}")
    with suppress(OSError):
        yield kata.stub.read_bytes()


def _git(kata: Kata, *words: str) -> bytes:
    """What git says in the course's folder; nothing where it cannot."""
    import subprocess

    command = ["git", *words]
    try:
        return subprocess.run(command, cwd=kata.root, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return b""


def _unused(target: Path) -> Path:
    """A name for what is put aside that nothing has yet."""
    names = (target.with_name(f"{target.name}.{number}.bak") for number in count(1))
    return next(name for name in names if not os.path.lexists(name))


def _shown(path: Path) -> str:
    """A path as somebody in this folder would write it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@click.command()
@common.word
@click.argument("name", required=False)
def solution(kata: str, name: str | None) -> None:
    """Show the reference solution, or another right answer by its NAME."""
    import sys

    from checker.course import read

    found = common.find(kata)
    others = {path.stem: path for path in found.alternatives}
    if name is not None and name.removesuffix(".py") not in others:
        common.stop(f"{found.name} has no answer {name!r}; it has {', '.join(others)}.", common.USAGE)
    text = read(others[name.removesuffix(".py")] if name else found.solution)
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.syntax import Syntax

    common.console().print(Syntax(text, "python", theme="ansi_dark", background_color="default"))
    click.echo(f"Other right answers, each by `kata solution {found.name} NAME`:\n  {', '.join(others)}")
