"""`kata check`: a learner's own work, graded."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checker.cli import common

if TYPE_CHECKING:
    from concurrent.futures import Future

    from checker.messages import Limits
    from checker.report import Outcome


@click.command()
@common.words
@click.option("--path", type=click.Path(path_type=Path), help="A file, or a folder with katas; else your workspace.")
@click.option("--seed", type=int, help="Replays a run: draws the same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--jobs", type=click.IntRange(min=1), help="Katas at a time; default: one a processor.")
@common.sandbox_option
@common.limit_options
def check(
    kata: tuple[str, ...],
    path: Path | None,
    seed: int | None,
    as_json: bool,
    jobs: int | None,
    sandbox: str,
    **limits: Any,
) -> None:
    """Grade your work."""
    words, path = common.files(kata, path)
    where = common.workspace(path)
    katas = [each.name for each in common.select(words or implied(path))]
    common.check_sandbox(sandbox)
    run_limits, budget = common.limits(**limits)
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    screen = None if as_json else Screen.of(common.console())
    hands = _dealt(katas, min(jobs or common.processors(), len(katas)))
    orders = [Order(hand, where, path, seed, sandbox, run_limits, budget, screen) for hand in hands]
    found = {each.kata: each for part in common.guarded(lambda: _all_graded(orders)) for each in part}
    outcomes = [found[name] for name in katas]
    with suppress(BrokenPipeError):  # whoever reads has read enough
        _tell(outcomes, seed, screen, sandbox)
    verdicts = {each.verdict for each in outcomes}
    raise SystemExit(common.FAULT if "error" in verdicts else common.FAILED if "failed" in verdicts else common.PASSED)


def implied(path: Path | None) -> list[str] | None:
    """The kata that a single file is about: by its own name, or that of the folder that it stands in."""
    if path is None or path.is_dir():
        return None
    from checker.course import UnknownKata

    for name in (path.stem, path.resolve().parent.name):
        try:
            return [common.course().find(name).name]
        except UnknownKata:
            continue
    command = click.get_current_context().info_name
    return common.stop(f"Which kata is {path} an answer to? Say it: kata {command} KATA --path {path}", common.USAGE)


def _dealt(katas: list[str], parts: int) -> list[list[str]]:
    """Deal the katas out to and fro: the costly ones stand together at the end, the costliest last."""
    hands: list[list[str]] = [[] for _ in range(parts)]
    for place, kata in enumerate(katas):
        turn, seat = divmod(place, parts)
        hands[-1 - seat if turn % 2 else seat].append(kata)
    return hands


# --- grading, in this process or in several --------------------------------------------------------------------


@dataclass(frozen=True)
class Screen:
    """What a report may make use of."""

    width: int
    colors: str | None
    unicode: bool

    @classmethod
    def of(cls, console: Any) -> Screen:
        """That of the terminal, or of whatever stands in its place."""
        colors = None if console.no_color else console.color_system
        return cls(console.width, colors, console.encoding.lower().startswith("utf"))

    def console(self, file: io.StringIO) -> Any:
        """Writes into a text what would go to the screen."""
        from rich.console import Console

        return Console(
            file=file,
            width=self.width,
            color_system=self.colors,  # type: ignore[arg-type]
            force_terminal=self.colors is not None,
            legacy_windows=False,
            highlight=False,
        )


@dataclass(frozen=True)
class Order:
    """Katas to be graded one after the other, in a sandbox of their own, and how to tell of them."""

    katas: list[str]
    work: Path
    """Where the learner's files lie."""
    named: Path | None
    """What the learner named, which is repeated in the command that replays a run."""
    seed: int
    sandbox: str
    limits: Limits
    budget: float
    screen: Screen | None
    """None: the report is an object for JSON."""


def _all_graded(orders: Sequence[Order]) -> list[list[Outcome]]:
    if not orders[1:]:
        return [graded(orders[0])]
    from checker.batch.pool import LocalPool, NoPool
    from checker.world.session import GraderFault

    try:
        pool = LocalPool(len(orders), patience=60 + 2 * orders[0].budget * len(orders[0].katas))
    except NoPool:
        return [graded(order) for order in orders]

    def landed(future: Future[list[Outcome]], order: Order) -> list[Outcome]:
        try:
            return future.result()
        except Exception as error:
            if not pool.lost(error):
                raise
        again: Future[list[Outcome]] = pool.submit(graded, order)  # after an hour's sleep, say, nobody was waited for
        return again.result()

    try:
        return [landed(*each) for each in [(pool.submit(graded, order), order) for order in orders]]
    except Exception as error:
        if pool.lost(error):
            raise GraderFault("a process of its own ended before its work was done; try again.") from None
        raise
    finally:
        pool.close()


def graded(order: Order) -> list[Outcome]:
    """Grade some katas, and write the report of each."""
    from checker import report
    from checker.course import installed_course
    from checker.grade import grade
    from checker.submission import Submission
    from checker.world.session import Session

    course = installed_course()
    katas = [course.find(name) for name in order.katas]
    grading = grade(
        course,
        Submission(order.work),
        katas,
        seed=order.seed,
        sandbox=order.sandbox,
        limits=order.limits,
        budget=order.budget,
    )
    if order.screen is None:
        return [report.outcome(grading, kata, report.kata_json(grading, kata)) for kata in katas]
    reference = Session(order.sandbox, sorted({module for each in katas for module in each.preload}), order.limits)
    outcomes = []
    try:
        for kata in katas:
            file = io.StringIO()
            console = order.screen.console(file)
            terminal = report.Terminal(
                console,
                reference,
                order.named,
                unicode=order.screen.unicode,
                sandbox=order.sandbox,
                limits=order.limits,
                budget=order.budget,
            )
            terminal.kata(grading, kata)
            outcomes.append(report.outcome(grading, kata, file.getvalue()))
    finally:
        reference.close()
    return outcomes


# --- telling ---------------------------------------------------------------------------------------------------


def _tell(outcomes: list[Outcome], seed: int, screen: Screen | None, sandbox: str) -> None:
    from checker import report

    if screen is None:
        import json

        # Within its texts alone, where it reads the same; a server that keeps the log would read a command.
        sys.stdout.write(json.dumps(report.as_json(outcomes, seed)).replace("##", r"#\u0023") + "\n")
        return
    text = "".join(each.told for each in outcomes)
    total = report.total(outcomes)
    color = "green" if {each.verdict for each in outcomes} == {"passed"} else "red"
    text += click.style(total, fg=color, bold=True) if screen.colors else total
    sys.stdout.write(text + "\n")
    warn(outcomes, sandbox)


def warn(outcomes: Sequence[Outcome], asked: str) -> None:
    """Say it where nothing kept the code in: because that was `asked` for, or for want of something better."""
    if outcomes[0].sandbox == "none" == asked:
        click.echo("No sandbox, by --sandbox none: your code ran with your own rights.")
    elif outcomes[0].sandbox == "none":
        click.echo("No sandbox here: your code ran with your own rights. `bubblewrap` would keep it in.")
