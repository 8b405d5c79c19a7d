"""Proves the course: right answers score full marks, stubs and idlers nothing, every mistake is caught."""

from __future__ import annotations

import ast
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from checker import diagnosis
from checker.course import Course, Kata, nearest, parse
from checker.grade import Grading, grade
from checker.submission import Submission
from checker.suite.explain import ODD
from checker.suite.grader import UNWRITTEN, Result, describe
from checker.world.session import Session

RECORDED_SEEDS = 3
"""Gradings from which a mistake's fingerprint is taken."""


@dataclass
class Outcome:
    """What was found about one answer to one kata."""

    kata: str
    role: str
    """`reference`, `alternative`, `stub`, `idle` or `mistake`."""
    answer: str
    problems: list[str] = field(default_factory=list)
    fingerprint: diagnosis.Fingerprint | None = None
    planned: dict[str, str] = field(default_factory=dict)
    """The labels for which worlds have a script, each with a test that plans it."""
    asked: set[str] = field(default_factory=set)
    """Those of them under which it has made a call."""


@dataclass(frozen=True)
class Job:
    """One answer to be graded, as often as `seeds` is long."""

    root: Path
    kata: str
    role: str
    answer: str
    path: Path
    seeds: tuple[int, ...]
    sandbox: str
    recording: bool = False


def jobs(
    course: Course,
    katas: Sequence[Kata],
    *,
    repeat: int,
    sandbox: str,
    recording: bool,
    seed: int | None = None,
    folder: Path,
) -> list[Job]:
    """Everything that has to be graded; do-nothing answers are written into `folder` first."""
    draw = random.SystemRandom() if seed is None else random.Random(seed)

    def seeds(many: int) -> tuple[int, ...]:
        return tuple(draw.randrange(2**32) for _ in range(many))

    found = []
    for kata in katas:

        def add(role: str, path: Path, many: int = 1, kata: Kata = kata) -> None:
            found.append(Job(course.root, kata.name, role, path.stem, path, seeds(many), sandbox, recording))

        # Where processes race, a mistake looks different each time.
        many = RECORDED_SEEDS * (3 if kata.importable else 1)
        for path in kata.mistakes:
            add("mistake", path, many if recording else 1)
        if recording:
            continue
        add("reference", kata.solution, repeat)
        for path in kata.alternatives:
            add("alternative", path, repeat)
        add("stub", kata.stub)
        for path in write_idlers(kata, folder):
            add("idle", path)
    return found


def verify(
    plan: Sequence[Job], submit: Callable[[Callable[[Job], Outcome], Job], Future[Outcome]]
) -> Iterator[Outcome]:
    """Have everything graded by whoever takes work through `submit`; outcomes come in the order of the plan."""
    for future in [submit(examine, job) for job in plan]:
        yield future.result()


_sessions: dict[tuple[str, ...], Session] = {}


def examine(job: Job) -> Outcome:
    """Grade one answer and say what is wrong with the outcome."""
    course = Course(job.root)
    kata = course.find(job.kata)
    outcome = Outcome(kata.name, job.role, job.answer)
    # All answers here are the course's own, so they may share a sandbox.
    key = (job.sandbox, *kata.preload)
    session = _sessions.setdefault(key, Session(job.sandbox, kata.preload, budget=float("inf")))
    found = []
    for seed in job.seeds:
        grading = grade(course, Submission(job.path), [kata], seed=seed, session=session)
        outcome.problems += [f"{text} (seed {seed})" for text in _problems(job, kata, grading)]
        found.append(diagnosis.failures(grading.results))
        for result in grading.results:
            outcome.planned |= dict.fromkeys(result.planned, result.name)
            outcome.asked |= result.asked
    if job.recording and all(found):
        outcome.fingerprint = diagnosis.record(found)
    return outcome


def _problems(job: Job, kata: Kata, grading: Grading) -> Iterable[str]:
    results = grading.results
    for result in results:
        if result.verdict == "error" or result.message.startswith(ODD):
            yield f"{result.name}: {result.message}"
    failed = [result for result in results if result.verdict == "failed"]
    if job.role in ("reference", "alternative"):
        yield from (f"{result.name} fails: {_reason(kata, result)}" for result in failed)
    elif job.role == "mistake":
        yield from _mistake_problems(job, kata, grading)
    else:
        yield from (f"{result.name} passes" for result in results if result.verdict == "passed")
        if job.role == "stub":
            yield from (
                f"{result.name} fails for another reason: {_reason(kata, result)}"
                for result in failed
                if not result.message.startswith(UNWRITTEN)
            )


