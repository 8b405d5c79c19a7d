"""Reports of a grading: for a terminal, and as JSON."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checker import diagnosis
from checker.grade import Grading, python_version
from checker.messages import Limits
from checker.suite import PROPERTIES
from checker.values import inert, printable
from checker.world.session import DEFAULT_BUDGET, Session

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from checker.course import Kata
    from checker.suite.grader import Played, Result
    from checker.trace import Trace

MAX_DETAILS = 3
"""Failures of a kata that are told in full; the others get their line."""
MAX_PRINTED_LINES = 10
PRINTED = "    | "
"""Stands before what a submission has printed, so that nobody takes it for words of the report's own."""


@dataclass(frozen=True)
class Outcome:
    """What came of one kata: plain data, so that it may come from another process."""

    kata: str
    verdict: str
    """`passed`, `failed`, or `error`: the grader is at fault."""
    passed: int
    tests: int
    score: float
    max_score: float
    sandbox: str
    told: Any
    """What a report says of it: text, or an object for JSON."""


def outcome(grading: Grading, kata: Kata, told: Any) -> Outcome:
    """The outcome of one kata of a grading, with what a report says of it."""
    results = grading.of(kata)
    return Outcome(
        kata=kata.name,
        verdict=verdict(results),
        passed=[result.verdict for result in results].count("passed"),
        tests=len(results),
        score=sum(result.points for result in results),
        max_score=sum(result.max_points for result in results),
        sandbox=grading.sandbox,
        told=told,
    )


def verdict(results: list[Result]) -> str:
    """A kata's verdict: `error` if the grader failed anywhere, else `failed` if a test did."""
    verdicts = {result.verdict for result in results}
    return next((word for word in ("error", "failed") if word in verdicts), "passed")


def total(outcomes: Sequence[Outcome]) -> str:
    """The last line of a report, in one sentence."""
    if len(outcomes) == 1:
        what, passed, many = "tests", outcomes[0].passed, outcomes[0].tests
    else:
        what, passed, many = "katas", [each.verdict for each in outcomes].count("passed"), len(outcomes)
    score, most = sum(each.score for each in outcomes), sum(each.max_score for each in outcomes)
    return f"{passed} of {many} {what} passed, {score:g} of {most:g} points"


# --- JSON ------------------------------------------------------------------------------------------------


def as_json(outcomes: Sequence[Outcome], seed: int) -> dict[str, Any]:
    """Outcomes that tell of themselves by `kata_json`, as one object, in the form that DESIGN calls schema 1."""
    return {
        "schema": 1,
        "seed": seed,
        "python": python_version(),
        "sandbox": outcomes[0].sandbox,
        "katas": [each.told for each in outcomes],
    }


def kata_json(grading: Grading, kata: Kata) -> dict[str, Any]:
    """One kata of a grading as an object."""
    results = grading.of(kata)
    mistake = diagnosis.diagnose(kata, results, grading.grader.source(kata.name).data)
    return {
        "kata": kata.name,
        "verdict": verdict(results),
        "score": sum(result.points for result in results),
        "max_score": sum(result.max_points for result in results),
        "tests": [_test_json(result) for result in results],
        "diagnosis": None if mistake is None else {"mistake": mistake.name, "text": mistake.diagnosis},
    }


def _test_json(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "property": result.aspect,
        "verdict": result.verdict,
        "points": result.points,
        "max_points": result.max_points,
        "message": result.message,
        "ended": result.ended,
    }


# --- the terminal ------------------------------------------------------------------------------------------


