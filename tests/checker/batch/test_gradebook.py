"""The gradebook keeps what it was told, and lets one grader in at a time."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from checker.batch.gradebook import BookFault, Gradebook, InUse
from checker.rows import Grading, Learner, Test

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
tests = st.builds(
    Test, texts, texts, st.sampled_from(["timing", "result"]), st.sampled_from(["passed", "failed"]),
    st.floats(0, 5), st.floats(0, 5), texts, texts,
)  # fmt: skip
gradings = st.builds(
    Grading, kata=st.sampled_from(["01_event_loop", "07_semaphore"]), key=texts, verdict=st.just("failed"),
    score=st.floats(0, 9), max_score=st.floats(0, 9), tests=st.lists(tests, max_size=3), sha256=texts,
    seed=st.integers(0, 2**32), python=texts, version=texts, sandbox=texts, seconds=st.floats(0, 9), finished=texts,
    problem=texts, mistake=texts, diagnosis=texts,
)  # fmt: skip


@pytest.fixture
def book(tmp_path):
    found = Gradebook(tmp_path / "out")
    yield found
    found.close()


@given(one=gradings, other=gradings)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_what_is_written_is_read(book, one, other):
    """A grading comes back as it was written; a later one of the same kata takes its place."""
    book.write("ada", [one])
    assert book.gradings("ada", [one.kata]) == [one]
    book.write("ada", [other])
    assert book.gradings("ada", [other.kata]) == [other]
    assert book.knows("ada", other.kata, other.key) == (other.verdict != "error")
    assert not book.knows("ada", other.kata, f"{other.key}x")


def test_learners_come_in_the_order_of_the_batch(book):
    """Who is no longer part of the batch is not listed, and not forgotten."""
    ada, bob = Learner("a", "Ada", notes=("A note.",)), Learner("b", "Bob", "b@x", "7", "9", late=True, place="b")
    bob = replace(bob, sis_id="S7", login="bob7", section="X")
    book.enrol([bob, ada])
    assert list(book.learners()) == [bob, ada]
    book.enrol([ada])
    assert list(book.learners()) == [ada]


def test_a_fact_stays_as_it_was_first_said(tmp_path, book):
    """The seed of a batch is drawn once."""
    assert book.fact("seed", "5") == "5"
    assert book.fact("seed", "6") == "5"
    book.change("seed", "7")
    book.close()
    again = Gradebook(tmp_path / "out")
    assert again.fact("seed", "8") == "7"
    again.close()
    fresh = Gradebook(tmp_path / "out", fresh=True)
    assert fresh.fact("seed", "8") == "8"
    fresh.close()
    book.__init__(tmp_path / "out")


def test_a_second_grader_is_refused(tmp_path, book):
    """Two graders in one folder: the second is told so at once, and gets in when the first has gone."""
    opened = f"Gradebook(Path({str(tmp_path / 'out')!r}))"
    code = f"from checker.batch.gradebook import Gradebook; from pathlib import Path; {opened}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"InUse: Somebody else is grading into {tmp_path / 'out'}." in done.stderr
    with pytest.raises(InUse):
        Gradebook(tmp_path / "out")
    book.close()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    book.__init__(tmp_path / "out")


def test_a_file_that_is_no_gradebook_is_told(tmp_path):
    """A damaged gradebook is not overwritten without being told to."""
    (tmp_path / "gradebook.sqlite").write_text("this is no database, whatever its name says" * 50)
    with pytest.raises(BookFault, match=r"cannot be used: file is not a database\. Start over with --fresh"):
        Gradebook(tmp_path)
    Gradebook(tmp_path, fresh=True).close()


def test_a_gradebook_of_another_version_is_told(tmp_path):
    """A gradebook whose format is another is refused."""
    Gradebook(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "gradebook.sqlite", isolation_level=None)) as base:
        base.execute("UPDATE facts SET value = '99' WHERE name = 'format'")
    with pytest.raises(BookFault, match="of another version"):
        Gradebook(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    """An output folder that is a file, or below one, ends in a sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BookFault, match=r"cannot be written: .*Name another one with --out"):
        Gradebook(tmp_path / "file" / "out")


def test_a_full_disk_loses_nothing_that_was_written(book):
    """A write that fails is taken back as a whole and told; earlier results stay."""
    kept = Grading("07_semaphore", "k", "passed", 1.0, 1.0, [], "", 1, "", "", "", 0.0, "")
    book.write("ada", [kept])
    pages = book._base.execute("PRAGMA page_count").fetchone()[0]
    book._base.execute(f"PRAGMA max_page_count = {pages}")
    huge = Test("t", "x" * 100_000, "timing", "failed", 0.0, 1.0, "m", "finished")
    with pytest.raises(BookFault, match=r"database or disk is full\. Nothing finished is lost"):
        book.write("bob", [Grading("07_semaphore", "k", "failed", 0.0, 1.0, [huge], "", 1, "", "", "", 0.0, "")])
    assert book.gradings("ada", ["07_semaphore"]) == [kept]
    assert book.gradings("bob", ["07_semaphore"]) == []