def _reason(kata: Kata, result: Result) -> str:
    """Why a test fails; what its scenario has raised itself is told as such, with the line.

    Only here, where all answers are the course's own: who sees what a learner's answer does to a scenario cannot tell
    whose fault it is, and what the runner tells of it is not to be believed.
    """
    error = result.last.trace.error if result.last is not None else None
    while error is not None and error.scenario_line is None:
        error = error.errors[0] if error.errors else None
    if error is None or describe(error) not in result.message:
        return result.message
    return f"its scenario itself raised {describe(error)} (line {error.scenario_line} of {kata.suite})"


def _mistake_problems(job: Job, kata: Kata, grading: Grading) -> Iterable[str]:
    mistake = diagnosis.read_mistake(job.path)
    failed = [result for result in grading.results if result.verdict == "failed"]
    if not failed:
        yield "is not caught"
        return
    caught = {result.aspect for result in failed}
    if not caught & set(mistake.violates):
        yield f"is caught in {', '.join(sorted(caught))}, not in {', '.join(mistake.violates)}"
    if job.recording:
        return
    if mistake.name not in diagnosis.load(kata.fingerprints):
        yield f"has no fingerprint, so that nobody is told of it; `kata verify {kata.name} --record` writes one"
    else:
        named = diagnosis.diagnose(kata, grading.results, job.path.read_bytes())
        if named is None or named.name != mistake.name:
            yield f"is diagnosed as {named.name if named else 'nothing known'}"


def of_the_whole(kata: Kata, outcomes: Iterable[Outcome]) -> Iterable[str]:
    """What is wrong with a kata, and with none of its answers, going by all that has been found about them."""
    own = [outcome for outcome in outcomes if outcome.kata == kata.name]
    asked = {label for outcome in own for label in outcome.asked}
    planned = {label: test for outcome in own for label, test in outcome.planned.items()}
    # Of all answers, wrong ones too: a test may plan a call just because no right one makes it.
    for label in sorted(planned.keys() - asked):
        near = nearest(label, sorted(asked))
        guess = f"; did you mean `{near[0]}`?" if near else ""
        yield f"{planned[label]} plans calls of `{label}`, and no answer makes one in any test{guess}"
    mistakes = {path.stem for path in kata.mistakes}
    for name in sorted(diagnosis.load(kata.fingerprints).keys() - mistakes):
        yield f"there is a fingerprint of {name}, and no such mistake; `kata verify {kata.name} --record` tidies up"


# --- answers that do nothing ---------------------------------------------------------------------------


def write_idlers(kata: Kata, folder: Path) -> list[Path]:
    """Write answers that do nothing: functions that return None, or an argument, or first sleep; empty methods."""
    idlers = {
        "returns_none": _Idle(None),
        "returns_first_argument": _Idle(0),
        "returns_second_argument": _Idle(1),
        "sleeps": _Idle(None, ast.parse("await __import__('asyncio').sleep(1)").body),
    }
    paths = []
    for name, idle in idlers.items():
        tree = idle.visit(parse(kata.stub))
        path = folder / kata.name / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")
        paths.append(path)
    return paths


class _Idle(ast.NodeTransformer):
    """Empties every function; what it returns is None or its argument at `place`, after `first` if it may wait."""

    def __init__(self, place: int | None, first: list[ast.stmt] | None = None) -> None:
        self._place = place
        self._first = first or []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._emptied(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._emptied(node)

    def _emptied(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        yields = any(isinstance(inner, ast.Yield) for inner in ast.walk(node))
        names = [arg.arg for arg in node.args.args if arg.arg != "self"]
        value: ast.expr | None = None
        if self._place is not None and self._place < len(names) and node.name != "__init__" and not yields:
            value = ast.Name(names[self._place], ast.Load())
        first = self._first if isinstance(node, ast.AsyncFunctionDef) else []
        node.body = [*first, ast.Return(value)]
        if yields:
            node.body.append(ast.Expr(ast.Yield()))
        return node


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for answers that do nothing."""
    return tempfile.TemporaryDirectory(prefix="kata-verify-")