class Terminal:
    """Writes what came of katas to a terminal, or plainly to whatever is not one.

    Args:
        console: where to write; decides on width and colours.
        reference: a sandbox in which the reference solution is played for its timelines.
        path: what `--path` named, to be repeated in the command that replays a run.
        unicode: whether signs beyond ASCII can be shown.
        sandbox, limits, budget: what the submission was held to, to be repeated as well.
    """

    def __init__(
        self,
        console: Console,
        reference: Session,
        path: Path | None = None,
        *,
        unicode: bool = True,
        sandbox: str = "auto",
        limits: Limits | None = None,
        budget: float = DEFAULT_BUDGET,
    ) -> None:
        self._console = console
        self._reference = reference
        self._options = _options(path, sandbox, limits or Limits(), budget)
        self._unicode = unicode

    # --- one kata ----------------------------------------------------------------------------------------

    def kata(self, grading: Grading, kata: Kata) -> None:
        """Write one kata of a grading."""
        results = grading.of(kata)
        score, most = sum(result.points for result in results), sum(result.max_points for result in results)
        style = "bold green" if verdict(results) == "passed" else "bold red"
        self._line(f"{kata.name}  {kata.title}", "bold", right=f"{score:g} of {most:g} points", right_style=style)
        source = grading.grader.source(kata.name)
        decided = grading.grader.decided(kata.name)
        if decided is not None:
            self._line(f"  {self._mark('failed')} {printable(decided.problem)}", "red", indent=4)
            self._frames(source.lines, decided)
            self._printed(decided)
            self._line("")
            return
        for name in PROPERTIES:
            chosen = [result for result in results if result.aspect == name]
            if chosen:
                self._line(f"  {name}", "dim")
            for result in chosen:
                self._test(result)
        self._line("")
        self._details(grading, kata, [result for result in results if result.verdict != "passed"])

    def _test(self, result: Result) -> None:
        style = {"passed": "green", "failed": "red", "error": "magenta"}[result.verdict]
        worth = f"0 of {result.max_points:g}" if result.verdict != "passed" else ""
        self._line(f"    {self._mark(result.verdict)} {result.title}", style, right=worth, right_style="dim", indent=6)

    def _mark(self, word: str) -> str:
        marks = (
            {"passed": "✔", "failed": "✘", "error": "!"}
            if self._unicode
            else {"passed": "+", "failed": "x", "error": "!"}
        )
        return marks[word]

    # --- failures ----------------------------------------------------------------------------------------

    def _details(self, grading: Grading, kata: Kata, failed: list[Result]) -> None:
        if not failed:
            return
        told = _distinct(failed)
        for result in told[:MAX_DETAILS]:
            self._failure(grading, kata, result)
        if len(told) > MAX_DETAILS:
            self._line(_and_more(len(failed) - MAX_DETAILS), "dim")
            self._line("")
        mistake = diagnosis.diagnose(kata, grading.of(kata), grading.grader.source(kata.name).data)
        if mistake is not None:
            self._line(f"This may be a known mistake ({mistake.name.replace('_', ' ')}):", "bold yellow")
            self._line(f"  {mistake.diagnosis}", indent=2)
            self._line(f"  {mistake.hint}", "cyan", indent=2)
            self._line("")
        # Not wrapped, since a command is there to be copied.
        self._row(f"The same numbers again: kata check {kata.name}{self._options} --seed {grading.seed}", "dim")
        if any(result.verdict == "failed" for result in failed):
            self._line(f"Stuck? kata hint {kata.name}", "dim")
        self._line("")

    def _failure(self, grading: Grading, kata: Kata, result: Result) -> None:
        self._line(f"{self._mark(result.verdict)} {result.title}", "bold red", indent=2)
        self._line(f"  {result.message}", indent=2)
        played = result.last
        if played is None:
            self._line("")
            return
        self._frames(grading.grader.source(kata.name).lines, played.trace)
        self._printed(played.trace)
        if result.aspect != "result" and played.trace.spans and played.trace.ended != "refused":
            self._timelines(grading, kata, played)
        self._line("")

    def _frames(self, lines: list[str], trace: Trace) -> None:
        """The submission's own lines that a run's end has to do with, as the grader read them."""
        for line, function in _places(trace).items():
            if not 1 <= line <= len(lines):
                continue
            lead = f"    line {line}{f' in {printable(function)}' if function else ''}: "
            if trace.problem_column and line == trace.problem_line:
                self._pointed(lead, lines[line - 1], trace.problem_column)
            else:
                self._line(lead + printable(lines[line - 1].strip()), "yellow", indent=8)

    def _pointed(self, lead: str, source: str, column: int) -> None:
        """A line of code in one row, and a caret under the column; of a long line what stands around it."""
        from rich.cells import cell_len

        indented = len(source) - len(source.lstrip())
        place = max(indented, column - 1)
        lead = inert(lead)
        before, after = printable(source[indented:place]), printable(source[place:].rstrip())
        before = inert(lead + before)[len(lead) :]  # here, so that the caret stands right
        room = max(20, min(self._console.width, 100) - cell_len(lead))
        cut = "…" if self._unicode else "..."
        if cell_len(before + after) > room and cell_len(before) > room // 2:
            while cell_len(cut + before) > room // 2:
                before = before[1:]
            before = cut + before
        if cell_len(before + after) > room:
            while cell_len(before + after + cut) > room and after:
                after = after[:-1]
            after += cut
        self._row(lead + before + after, "yellow")
        self._row(" " * cell_len(lead + before) + "^", "yellow")

    def _printed(self, trace: Trace) -> None:
        lines = trace.printed.splitlines()
        if lines:
            self._line("  Your code printed:", "dim")
        width = min(self._console.width, 100) - len(PRINTED)
        for line in lines[:MAX_PRINTED_LINES]:
            for part in _wrap(printable(line)[:500], max(20, width), 0):
                self._row(f"{PRINTED}{part}", "")
        if len(lines) > MAX_PRINTED_LINES:
            more = len(lines) - MAX_PRINTED_LINES
            self._line(f"    … {more} more line{'s' * (more > 1)}", "dim")

    def _timelines(self, grading: Grading, kata: Kata, played: Played) -> None:
        from checker import timeline

        reference = grading.grader.replay(played, kata, self._reference)
        width = min(self._console.width, 100)
        color = self._console.color_system is not None
        for line in timeline.draw_pair(played.trace, reference, width=width, color=color, unicode=self._unicode):
            self._console.out(line, highlight=False)

    # --- lines -------------------------------------------------------------------------------------------

    def _line(self, text: str, style: str = "", *, right: str = "", right_style: str = "", indent: int = 0) -> None:
        """One paragraph, wrapped to the width with a hanging indent, maybe with a word at the right edge."""
        width = max(20, min(self._console.width, 100) - (len(right) + 2 if right else 0))
        for number, line in enumerate(_wrap(text, width, indent)):
            if right and not number:
                self._row(line + " " * max(2, width - len(line) + 2), style, right, right_style)
            else:
                self._row(line, style)

    def _row(self, text: str, style: str, right: str = "", right_style: str = "") -> None:
        """One line, however long it is."""
        from rich.text import Text

        row = Text(inert(printable(text)), style=style).append(right, style=right_style)
        self._console.print(row, highlight=False, no_wrap=True, overflow="ignore", crop=False)


