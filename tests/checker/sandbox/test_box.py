"""The folders of sandboxes that have no file system of their own, and who tidies them up."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from checker.sandbox import box
from checker.sandbox.user import SpareUser, is_root

ROOT = Path(__file__).resolve().parents[3]
GRADER = """
import os, pathlib, signal
from checker.sandbox.box import Box
made = Box()
pathlib.Path(made.temp, "deep").mkdir()
pathlib.Path(made.temp, "deep", "work").write_text("of a run")
print(made.folder, flush=True)
input()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def grader(place):
    """A grader that has made its box, and is killed by a line on its standard input; and the box."""
    with subprocess.Popen(
        [sys.executable, "-c", GRADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place)},
    ) as process:  # fmt: skip
        yield process, Path(process.stdout.readline().rstrip())
        process.kill()


def test_what_a_killed_grader_left_goes_with_the_next(grader, place, monkeypatch):
    """It cannot remove its own; the next one does, and nothing else beside it."""
    process, left = grader
    theirs = place / f"{left.name[:-8]}notes.txt"  # begins alike, and is no folder
    theirs.write_text("mine")
    monkeypatch.setattr(box, "YOUNG", -1.0)
    process.communicate("\n")
    assert left.is_dir()
    mine = box.Box()
    assert sorted(place.iterdir()) == sorted([Path(mine.folder), theirs])
    mine.remove()
    assert [*place.iterdir()] == [theirs]


def test_the_box_of_a_grader_that_lives_stays(grader, place, monkeypatch):
    _, theirs = grader
    monkeypatch.setattr(box, "YOUNG", -1.0)
    box.Box().remove()
    assert (theirs / "tmp/deep/work").read_text() == "of a run"


def test_a_box_that_is_just_being_made_stays(place):
    """Between its making and its lock it looks abandoned, but for its age."""
    young = place / "kata-sandbox-abcdefgh"
    young.mkdir()
    box.Box().remove()
    assert [*place.iterdir()] == [young]


def test_a_link_in_place_of_a_box_is_not_followed(place, monkeypatch):
    monkeypatch.setattr(box, "YOUNG", -1.0)
    work = place / "work"
    work.mkdir()
    (work / "thesis.txt").write_text("mine")
    (place / "kata-sandbox-abcdefgh").symlink_to(work)
    box.Box().remove()
    assert (work / "thesis.txt").read_text() == "mine"


@pytest.mark.skipif(not is_root(), reason="only root has spare users")
def test_what_spare_users_left_goes_too(place, monkeypatch):
    """A box belongs to its runs' user; one of any other user is nobody's here."""
    monkeypatch.setattr(box, "YOUNG", -1.0)
    left, theirs = place / "kata-sandbox-abcdefgh", place / "kata-sandbox-ijklmnop"
    for folder, uid in ((left, SpareUser.IDS[0]), (theirs, 1234)):
        (folder / "tmp").mkdir(parents=True)
        os.chown(folder, uid, uid)
        folder.chmod(0o500)
    box.Box().remove()
    assert [*place.iterdir()] == [theirs]
