"""The driver grades what is new, begins again what a dying worker dropped, and says when the grader failed."""

from concurrent.futures import Future
from contextlib import closing

import pytest

from checker.batch.driver import Plan, choose_seed, report_rows, run
from checker.batch.gradebook import Gradebook
from checker.batch.work import now
from checker.course import installed_course
from checker.intake import Handed, take_in
from checker.messages import Limits
from checker.rows import Assignment, Grading, Learner
from checker.submission import Source
from tests.checker.intake.batches import archives_in_memory, fill, packed

COURSE = installed_course()
KATA = "07_semaphore"


class Lost(Exception):
    """A worker has died."""


class Text(Handed):
    """A learner's work that is text."""

    def __init__(self, name, text):
        super().__init__(Learner(name, name, place=name))
        self.text = text

    def source(self, kata, forbidden=()):
        return Source(COURSE.root, self.text.encode())


class FakePool:
    """Grades by a function, at once; `deaths` says how often the worker of a learner dies."""

    size = 2

    def __init__(self, deaths=None, errors=None):
        self.graded = []
        self.flying = 0
        self.deaths = dict(deaths or {})
        self.errors = errors or {}

    def submit(self, task, work):
        future = Future()
        self.graded.append(work.learner)
        if self.deaths.get(work.learner, 0):
            self.deaths[work.learner] -= 1
            future.set_exception(Lost())
        elif work.learner in self.errors:
            future.set_exception(self.errors[work.learner])
        else:
            future.set_result([passed(kata, work.keys[kata], work.seed) for kata in work.sources])
        return future

    def lost(self, error):
        return isinstance(error, Lost)

    def close(self):
        pass


def passed(kata, key, seed):
    return Grading(kata, key, "passed", 1.0, 1.0, [], "s", seed, "3", "1", "none", 0.1, now())


@pytest.fixture
def book(tmp_path):
    found = Gradebook(tmp_path)
    yield found
    found.close()


def play(book, pool, *handed, seed=1, limits=None):
    """Grade, and return each learner's status and how often somebody was told of."""
    book.enrol(each.learner for each in handed)
    told = []
    plan = Plan(COURSE, [KATA], handed, seed, "none", limits or Limits(), 10.0)
    run(plan, book, pool, lambda learner, gradings: told.append(learner))
    assert sorted(told) == sorted(each.learner.key for each in handed)
    return {row.learner.key: row.status for row in report_rows(book, [KATA], Assignment())()}


def test_only_what_is_new_or_changed_is_graded(book):
    """The same command again grades nothing; a changed file, seed or limit is graded anew."""
    ada, bob = Text("ada", "x = 1"), Text("bob", "x = 2")
    first = FakePool()
    play(book, first, ada, bob)
    assert sorted(first.graded) == ["ada", "bob"]
    for handed, more, graded in (
        ((ada, bob), {}, []),
        ((ada, Text("bob", "x = 3")), {}, ["bob"]),
        ((ada, Text("bob", "x = 3"), Text("cyd", "x = 1")), {}, ["cyd"]),
        ((ada,), {"seed": 2}, ["ada"]),
        ((ada,), {"seed": 2, "limits": Limits(wall=3.0)}, ["ada"]),
    ):
        pool = FakePool()
        play(book, pool, *handed, **more)
        assert pool.graded == graded


def test_a_learners_archive_is_given_up_when_it_has_been_read(tmp_path, book):
    """However many learners there are, the archive of one is held, and only while it is read."""
    for name in ("ada", "bob"):
        packed(tmp_path / "in" / f"{name}.zip", f"{KATA}.py")
    before = archives_in_memory()
    handed = take_in(tmp_path / "in", [KATA]).submissions
    assert play(book, FakePool(), *handed) == {"ada": "graded", "bob": "graded"}
    assert archives_in_memory() == before


def test_what_was_graded_before_is_no_grade_of_what_is_handed_in_now(tmp_path):
    """A batch that is stopped has grades for what it has graded or found to be the same, for nothing else."""

    class Stopped(FakePool):
        def submit(self, task, work):
            if work.learner == "cyd":
                raise KeyboardInterrupt
            return super().submit(task, work)

    handed = [Text(name, "x = 1") for name in ("ada", "bob", "cyd", "dan")]
    with closing(Gradebook(tmp_path)) as book:
        assert set(play(book, FakePool(), *handed).values()) == {"graded"}
    with closing(Gradebook(tmp_path)) as book:
        now_handed = [handed[0], *(Text(each.learner.key, "x = 2") for each in handed[1:3]), handed[3]]
        with pytest.raises(KeyboardInterrupt):
            play(book, Stopped(), *now_handed)
        rows = {row.learner.key: row for row in report_rows(book, [KATA], Assignment())()}
        assert {key: row.status for key, row in rows.items()} == {
            "ada": "graded", "bob": "unfinished", "cyd": "unfinished", "dan": "graded",
        }  # fmt: skip
        assert [rows["cyd"].points, rows["cyd"].passed, rows["cyd"].gradings] == [0.0, False, []]
    with closing(Gradebook(tmp_path)) as book:
        again = FakePool()
        assert set(play(book, again, *now_handed).values()) == {"graded"}
        assert again.graded == ["bob", "cyd"]


