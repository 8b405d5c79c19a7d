"""The driver: reads what was handed in, has graded what is new, and keeps every result at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from checker import __version__, messages, rows
from checker.batch import work
from checker.batch.gradebook import Gradebook
from checker.batch.pool import Pool
from checker.course import Course
from checker.grade import python_version
from checker.intake import Handed
from checker.submission import Source

TRIES = 3
"""How often a piece of work is begun whose worker dies, before the grader is said to be at fault."""


@dataclass(frozen=True)
class Plan:
    """What is to be graded, and how."""

    course: Course
    katas: Sequence[str]
    submissions: Sequence[Handed]
    seed: int
    sandbox: str
    limits: messages.Limits
    budget: float

    def work(self, book: Gradebook) -> Iterator[work.Work]:
        """Each learner's work whose outcome the book does not know; files are read only now."""
        course = work.course_digests(self.course, self.katas)
        own = _own_files(self.course)
        for handed in self.submissions:
            sources: dict[str, Source] = {}
            keys: dict[str, str] = {}
            for kata in self.katas:
                source = handed.source(kata, own)
                key = work.key(source, course[kata], self.seed, self.sandbox, self.limits, self.budget)
                if not book.knows(handed.learner.key, kata, key):
                    sources[kata], keys[kata] = source, key
            handed.close()
            yield work.Work(
                handed.learner.key, sources, keys, course, self.seed, self.sandbox, self.limits, self.budget
            )


def _own_files(course: Course) -> set[tuple[int, int]]:
    """Device and number of every file of the course: a submission may be no link to one of them."""
    found = set()
    for folder in ("katas", "solutions", "tests"):
        for path in (course.root / folder).rglob("*.py"):
            status = path.stat()
            found.add((status.st_dev, status.st_ino))
    return found


def choose_seed(book: Gradebook, seed: int | None) -> int:
    """The batch's seed: the one asked for, else that of the gradebook, else a new one.

    Never a fixed one: whoever knows the seed knows the results that the world will hand out.
    """
    # Too many for one who has seen a result to try them all; as many as every reader of JSON takes exactly.
    drawn = str(random.SystemRandom().randrange(2**53))
    if seed is not None:
        book.change("seed", str(seed))
    return int(book.fact("seed", drawn))


def run(plan: Plan, book: Gradebook, pool: Pool, tell: Callable[[str, Sequence[rows.Grading]], None]) -> None:
    """Have everything graded that is new; `tell` hears of each learner whose work is done.

    Raises:
        BookFault: a result cannot be written.
        NoCluster: the cluster has gone away.
    """
    if book.has_gradings:
        for _ in plan.work(book):
            pass  # the book now knows which of its gradings hold still, should this batch be stopped
    flying: dict[Future[Any], tuple[work.Work, int]] = {}
    # Enough to keep everybody busy, and no more: what waits is held in memory.
    most = 2 * pool.size + 2
    for each in plan.work(book):
        if not each.sources:
            tell(each.learner, ())
            continue
        while len(flying) >= most:
            _land(flying, book, pool, tell)
        flying[pool.submit(work.grade_work, each)] = (each, 1)
    while flying:
        _land(flying, book, pool, tell)


def _land(
    flying: dict[Future[Any], tuple[work.Work, int]],
    book: Gradebook,
    pool: Pool,
    tell: Callable[[str, Sequence[rows.Grading]], None],
) -> None:
    """Wait until some work is done, and write it down; work whose worker has died is begun again."""
    done, _ = wait(flying, return_when=FIRST_COMPLETED)
    for future in done:
        each, tries = flying.pop(future)
        try:
            gradings = future.result()
        except Exception as error:
            if pool.lost(error) and tries < TRIES:
                flying[pool.submit(work.grade_work, each)] = (each, tries + 1)
                continue
            gradings = work.faulty(each, _reason(error, tries, lost=pool.lost(error)))
        book.write(each.learner, gradings)
        tell(each.learner, gradings)


def _reason(error: BaseException, tries: int, *, lost: bool) -> str:
    if lost:
        return f"its worker died {tries} times over this submission."
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}."


def report_rows(book: Gradebook, katas: Sequence[str], assignment: rows.Assignment) -> Callable[[], Iterator[rows.Row]]:
    """The rows as they stand in the book, read anew at each call."""

    def read() -> Iterator[rows.Row]:
        for learner in book.learners():
            gradings = book.gradings(learner.key, katas)
            unfinished = len(gradings) < len(katas)
            yield rows.weigh(learner, gradings, assignment, missing=not learner.place, unfinished=unfinished)

    return read


def batch(plan: Plan, book: Gradebook, assignment: rows.Assignment, layout: str, started: float) -> rows.Batch:
    """Everything that a report needs."""
    return rows.Batch(
        assignment=assignment,
        katas=plan.katas,
        rows=report_rows(book, plan.katas, assignment),
        layout=layout,
        seed=plan.seed,
        python=python_version(),
        version=__version__,
        sandbox=plan.sandbox,
        started=started,
        finished=time.time(),
    )


@dataclass
class Counts:
    """How a batch went, in numbers."""

    learners: int = 0
    passed: int = 0
    failed: int = 0
    missing: int = 0
    faults: int = 0
    unfinished: int = 0
    unwritten: int = 0
    """Tables that could not be written."""
    perfect: bool = True

    def add(self, row: rows.Row) -> None:
        """Count one row."""
        self.learners += 1
        self.faults += row.status == "fault"
        self.missing += row.status == "missing"
        self.unfinished += row.status == "unfinished"
        self.passed += row.status == "graded" and row.passed
        self.failed += row.status == "graded" and not row.passed
        self.perfect &= row.passed and all(each.verdict == "passed" for each in row.gradings)
