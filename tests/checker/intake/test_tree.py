"""Archives and folders are looked at and never unpacked."""

import io
import stat
import struct
import zipfile
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.intake.names import Search
from checker.intake.tree import MAX_ARCHIVE, Archive, Folder, Unreadable, open_tree
from tests.checker.intake.batches import far_away

KATAS = ["07_semaphore"]


def zipped(files, **options):
    """The bytes of an archive with these files, a list of names (or ZipInfos) and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(data):
    return Archive(io.BytesIO(data), "work.zip")


def link_info(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_an_archive_shows_its_files():
    """Folders and files of an archive are seen as in a folder on disk."""
    archive = opened(zipped([("katas/07_semaphore.py", "x = 1"), ("notes.txt", "")]))
    assert {(each.name, each.kind) for each in archive.entries("")} == {("katas", "folder"), ("notes.txt", "file")}
    assert archive.read("katas/07_semaphore.py", 100) == b"x = 1"


@pytest.mark.parametrize(
    "name", ["../07_semaphore.py", "/07_semaphore.py", "a/../../07_semaphore.py", "..\\x.py", "C:/x.py"]
)
def test_a_name_that_leads_out_is_left_out(name):
    """Names that lead out of the archive are told and never used."""
    archive = opened(zipped([(name, "x")]))
    assert list(archive.entries("")) == []
    assert len(archive.notes) == 1


def test_a_bomb_is_not_blown_up():
    """Of a file that unpacks to gigabytes only as much is read as was asked for."""
    data = zipped([("07_semaphore.py", b"\0" * (64 << 20))])
    assert len(data) < 100_000
    assert len(opened(data).read("07_semaphore.py", 1000)) == 1000


def test_a_link_in_an_archive_is_told():
    """A symbolic link in an archive is no file."""
    search = Search(KATAS)
    search.folder(opened(zipped([(link_info("07_semaphore.py"), "/etc/passwd")])), "")
    assert search.answers() == {}
    assert search.notes == ["07_semaphore.py was left out: it is a link; hand in the file itself."]


def test_the_last_of_two_files_of_one_name_counts():
    """Two files of one name: the last one, as unpacking would leave it, and a note."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([("07_semaphore.py", "first"), ("07_semaphore.py", "last")])
    archive = opened(data)
    assert archive.read("07_semaphore.py", 100) == b"last"
    assert archive.notes == ["07_semaphore.py is in work.zip more than once; the last one counts."]


def test_an_archive_with_too_many_files_is_refused(monkeypatch):
    """The directory's length is looked at before the directory is read."""
    data = zipped([(f"{number}.txt", "") for number in range(200)])
    with pytest.raises(Unreadable, match="too many files"):
        Archive(io.BytesIO(data), "work.zip", most=1000)


def test_an_archive_with_deep_names_is_opened():
    """A name of thousands of folders costs nothing."""
    archive = opened(zipped([("a/" * 30_000 + "07_semaphore.py", "x"), ("b.py", "")]))
    assert [each.name for each in archive.entries("")] == ["b.py"]


def test_a_file_too_deep_in_an_archive_is_told():
    """What lies too deep is left out with a note, one for all of it."""
    deep = "/".join("abcdefghijklm")
    archive = opened(zipped([(f"{deep}/07_semaphore.py", "x"), (f"{deep}/b.py", ""), (f"{deep}/", "")]))
    assert archive.notes == [
        "a/…/07_semaphore.py and 1 more were left out: more than 12 folders deep in work.zip; hand in the katas nearer"
        " to the top."
    ]


def test_an_archive_is_called_as_its_file_is_without_the_suffix(tmp_path):
    """One learner's archive, given as the batch, is named as the learner is."""
    (tmp_path / "Jane Doe.ZIP").write_bytes(zipped([("07_semaphore.py", "x")]))
    with closing(open_tree(tmp_path / "Jane Doe.ZIP")) as tree:
        assert tree.name == "Jane Doe"