def _wrap(text: str, width: int, indent: int) -> list[str]:
    import textwrap

    lead = text[: len(text) - len(text.lstrip())]
    if len(text) <= width:
        return [text]
    return textwrap.wrap(
        text.strip(),
        width,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _and_more(many: int) -> str:
    return f"… and {many} more {'test fails' if many == 1 else 'tests fail'}; mend these first."


def _options(path: Path | None, sandbox: str, limits: Limits, budget: float) -> str:
    """The options of `kata check` without which a run might end otherwise, as they are written there."""
    usual = Limits()
    options = [
        ("--path", "" if path is None else shlex.quote(str(path))),
        ("--sandbox", "" if sandbox == "auto" else sandbox),
        ("--run-seconds", "" if limits.wall == usual.wall else f"{limits.wall:g}"),
        ("--run-cpu", "" if limits.cpu == usual.cpu else f"{limits.cpu}"),
        ("--memory", "" if limits.memory == usual.memory else f"{limits.memory >> 20}"),
        ("--output", "" if limits.file_size == usual.file_size else f"{limits.file_size >> 20}"),
        ("--budget", "" if budget == DEFAULT_BUDGET else f"{budget:g}"),
    ]
    return "".join(f" {name} {value}" for name, value in options if value)


def _places(trace: Trace) -> dict[int, str]:
    """The lines that a run's end has to do with, each with the function that it stands in, where that is known."""
    frames = [(frame.line, frame.function) for frame in (trace.error.frames if trace.error else ())]
    waiting = [each.frames[-1] for each in (*trace.waiting, *trace.leaks)[:5] if each.frames]
    frames += [(frame.line, frame.function) for frame in waiting]
    frames += [(stretch.line, "") for stretch in trace.blocked[:1] if stretch.line]
    if trace.problem_line:
        frames.append((trace.problem_line, ""))
    places: dict[int, str] = {}
    for line, function in frames:
        places.setdefault(line, "" if function == "<module>" else function)
    return places


def _distinct(failed: list[Result]) -> list[Result]:
    """The failures, those that say the same only once; later those at places that another has told of."""
    told: dict[str, Result] = {}
    for result in failed:
        told.setdefault(result.message, result)
    seen: Counter[object] = Counter()
    ranked = []
    for result in told.values():
        place = tuple(_places(result.last.trace)) if result.last is not None else ()
        what = place or diagnosis.words(result.message)
        ranked.append((seen[what], result))
        seen[what] += 1
    return [result for _, result in sorted(ranked, key=lambda each: each[0])]
