"""What is known about each learner of a batch: data only, for the gradebook and the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec


class Test(msgspec.Struct, frozen=True):
    """What came of one test; the fields are those of `kata check --json`."""

    __test__ = False  # not one of pytest's

    name: str
    title: str
    aspect: str
    """The property: `timing`, `ordering`, `cancellation` or `result`."""
    verdict: str
    """`passed`, `failed`, or `error`: the grader is at fault."""
    points: float
    max_points: float
    message: str
    ended: str


class Grading(msgspec.Struct, frozen=True):
    """One learner's work in one kata, with all that is needed to play it again."""

    kata: str
    key: str
    """Hash of everything that the outcome depends on; the same key need not be graded again."""
    verdict: str
    """`passed`, `failed`, or `error`: the grader is at fault."""
    score: float
    max_score: float
    tests: Sequence[Test]
    sha256: str
    """Of the submission's file; empty if there was none that could be read."""
    seed: int
    python: str
    version: str
    """Of this package."""
    sandbox: str
    seconds: float
    """Real seconds that grading took."""
    finished: str
    """When, in UTC, ISO 8601."""
    problem: str = ""
    """Why there is nothing to grade, or what went wrong in the grader; one sentence."""
    mistake: str = ""
    diagnosis: str = ""


class Learner(msgspec.Struct, frozen=True):
    """Whose row it is."""

    key: str
    """What tells the learner from all others of the batch."""
    name: str
    email: str = ""
    user_id: str = ""
    """As the learning platform numbers its users."""
    submission_id: str = ""
    late: bool = False
    place: str = ""
    """Where the work was found; empty for somebody on the roster who handed in nothing."""
    notes: tuple[str, ...] = ()
    """What was seen on the way in, such as files that were left out; one sentence each."""
    sis_id: str = ""
    """As the school numbers its people: Canvas's `SIS User ID`."""
    login: str = ""
    """What they sign in with on the platform: Canvas's `SIS Login ID`."""
    section: str = ""
    """The group that they are in."""


class Row(msgspec.Struct, frozen=True):
    """One line of every table."""

    learner: Learner
    status: str
    """`graded`, `missing` (handed in nothing), or no grade yet: `fault` of the grader, `unfinished` batch."""
    gradings: Sequence[Grading]
    percent: float
    """Weighted over the katas, from 0 to 100."""
    points: float
    """The same in points of the assignment, late penalty taken off; these decide about `passed`."""
    passed: bool
    penalty: str = ""
    """What being late took off, in one sentence; empty if nothing."""

    @property
    def reasons(self) -> list[str]:
        """Why points were lost, and what was seen on the way in: one sentence each, duplicates left out."""
        # The penalty is first: formats that have no room for everything cut from the end.
        told = [*([self.penalty] if self.penalty else []), *self.learner.notes]
        for grading in self.gradings:
            if grading.problem:
                told.append(f"{grading.kata}: {grading.problem}")
                continue
            lost: dict[str, list[str]] = {}
            for test in grading.tests:
                if test.verdict != "passed":
                    lost.setdefault(test.message, []).append(test.title)
            for message, titles in lost.items():
                said = f"{titles[0]} {message}" if len(titles) == 1 else f"{message} ({len(titles)} tests)"
                told.append(f"{grading.kata}: {said}")
        return list(dict.fromkeys(told))


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a course file says; the defaults hold where there is none."""

    name: str = "asyncio katas"
    points: float = 100.0
    """What full marks are worth."""
    pass_mark: float = 60.0
    """Percent."""
    late_penalty: float = 0.0
    """Percent of the score that a late submission loses."""
    weights: dict[str, float] = {}
    """How much each kata counts; these katas are graded where none are named."""
    canvas_id: int | None = None
    """Canvas's number of the assignment, for its gradebook's column."""


def weigh(
    learner: Learner, gradings: Sequence[Grading], assignment: Assignment, *, missing: bool, unfinished: bool = False
) -> Row:
    """A learner's row from the gradings of the katas that count.

    Where all of them weigh 0 they count the same: a right answer is never worth nothing.
    """
    percent = _percent(gradings, assignment)
    # From the rounded numbers, which are shown: nobody fails with the very points that are asked for.
    kept = round(percent * (100 - assignment.late_penalty) / 100, 4) if learner.late else percent
    points = _points(kept, assignment)
    fault = any(each.verdict == "error" for each in gradings)
    complete = bool(gradings) and not fault and not unfinished
    return Row(
        learner=learner,
        status="fault" if fault else "unfinished" if unfinished else "missing" if missing else "graded",
        gradings=gradings,
        percent=percent,
        points=points,
        passed=complete and points >= _points(assignment.pass_mark, assignment),
        penalty=_penalty(percent, points, assignment) if complete and kept < percent else "",
    )


def _percent(gradings: Sequence[Grading], assignment: Assignment) -> float:
    weights = [assignment.weights.get(each.kata, 1.0) for each in gradings]
    if not any(weights):
        weights = [1.0] * len(gradings)
    total = sum(weights)
    shares = [each.score / each.max_score if each.max_score else 0.0 for each in gradings]
    return round(100 * sum(weight / total * share for weight, share in zip(weights, shares, strict=True)), 4)


def _points(percent: float, assignment: Assignment) -> float:
    return round(percent / 100 * assignment.points, 4)


def _penalty(percent: float, points: float, assignment: Assignment) -> str:
    before = _points(percent, assignment)
    taken = f"{assignment.late_penalty:.10g} % of the score are taken off"
    return f"Handed in late: {taken}, {before:.10g} points become {points:.10g}."


class Batch(msgspec.Struct, frozen=True):
    """All that a report needs."""

    assignment: Assignment
    katas: Sequence[str]
    rows: Callable[[], Iterator[Row]]
    """The rows, read anew at each call, in the order of the submissions; never all in memory."""
    layout: str
    seed: int
    python: str
    version: str
    sandbox: str
    started: float
    """Seconds since the epoch, as are the next."""
    finished: float