def test_the_output_folder_is_none_of_the_batch(tmp_path):
    """It is left out however its path is written, and wherever a link to it leads."""
    (tmp_path / "in" / "deep" / "out").mkdir(parents=True)
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    shown = Folder(tmp_path / "in", tmp_path / "in" / "link" / "in" / "deep" / "out")
    assert [each.name for each in shown.entries("deep")] == []
    assert [each.name for each in Folder(tmp_path / "in", tmp_path / "in" / "link").entries("")] == ["deep"]
    assert len(list(Folder(tmp_path / "in", tmp_path / "in").entries(""))) == 2


def test_an_encrypted_file_is_told():
    """An encrypted file is said to be one."""
    data = bytearray(zipped([("07_semaphore.py", "x = 1")]))
    at = data.rfind(b"PK\1\2")
    struct.pack_into("<H", data, at + 8, 1)
    with pytest.raises(Unreadable, match="encrypted"):
        opened(bytes(data)).read("07_semaphore.py", 10)


@pytest.mark.parametrize("offset", [2**63 + 5, 2**64 - 1])
def test_a_file_that_lies_beyond_any_disk_is_told(offset):
    """An archive may claim a place that no file has room for: it is damaged, and nothing worse."""
    with pytest.raises(Unreadable, match=r"\A07_semaphore\.py in work\.zip is damaged"):
        opened(far_away(offset)).read("07_semaphore.py", 10)


@given(st.binary(max_size=300), st.integers(0, 400))
@settings(max_examples=200)
def test_a_damaged_archive_ends_in_a_sentence(garbage, at):
    """Whatever is done to an archive's bytes: it is read, or said to be unreadable."""
    data = bytearray(zipped([("katas/07_semaphore.py", "x = 1\n" * 50), ("b.txt", "b")]))
    data[at : at + len(garbage)] = garbage
    try:
        archive = opened(bytes(data))
        archive.read("katas/07_semaphore.py", 1000)
    except Unreadable as error:
        assert str(error).endswith(".")


def test_a_huge_archive_is_refused(tmp_path):
    """A learner's archive of more than the limit is not read."""
    with (tmp_path / "work.zip").open("wb") as file:
        file.truncate(MAX_ARCHIVE + 10)
    search = Search(KATAS)
    search.folder(Folder(tmp_path), "")
    assert search.notes == ["work.zip was left out: it is larger than 64 MiB; hand in the katas alone."]


def test_archives_within_an_archive_are_limited_together(tmp_path, monkeypatch):
    """A small upload may hold archives that unpack to a lot; those that lie loose cannot, and are judged one by one."""
    monkeypatch.setattr("checker.intake.tree.MAX_ARCHIVE", 1 << 20)
    with zipfile.ZipFile(tmp_path / "loose.zip", "w") as archive:
        archive.writestr("pad.bin", bytes(600 << 10))
    large = (tmp_path / "loose.zip").read_bytes()
    small = zipped([("07_semaphore.py", "x = 1")])
    (tmp_path / "work.zip").write_bytes(zipped([("a.zip", large), ("b.zip", large), ("c.zip", small)]))
    search = Search(KATAS)
    search.folder(Folder(tmp_path), "")
    assert search.notes == [
        "b.zip was left out: with the archives before it that lie in archives, it is larger than 1 MiB; hand in the"
        " katas alone."
    ]
    assert search.answers()["07_semaphore"].within == ("work.zip", "c.zip")


def test_archives_within_archives_come_to_an_end():
    """An archive in an archive in an archive …: only a few are opened."""
    data = zipped([("07_semaphore.py", "x")])
    for _ in range(9):
        data = zipped([("inner.zip", data)])
    search = Search(KATAS)
    search.folder(opened(data), "")
    assert search.answers() == {}
    assert search.notes[0] == "inner.zip was left out: only 5 archives of one learner are opened."


def test_a_file_that_is_no_archive_is_told(tmp_path):
    """A batch that is a file must be a zip archive."""
    (tmp_path / "x.zip").write_text("no")
    with pytest.raises(Unreadable, match="no zip archive"):
        open_tree(tmp_path / "x.zip")
