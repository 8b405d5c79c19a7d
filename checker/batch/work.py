"""What one worker does with one learner's work: bytes in, rows out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from checker import __version__, diagnosis, messages
from checker.course import Course, Kata, installed_course
from checker.grade import grade, python_version
from checker.rows import Grading, Test
from checker.submission import Source
from checker.values import printable

if TYPE_CHECKING:
    from checker.suite.grader import Result


@dataclass(frozen=True)
class Work:
    """One learner's katas that have to be graded, by value: it may travel to another machine."""

    learner: str
    sources: dict[str, Source]
    keys: dict[str, str]
    course: dict[str, str]
    """Digest of each kata's files in the driver's course; a worker's must be the same."""
    seed: int
    sandbox: str
    limits: messages.Limits
    budget: float


@dataclass(frozen=True)
class Handed:
    """A submission that consists of bytes already read."""

    sources: dict[str, Source]

    def source(self, kata: str) -> Source:
        """See `checker.submission.Submission`."""
        return self.sources[kata]


def digest(kata: Kata) -> str:
    """A hash of the kata's files that decide about a grading."""
    found = hashlib.sha256()
    for path in (kata.solution, kata.brief, kata.suite, kata.fingerprints):
        found.update(path.read_bytes() if path.exists() else b"-")
        found.update(b"\0")
    return found.hexdigest()


def key(source: Source, course: str, seed: int, sandbox: str, limits: messages.Limits, budget: float) -> str:
    """A hash of everything that a grading depends on."""
    parts = [__version__, python_version(), course, seed, sandbox, limits, budget, source.problem]
    return hashlib.sha256(repr(parts).encode() + b"\0" + source.data).hexdigest()


class OtherCourse(RuntimeError):
    """A worker has other files of the course than the driver."""


def grade_work(work: Work) -> list[Grading]:
    """Grade one learner's katas in a sandbox of their own; what could not be got at is a fault of the grader's."""
    course = installed_course()
    faults = [_fault(work, name, source.fault) for name, source in work.sources.items() if source.fault]
    katas = [course.find(name) for name, source in work.sources.items() if not source.fault]
    if not katas:
        return faults
    for kata in katas:
        if digest(kata) != work.course[kata.name]:
            raise OtherCourse(f"This worker has another version of {kata.name}; install the driver's version there.")
    began = time.monotonic()
    grading = grade(
        course,
        Handed(work.sources),
        katas,
        seed=work.seed,
        sandbox=work.sandbox,
        limits=work.limits,
        budget=work.budget,
    )
    seconds = (time.monotonic() - began) / len(katas)
    return [*faults, *(_row(work, kata, grading.of(kata), grading.sandbox, seconds) for kata in katas)]


def _row(work: Work, kata: Kata, results: Sequence[Result], sandbox: str, seconds: float) -> Grading:
    source = work.sources[kata.name]
    mistake = diagnosis.diagnose(kata, list(results), source.data) if source.data else None
    verdicts = {result.verdict for result in results}
    return Grading(
        kata=kata.name,
        key=work.keys[kata.name],
        verdict="error" if "error" in verdicts or not results else "failed" if "failed" in verdicts else "passed",
        score=sum(result.points for result in results),
        max_score=sum(result.max_points for result in results),
        tests=[_test(result) for result in results],
        sha256=hashlib.sha256(source.data).hexdigest() if source.data else "",
        seed=work.seed,
        python=python_version(),
        version=__version__,
        sandbox=sandbox,
        seconds=round(seconds, 4),
        finished=now(),
        problem=source.problem,
        mistake=mistake.name if mistake else "",
        diagnosis=f"{mistake.diagnosis} {mistake.hint}" if mistake else "",
    )


def _test(result: Result) -> Test:
    return Test(
        result.name,
        result.title,
        result.aspect,
        result.verdict,
        result.points,
        result.max_points,
        printable(result.message),
        result.ended,
    )


def faulty(work: Work, reason: str) -> list[Grading]:
    """Rows that say that the grader failed; never a 0 in silence, and graded again the next time."""
    return [_fault(work, name, reason) for name in work.sources]


def _fault(work: Work, name: str, reason: str) -> Grading:
    data = work.sources[name].data
    return Grading(
        kata=name,
        key="",
        verdict="error",
        score=0.0,
        max_score=0.0,
        tests=[],
        sha256=hashlib.sha256(data).hexdigest() if data else "",
        seed=work.seed,
        python=python_version(),
        version=__version__,
        sandbox=work.sandbox,
        seconds=0.0,
        finished=now(),
        problem=f"The grader itself failed: {reason} Give the same command again to grade this one anew.",
    )


def now() -> str:
    """The time, in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def course_digests(course: Course, names: Sequence[str]) -> dict[str, str]:
    """The digest of each kata."""
    return {name: digest(course.find(name)) for name in names}
