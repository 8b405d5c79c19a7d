"""`kata reset` and `kata solution`, as learners use them."""

import shutil
import subprocess

import pytest

from checker.course import installed_course

COURSE = installed_course()
SEMAPHORE = COURSE.find("07")


# --- reset ---------------------------------------------------------------------------------------------------


def test_reset_puts_the_stub_back_and_keeps_what_was_written(kata, tmp_path):
    """Nothing that a learner has written is ever lost, however often they begin anew."""
    kata("start", "7")
    mine = tmp_path / "katas" / "07_semaphore.py"
    for number in (1, 2):
        mine.write_text(f"# try {number}\n")
        done = kata("reset", "7")
        assert done.returncode == 0, done.stderr
        assert f"katas/07_semaphore.py.{number}.bak" in done.stdout
        assert mine.read_bytes() == SEMAPHORE.stub.read_bytes()
    assert [path.read_text() for path in sorted(mine.parent.glob("*.bak"))] == ["# try 1\n", "# try 2\n"]


def test_reset_leaves_a_stub_alone(kata, tmp_path):
    """What is the stub already needs no copy."""
    kata("start", "7")
    assert "is the stub already" in kata("reset", "7").stdout
    assert [path.name for path in (tmp_path / "katas").iterdir()] == ["07_semaphore.py"]


def test_reset_without_a_file_says_how_to_get_one(kata):
    """There is nothing to put back before `kata start`."""
    done = kata("reset", "7")
    assert done.returncode == 2
    assert "kata start 07_semaphore" in done.stderr


def test_reset_that_cannot_write_loses_nothing(kata, tmp_path):
    """Something in the way of the stub is a sentence, and what was written stays where it is."""
    mine = tmp_path / "katas" / "07_semaphore.py"
    (mine.parent / "07_semaphore.py.part").mkdir(parents=True)
    mine.write_text("# mine\n")
    done = kata("reset", "7")
    assert done.returncode == 2
    assert done.stderr == "katas/07_semaphore.py cannot be put back: Is a directory.\n"
    assert mine.read_text() == "# mine\n"


@pytest.fixture
def checkout(tmp_path):
    """A copy of the course as a checkout has it, without git."""
    for folder in ("checker", "katas", "solutions", "tests/katas"):
        shutil.copytree(COURSE.root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    # In a checkout of this project the stub may be somebody's work; here it must be a stub.
    stub = tmp_path / "katas" / "07_semaphore.py"
    stub.write_text("async def run_limited(jobs, limit):\n    raise NotImplementedError\n")
    return stub


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_in_a_checkout_git_knows_the_stub(kata, tmp_path, checkout):
    """There the stub is the learner's own file, and it is as it was committed that it is put back."""
    git(tmp_path, "init")
    git(tmp_path, "add", "katas")
    git(tmp_path, "commit", "-m", "the course")
    stub = checkout.read_bytes()
    checkout.write_text("# mine\n")
    assert "is the stub again" in kata("reset", "7").stdout
    assert checkout.read_bytes() == stub
    assert (tmp_path / "katas" / "07_semaphore.py.1.bak").read_text() == "# mine\n"


def test_in_a_copy_without_git_nothing_is_touched(kata, tmp_path, checkout):
    """Where nobody knows the stub any more, that is said."""
    checkout.write_text("# mine\n")
    done = kata("reset", "7", env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert done.returncode == 2
    assert "fresh copy" in done.stderr
    assert checkout.read_text() == "# mine\n"


# --- solution ------------------------------------------------------------------------------------------------


def test_solution_is_source_that_can_be_kept(kata, tmp_path):
    """What it prints into a file is the reference solution, to the letter."""
    assert kata("solution", "semaphore").stdout == SEMAPHORE.solution.read_text()


def test_every_other_right_answer_can_be_seen(kata):
    """By its name, with or without the ending; an unknown name is told those that there are."""
    for path in SEMAPHORE.alternatives:
        assert kata("solution", "7", path.stem).stdout == path.read_text()
        assert kata("solution", "7", path.name).stdout == path.read_text()
    done = kata("solution", "7", "perfect")
    assert done.returncode == 2
    assert all(path.stem in done.stderr for path in SEMAPHORE.alternatives)
