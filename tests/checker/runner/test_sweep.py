"""Folders are emptied whatever is in them, in bounded time, and never beyond themselves."""

import os

import pytest

from checker.runner import sweep


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "box").mkdir()
    return str(tmp_path / "box")


def test_a_deep_tree_is_removed(folder):
    """Deeper than any path may be long, closed to its owner."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(1000):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
    finally:
        os.chdir(here)
    os.chmod(f"{folder}/{'d' * 100}", 0)
    assert sweep.empty(folder, 60.0)
    assert os.listdir(folder) == []


def test_links_are_not_followed(folder, tmp_path):
    """What a link points to stays."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    os.symlink(tmp_path / "kept", f"{folder}/link")
    os.mkdir(f"{folder}/inner")
    os.symlink(tmp_path / "kept", f"{folder}/inner/link")
    assert sweep.empty(folder, 60.0)
    assert (tmp_path / "kept" / "file").read_text() == "x"


def test_it_gives_up_in_time(folder):
    """Where there is no time, it says so instead of going on."""
    open(f"{folder}/file", "w").close()
    assert not sweep.empty(folder, -1.0)
    assert os.listdir(folder) == ["file"]


def test_what_was_there_before_stays(folder):
    """Only what an inventory does not name is removed, and modes are put back."""
    os.makedirs(f"{folder}/before/inner")
    before = sweep.inventory(folder)
    assert not sweep.changed(before)
    open(f"{folder}/before/inner/new", "w").close()
    os.chmod(folder, 0o500)
    assert sweep.changed(before)
    assert sweep.restore(before, 60.0)
    assert not sweep.changed(before)
    assert os.listdir(f"{folder}/before") == ["inner"]


def test_what_is_missing_is_not_made_up(folder):
    """A folder from which something was taken cannot be restored."""
    os.mkdir(f"{folder}/before")
    before = sweep.inventory(folder)
    os.rmdir(f"{folder}/before")
    assert sweep.changed(before)
    assert not sweep.restore(before, 60.0)


def test_a_link_is_no_folder(folder, tmp_path):
    """A folder that has become a link is not opened."""
    os.symlink(folder, tmp_path / "link")
    with pytest.raises(OSError):
        sweep.opened(str(tmp_path / "link"))


def test_only_what_belongs_to_a_user_is_removed(folder):
    """In a folder that is others' too, however its files are named; what others have there stays."""
    names = [b"plain", b"new\nline", b"-rf", b"\xff\xfe", b"x" * 255]
    for name in names:
        open(folder.encode() + b"/" + name, "w").close()
    os.link(f"{folder}/plain", f"{folder}/another name")
    os.symlink("/", f"{folder}/link")
    me = os.getuid()
    assert sweep.remove_owned(folder, me + 1, 60.0)
    assert len(sweep.owned(folder, (me,))) == len(os.listdir(folder)) == 7
    assert sweep.owned(folder, (me + 1,)) == {}
    assert not sweep.remove_owned(folder, me, -1.0)
    assert sweep.remove_owned(folder, me, 60.0)
    assert os.listdir(folder) == []
    assert os.listdir("/") != []


def test_a_folder_that_is_not_there_holds_nothing(folder):
    """Not every machine has every folder."""
    assert sweep.remove_owned(f"{folder}/none", os.getuid(), 60.0)