def test_work_whose_worker_dies_is_begun_again(book):
    """A worker that dies costs nothing but time."""
    pool = FakePool(deaths={"ada": 2})
    assert play(book, pool, Text("ada", "x"), Text("bob", "y")) == {"ada": "graded", "bob": "graded"}
    assert pool.graded.count("ada") == 3


def test_work_that_kills_every_worker_is_a_fault_and_graded_again_the_next_time(book):
    """After three deaths the row says that the grader failed; the same command tries again."""
    said = play(book, FakePool(deaths={"ada": 3}), Text("ada", "x"), Text("bob", "y"))
    assert said == {"ada": "fault", "bob": "graded"}
    [grading] = book.gradings("ada", [KATA])
    assert grading.problem == (
        "The grader itself failed: its worker died 3 times over this submission."
        " Give the same command again to grade this one anew."
    )
    again = FakePool()
    assert play(book, again, Text("ada", "x"), Text("bob", "y")) == {"ada": "graded", "bob": "graded"}
    assert again.graded == ["ada"]


def test_an_error_of_the_grader_is_a_row_of_its_own(book):
    """An error in a worker is told in the row of whom it met, and stops nobody else."""
    said = play(book, FakePool(errors={"ada": KeyError("oops\nmore")}), Text("ada", "x"), Text("bob", "y"))
    assert said == {"ada": "fault", "bob": "graded"}
    assert "KeyError: 'oops\\nmore'." in book.gradings("ada", [KATA])[0].problem


def test_a_file_that_is_gone_is_a_fault_and_graded_the_next_time(tmp_path, book):
    """No sandbox is asked for it; when the file is back, the same command grades it, and nobody else."""

    class Real(FakePool):
        def submit(self, task, work):
            if not any(source.fault for source in work.sources.values()):
                return super().submit(task, work)
            future = Future()
            future.set_result(task(work))
            return future

    fill(tmp_path / "in", f"ada/{KATA}.py", f"bob/{KATA}.py")
    handed = take_in(tmp_path / "in", [KATA]).submissions
    (tmp_path / "in" / "bob").rename(tmp_path / "away")
    assert play(book, Real(), *handed) == {"ada": "graded", "bob": "fault"}
    [grading] = book.gradings("bob", [KATA])
    assert grading.problem == (
        f"The grader itself failed: bob/{KATA}.py cannot be read: No such file or directory."
        " Give the same command again to grade this one anew."
    )
    (tmp_path / "away").rename(tmp_path / "in" / "bob")
    again = Real()
    assert play(book, again, *handed) == {"ada": "graded", "bob": "graded"}
    assert again.graded == ["bob"]


def test_little_is_in_memory_at_a_time(book):
    """Files are read only when there is room for more work."""
    waiting = []

    class Slow(FakePool):
        def submit(self, task, work):
            future = Future()
            waiting.append((future, super().submit(task, work)))
            if len(waiting) == 2 * self.size + 2:
                for each, done in waiting:
                    each.set_result(done.result())
                waiting.clear()
            return future

    read, told = [], []

    class Counted(Text):
        def source(self, kata, forbidden=()):
            read.append(self.learner.key)
            assert len(read) - len(told) <= 2 * Slow.size + 3
            return super().source(kata)

    handed = [Counted(f"l{number:02}", "x") for number in range(24)]
    plan = Plan(COURSE, [KATA], handed, 1, "none", Limits(), 10.0)
    run(plan, book, Slow(), lambda learner, gradings: told.append(learner))
    assert (len(read), len(told)) == (24, 24)


def test_the_seed_is_drawn_once_and_can_be_asked_for(book):
    """No seed: one that nobody can foresee, kept for the folder; a seed asked for takes its place."""
    first = choose_seed(book, None)
    assert choose_seed(book, None) == first
    assert choose_seed(book, 5) == 5
    assert choose_seed(book, None) == 5
