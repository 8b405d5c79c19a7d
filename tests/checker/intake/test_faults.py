"""What the grader cannot get at, through no fault of the learner's, is its own failure, in one row."""

import errno
import os
import shutil
from contextlib import closing

import pytest

from checker.intake import match, take_in
from checker.intake.tree import Archive
from tests.checker.intake.batches import KATAS, fill, packed

KATA = "07_semaphore"


@pytest.fixture
def two(tmp_path):
    """The folder with the work of Ada, in an archive, and of Bob."""
    packed(tmp_path / "in" / "ada" / "work.zip", f"{KATA}.py")
    return fill(tmp_path / "in", f"bob/{KATA}.py")


def failing(call, place, number):
    """A function of `os` that fails at one place as the system would."""

    def fail(path, *args, **options):
        if str(path).endswith(place):
            raise OSError(number, os.strerror(number))
        return call(path, *args, **options)

    return fail


@pytest.mark.parametrize("place", ["ada", "ada/work.zip", "bob", f"bob/{KATA}.py"])
def test_what_was_listed_and_is_gone_is_the_graders_fault(two, place):
    """Whoever takes files away in mid-batch takes no points; when they are back they are read."""
    with closing(take_in(two, KATAS)) as intake:
        (two / place).rename(two.parent / "away")
        for handed in intake.submissions:
            source = handed.source(KATA)
            gone = place.startswith(handed.learner.name)
            assert source.problem == ""
            assert source.fault.endswith("cannot be read: No such file or directory.") == gone
            assert bool(source.data) != gone
        (two.parent / "away").rename(two / place)
        assert all(handed.source(KATA).data for handed in intake.submissions)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EMFILE])
def test_a_disk_that_fails_is_the_graders_fault(two, monkeypatch, number):
    """A file that cannot be read for the disk's sake costs nobody a point."""
    bob = take_in(two, KATAS).submissions[1]
    monkeypatch.setattr("os.open", failing(os.open, f"bob/{KATA}.py", number))
    assert bob.source(KATA).fault == f"bob/{KATA}.py cannot be read: {os.strerror(number)}."


@pytest.mark.parametrize("number", [errno.EACCES, errno.ELOOP])
def test_a_file_that_was_handed_in_so_is_its_owners(two, monkeypatch, number):
    """A file that nobody may read, or that is a link, was handed in as such."""
    bob = take_in(two, KATAS).submissions[1]
    monkeypatch.setattr("os.open", failing(os.open, f"bob/{KATA}.py", number))
    source = bob.source(KATA)
    assert (source.problem, source.fault) == (f"bob/{KATA}.py cannot be read: {os.strerror(number)}.", "")


def test_a_folder_that_fails_while_it_is_looked_through_is_a_fault(two, monkeypatch):
    """Nobody is said to have handed in nothing because of a disk, whatever the roster says."""
    monkeypatch.setattr("os.scandir", failing(os.scandir, "bob", errno.EIO))
    ada, bob = match(take_in(two, KATAS, "folders").submissions, [])
    assert (ada.fault, bob.fault) == ("", "bob cannot be read: Input/output error.")
    assert (bob.empty, bob.source(KATA).fault, bob.source(KATA).problem) == (False, bob.fault, "")
    assert bob.learner.notes == ("Not on the roster.",)


def test_a_file_that_is_no_longer_in_its_archive_is_a_fault(two):
    """Somebody has put another archive into its place."""
    ada = take_in(two, KATAS).submissions[0]
    packed(two / "ada" / "work.zip", "other.py")
    assert ada.source(KATA).fault == f"{KATA}.py is no longer in ada/work.zip."


def test_an_archive_whose_disk_fails_is_not_called_damaged(tmp_path, monkeypatch):
    """The batch itself may be an archive, on a disk like any other."""
    path = packed(tmp_path / "in.zip", f"ada/{KATA}.py", f"bob/{KATA}.py")
    with closing(take_in(path, KATAS)) as intake:
        monkeypatch.setattr("zipfile.ZipFile.open", failing(None, "", errno.EIO))
        assert intake.submissions[0].source(KATA).fault == "in.zip cannot be read: Input/output error."


@pytest.mark.parametrize("alone", [True, False])
def test_an_error_that_nobody_has_thought_of_is_one_rows(two, monkeypatch, alone):
    """Whatever goes wrong over one learner's work ends nothing else, and is no 0 in silence."""
    if alone:
        shutil.rmtree(two / "bob")
        shutil.move(two / "ada" / "work.zip", two / "ada.zip")
        (two / "ada").rmdir()
    intake = take_in(two, KATAS)

    def fail(*args):
        raise KeyError("oops")

    monkeypatch.setattr(Archive, "read", fail)
    said = [handed.source(KATA).fault for handed in intake.submissions]
    assert said == [f"{KATA}.py cannot be read (KeyError: 'oops').", ""][: len(said)]
    monkeypatch.setattr(Archive, "__init__", fail)
    said = [handed.source(KATA).fault for handed in take_in(two, KATAS).submissions]
    place = "ada.zip" if alone else "ada/work.zip"
    assert said == [f"{place} cannot be read (KeyError: 'oops').", ""][: len(said)]
