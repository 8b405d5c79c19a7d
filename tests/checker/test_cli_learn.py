"""`kata start`, `kata reset` and their kin, as learners use them."""

import re
import shutil
import subprocess

import pytest

from checker.course import installed_course

COURSE = installed_course()
SEMAPHORE = COURSE.find("07")
STUB = "async def run_limited(jobs, limit):\n    raise NotImplementedError\n"


# --- show and hint -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", COURSE.katas, ids=lambda each: each.name)
def test_every_address_can_be_copied(kata, each):
    """Each link of a brief stands in one piece on a line of its own, however narrow the terminal is."""
    lines = kata("show", each.number, env={"COLUMNS": "60"}).stdout.splitlines()
    shown = [line.partition("] ")[2] for line in lines if "https:" in line]
    assert shown == re.findall(r"https:[^\s)]+", each.text)


def test_a_hint_shows_its_address(kata):
    """What a hint points at can be read in any terminal, before the next hint is offered."""
    assert "\n[1] https://docs.python.org/3/library/asyncio-sync.html" in kata("hint", "7", "2").stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_brief_can_be_read_in_any_encoding(kata, encoding):
    """Signs that a terminal does not have are written as escapes, and nothing fails."""
    done = kata("show", "7", env={"PYTHONIOENCODING": encoding}, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Then and now" in done.stdout


# --- start ---------------------------------------------------------------------------------------------------


def test_a_slip_of_the_pen_leaves_no_folder(kata, tmp_path):
    """Nothing is made for a kata that does not exist: an empty folder would hide work that lies here."""
    assert kata("start", "typo").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_start_puts_stubs_to_where_katas_are(kata, tmp_path):
    """In a folder with katas of one's own the next one comes beside them, and all are found."""
    (tmp_path / "07_semaphore.py").write_text(STUB)
    assert kata("start", "3").stdout == "03_callbacks.py is ready; then: kata check 03_callbacks\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["03_callbacks.py", "07_semaphore.py"]
    assert kata("list").stdout.count("not started") == len(COURSE.katas) - 2


def test_start_makes_no_katas_in_katas(kata, tmp_path):
    """A folder of that name is a workspace, though it is empty yet."""
    (tmp_path / "katas").mkdir()
    assert "\n" in kata("start", "3", cwd=tmp_path / "katas").stdout
    assert [path.name for path in (tmp_path / "katas").iterdir()] == ["03_callbacks.py"]


def test_a_folder_katas_hides_no_work_that_lies_here(kata, tmp_path):
    """Katas in both places are all found, and none is begun twice."""
    (tmp_path / "katas").mkdir()
    (tmp_path / "07_semaphore.py").write_text(STUB)
    assert kata("list").stdout.count("not started") == len(COURSE.katas) - 1
    (tmp_path / "katas" / "03_callbacks.py").write_text(STUB)
    assert kata("list").stdout.count("not started") == len(COURSE.katas) - 2
    assert kata("start", "3").stdout == "katas/03_callbacks.py is there already.\n"


@pytest.mark.parametrize("link", [True, False], ids=["a link to nothing", "a file"])
def test_start_with_something_else_in_the_way(kata, tmp_path, link):
    """Where `katas` cannot be a folder: status 2, and a sentence on what to do."""
    (tmp_path / "katas").symlink_to("nowhere") if link else (tmp_path / "katas").touch()
    done = kata("start", "7")
    assert done.returncode == 2
    assert done.stderr == "katas is no folder, and stubs belong into one of that name; move it away first.\n"


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


def test_reset_destroys_no_other_file(kata, tmp_path):
    """A file that has the name which it needs for a moment is told, and stays."""
    kata("start", "7")
    mine, part = tmp_path / "katas" / "07_semaphore.py", tmp_path / "katas" / "07_semaphore.py.part"
    mine.write_text("# mine\n")
    part.write_text("# mine too\n")
    done = kata("reset", "7")
    assert done.returncode == 2
    assert "katas/07_semaphore.py.part is in the way" in done.stderr
    assert (mine.read_text(), part.read_text()) == ("# mine\n", "# mine too\n")


def test_reset_takes_no_file_for_another(kata, tmp_path):
    """Named by its path, only the file that is meant is put back."""
    mine = tmp_path / "katas" / "07_semaphore.py"
    mine.parent.mkdir()
    mine.write_text("# mine\n")
    done = kata("reset", "other/07_semaphore.py")
    assert done.returncode == 2
    assert "puts back katas/07_semaphore.py, not other/07_semaphore.py" in done.stderr
    assert mine.read_text() == "# mine\n"
    assert kata("reset", "katas/07_semaphore.py").returncode == 0


@pytest.fixture
def checkout(tmp_path):
    """A copy of the course as a checkout has it, without git."""
    for folder in ("checker", "katas", "solutions", "tests/katas"):
        shutil.copytree(COURSE.root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    # In a checkout of this project the stub may be somebody's work; here it must be a stub.
    stub = tmp_path / "katas" / "07_semaphore.py"
    stub.write_text(STUB)
    return stub


@pytest.fixture
def solved(checkout, tmp_path):
    """The same with git, where a learner has committed an answer."""
    git(tmp_path, "init")
    for text in (STUB, "def run_limited(jobs, limit):\n    return []\n"):
        checkout.write_text(text)
        git(tmp_path, "add", "katas")
        git(tmp_path, "commit", "-m", text)
    return checkout


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


def test_committed_work_is_not_taken_for_the_stub(kata, solved):
    """In a checkout learners commit what they write; the stub is what the file was before."""
    assert "is the stub again" in kata("reset", "7").stdout
    assert solved.read_text() == STUB


def test_a_stub_that_was_removed_comes_back(kata, solved):
    """In a checkout too, `kata start` makes the file which `kata check` misses."""
    solved.unlink()
    assert "katas/07_semaphore.py is ready" in kata("start", "7").stdout
    assert solved.read_text() == STUB


def test_elsewhere_a_stub_is_no_answer(kata, tmp_path, solved):
    """What was written into the checkout is not handed out in another folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = kata("start", "7", cwd=elsewhere, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "katas" / "07_semaphore.py").read_text() == STUB


def test_a_shallow_clone_has_the_stub_too(kata, tmp_path, solved):
    """Of a history that begins with the stub nothing more is needed."""
    git(tmp_path, "checkout", "HEAD~")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth", "1", f"file://{tmp_path}", "clone")
    shutil.copytree(tmp_path / "checker", clone / "checker")
    for folder in ("solutions", "tests"):
        shutil.copytree(tmp_path / folder, clone / folder)
    (clone / "katas" / "07_semaphore.py").write_text("# mine\n")
    git(clone, "commit", "-a", "-m", "mine")
    assert kata("reset", "7", cwd=clone).returncode == 0
    assert (clone / "katas" / "07_semaphore.py").read_text() == STUB


def test_without_git_an_untouched_stub_is_enough(kata, tmp_path, checkout):
    """Where git is not installed, the file itself is the stub for as long as nobody has worked on it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bare = {"PYTHONPATH": str(tmp_path), "PATH": str(elsewhere)}
    assert kata("start", "7", cwd=elsewhere, env=bare).returncode == 0
    assert (elsewhere / "katas" / "07_semaphore.py").read_text() == STUB
    checkout.unlink()
    done = kata("start", "7", env=bare)
    assert done.returncode == 2
    assert "katas/07_semaphore.py has been changed or removed" in done.stderr


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
