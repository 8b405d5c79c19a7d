"""Every layout is recognised by itself, and whose work is whose."""

import os
import zipfile
from contextlib import closing

import pytest

from checker.intake import LAYOUTS, Unreadable, take_in
from tests.checker.intake.batches import KATAS, archives_in_memory, fill, found, packed


def test_a_folder_a_learner(tmp_path):
    """A folder or a zip a learner, with the katas in it, in `katas`, or deeper."""
    fill(
        tmp_path, "ada/07_semaphore.py", "bob/katas/07_semaphore.py", "cyd/work/katas/01_event_loop.py", "dan/notes.txt"
    )
    with zipfile.ZipFile(tmp_path / "eve.zip", "w") as archive:
        archive.writestr("eve/katas/07_semaphore.py", "x = 1")
    layout, learners = found(tmp_path)
    assert layout == "folders"
    assert learners == {
        "ada": ["07_semaphore"], "bob": ["07_semaphore"], "cyd": ["01_event_loop"], "dan": [], "eve": ["07_semaphore"],
    }  # fmt: skip


def test_archives_are_not_held(tmp_path):
    """Learners' archives, and those within, are opened again for reading, and given up when a learner has been read."""
    packed(tmp_path / "ada.zip", "07_semaphore.py")
    inner = packed(tmp_path / "aside" / "inner.zip", "07_semaphore.py").read_bytes()
    with zipfile.ZipFile(tmp_path / "bob.zip", "w") as archive:
        archive.writestr("inner.zip", inner)
        archive.writestr("01_event_loop.py", "x = 1")
    before = archives_in_memory()
    ada, _, bob = take_in(tmp_path, KATAS).submissions
    assert archives_in_memory() == before
    assert [each.source("07_semaphore").data for each in (ada, bob)] == [b"x = 1"] * 2
    assert archives_in_memory() == before + 3
    assert bob.source("01_event_loop").data == b"x = 1"
    assert archives_in_memory() == before + 3
    ada.close()
    bob.close()
    assert archives_in_memory() == before


def test_a_zip_of_folders(tmp_path):
    """A batch may be one zip archive, with a folder around everything."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("all/ada/07_semaphore.py", "x = 1")
        archive.writestr("all/bob/07_semaphore.py", "x = 2")
        archive.writestr("__MACOSX/all/ada/._07_semaphore.py", "junk")
    with closing(take_in(tmp_path / "all.zip", KATAS)) as intake:
        assert [each.learner.name for each in intake.submissions] == ["ada", "bob"]
        assert intake.submissions[1].source("07_semaphore").data == b"x = 2"


def test_git_checkouts(tmp_path):
    """A checkout each, as GitHub Classroom clones them."""
    fill(tmp_path, "hw-ada/.git/HEAD", "hw-ada/katas/07_semaphore.py", "hw-bob/.git/HEAD")
    assert found(tmp_path) == ("git", {"hw-ada": ["07_semaphore"], "hw-bob": []})


def test_canvas(tmp_path):
    """Canvas's flat download: names, late marks, ids and resubmissions are read from the file names."""
    fill(
        tmp_path, "doejane_12_901_07_semaphore.py", "doejane_12_950_07_semaphore-2.py",
        "poebob_LATE_7_902_01_event_loop.py", "o_brien_ann_33_903_07_semaphore (1).py",
    )  # fmt: skip
    intake = take_in(tmp_path, KATAS)
    assert intake.layout == "canvas"
    jane, bob, ann = sorted(intake.submissions, key=lambda each: each.learner.submission_id, reverse=True)
    assert (jane.learner.name, jane.learner.user_id, jane.learner.submission_id) == ("doejane", "12", "950")
    assert jane.answers["07_semaphore"].path == "doejane_12_950_07_semaphore-2.py"
    assert (bob.learner.name, bob.learner.late) == ("o_brien_ann", False)
    assert (ann.learner.name, ann.learner.late) == ("poebob", True)


def test_a_canvas_archive_within_the_archive(tmp_path):
    """What a learner handed in to Canvas may be a zip itself."""
    inner = tmp_path / "katas.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("katas/07_semaphore.py", "x = 1")
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.write(inner, "doejane_12_901_katas.zip")
        archive.writestr("poebob_7_902_07_semaphore.py", "x = 2")
    layout, learners = found(tmp_path / "submissions.zip")
    assert (layout, learners) == ("canvas", {"doejane": ["07_semaphore"], "poebob": ["07_semaphore"]})


def test_numbers_longer_than_canvas_gives_are_part_of_a_name(tmp_path):
    """A number of thousands of digits is nobody's: in an archive a name may be that long."""
    long = f"mallory_1_{'9' * 5000}_07_semaphore.py"
    packed(tmp_path / "class.zip", long, "doejane_2_3_07_semaphore.py", "poe_4_5_07_semaphore.py")
    layout, learners = found(tmp_path / "class.zip")
    assert (layout, learners) == ("canvas", {"doejane": ["07_semaphore"], "poe": ["07_semaphore"], long: []})
    packed(tmp_path / "in" / "work.zip", long)
    assert found(tmp_path / "in") == ("folders", {"work": []})


def test_moodle(tmp_path):
    """Moodle's download: a folder each, with name and id."""
    fill(tmp_path, "Jane Ö. Doe_345_assignsubmission_file_/07_semaphore.py", "Bob_7_assignsubmission_file/x.pdf")
    intake = take_in(tmp_path, KATAS)
    assert intake.layout == "moodle"
    assert [(each.learner.name, each.learner.user_id) for each in intake.submissions] == [
        ("Bob", "7"),
        ("Jane Ö. Doe", "345"),
    ]
    assert intake.submissions[0].learner.notes == ("No file is named like a kata; there are x.pdf.",)


def test_a_file_and_a_text_in_moodle_are_one_learners(tmp_path):
    """Moodle makes a folder for files and another for a text; one row a learner."""
    fill(tmp_path, "Jane Doe_345_assignsubmission_file_/07_semaphore.py")
    fill(tmp_path, "Jane Doe_345_assignsubmission_onlinetext_/onlinetext.html")
    fill(tmp_path, "Bob_7_assignsubmission_onlinetext_/onlinetext.html")
    intake = take_in(tmp_path, KATAS)
    assert [(each.learner.key, each.learner.name, sorted(each.answers)) for each in intake.submissions] == [
        ("7", "Bob", []), ("345", "Jane Doe", ["07_semaphore"]),
    ]  # fmt: skip
    assert intake.submissions[1].learner.notes == ()


def test_in_canvas_the_last_of_two_files_counts(tmp_path):
    """Numbers are those of the learner's own files, not of whole names; the later submission wins a tie."""
    fill(tmp_path, "doejane_12_1000_07_semaphore (9).py", "doejane_LATE_12_999_07_semaphore (10).py")
    fill(tmp_path, "poe_7_1000_07_semaphore.py", "poe_LATE_7_999_07_semaphore.py")
    jane, poe = take_in(tmp_path, KATAS).submissions
    assert jane.answers["07_semaphore"].path == "doejane_LATE_12_999_07_semaphore (10).py"
    assert poe.answers["07_semaphore"].path == "poe_7_1000_07_semaphore.py"


METADATA = """\
---
submission_11:
  :submitters:
  - :name: Jane Doe
    :sid: '345'
    :email: jane@example.org
  - :name: Bob Poe
    :sid: '346'
    :email: bob@example.org
  :created_at: 2026-10-01 10:00:00.123 Z
submission_12:
  :submitters:
  - :name: Cyd
    :sid: ''
"""


def test_gradescope(tmp_path):
    """Gradescope's export: who is behind each folder; a group's work counts for each of its members."""
    root = fill(tmp_path / "assignment_9_export", "submission_11/07_semaphore.py")
    fill(root, "submission_metadata.yml", text=METADATA)
    intake = take_in(tmp_path, KATAS)
    assert intake.layout == "gradescope"
    assert [(each.learner.name, each.learner.user_id, sorted(each.answers)) for each in intake.submissions] == [
        ("Jane Doe", "345", ["07_semaphore"]), ("Bob Poe", "346", ["07_semaphore"]), ("Cyd", "", []),
    ]  # fmt: skip
    assert intake.submissions[0].learner.sis_id == "345"
    assert intake.submissions[2].problem == "The export tells of this submission and does not hold it."


@pytest.mark.parametrize("text", ["a: [", "- 1", "a: &x [*x, *x]", "!!python/object/apply:os.system ['true']", "\0"])
def test_metadata_that_is_no_list_of_submissions(tmp_path, text):
    """Odd metadata ends in a sentence or in folders without names, and nothing in it is run."""
    fill(tmp_path, "submission_metadata.yml", text=text)
    fill(tmp_path, "submission_1/07_semaphore.py")
    try:
        intake = take_in(tmp_path, KATAS)
    except Unreadable as error:
        assert "submission_metadata.yml" in str(error)
    else:
        assert [each.learner.name for each in intake.submissions] == ["submission_1"]


@pytest.mark.parametrize(
    "value", ["9" * 5000, "2026-13-45", "1:" * 300 + "1.5", "{? 0x" + "f" * 5000 + " : {}}", "0x_"], ids=range(5)
)
def test_numbers_and_dates_that_are_none_in_the_metadata(tmp_path, value):
    """The sentence says which file is wrong and how, in a teacher's words."""
    text = value if value.startswith("{") else f"submission_1:\n  :sid: {value}\n"
    fill(tmp_path, "submission_metadata.yml", text=text)
    with pytest.raises(
        Unreadable, match=r"\Asubmission_metadata\.yml cannot be read: it holds a number that is far too"
    ):
        take_in(tmp_path, KATAS)


@pytest.mark.parametrize("value", ['!!int ""', '!!float ""', "!!bool x", "!!timestamp x", '!!binary "é"', "!!set [x]"])
def test_values_of_another_kind_than_the_metadata_says(tmp_path, value):
    """PyYAML has an error of its own for each of them; all end in a sentence."""
    fill(tmp_path, "submission_metadata.yml", text=f"submission_1:\n  :sid: {value}\n")
    with pytest.raises(Unreadable, match=r"\Asubmission_metadata\.yml cannot be read.*; export the submissions again"):
        take_in(tmp_path, KATAS)


@pytest.mark.parametrize("key", ["<<", "!!merge x", "? !!merge x\n  "])
def test_merge_keys_in_the_metadata_are_refused(tmp_path, key):
    """They can make much of little, and no platform writes them; aliases are written, and read."""
    fill(tmp_path, "submission_11/07_semaphore.py")
    fill(tmp_path, "submission_metadata.yml", text=f"a: &a {{x: 1}}\nb:\n  {key}: *a\n")
    with pytest.raises(Unreadable, match=r"\Asubmission_metadata\.yml cannot be read \(it holds a merge key, <<\);"):
        take_in(tmp_path, KATAS)
    text = "a: &a [{':name': Jane}]\nsubmission_11:\n  :submitters: *a\n  =: 1\n"
    fill(tmp_path, "submission_metadata.yml", text=text)
    assert [each.learner.name for each in take_in(tmp_path, KATAS).submissions] == ["Jane"]


def test_a_number_that_cannot_be_written_out_is_no_learners_id(tmp_path):
    """In another base a number of any length can be read, but not shown."""
    fill(tmp_path, "submission_11/07_semaphore.py")
    fill(tmp_path, "submission_metadata.yml", text=METADATA.replace("'345'", "0x" + "f" * 5000))
    jane = take_in(tmp_path, KATAS).submissions[0]
    assert (jane.learner.name, jane.learner.user_id) == ("Jane Doe", "")


def test_one_learners_folder(tmp_path):
    """A folder with katas in it is one learner's work."""
    fill(tmp_path / "ada", "07_semaphore.py", "helpers/x.py")
    assert found(tmp_path / "ada") == ("single", {"ada": ["07_semaphore"]})
    fill(tmp_path / "bob", "katas/07_semaphore.py", "README.md")
    assert found(tmp_path / "bob") == ("single", {"bob": ["07_semaphore"]})


def test_one_learner_in_a_folder(tmp_path):
    """A batch of one learner is no wrapper to be looked through."""
    fill(tmp_path, "ada/katas/07_semaphore.py")
    assert found(tmp_path) == ("folders", {"ada": ["07_semaphore"]})


def test_a_layout_can_be_named(tmp_path):
    """`--layout` overrules what a batch looks like; every name of the list works."""
    fill(tmp_path, "katas/07_semaphore.py")
    assert found(tmp_path, "folders") == ("folders", {"katas": ["07_semaphore"]})
    assert LAYOUTS[0] == "auto"
    for layout in LAYOUTS[1:]:
        try:
            assert found(tmp_path, layout)[0] == layout
        except Unreadable as error:
            assert layout == "gradescope"
            assert "submission_metadata.yml" in str(error)


def test_an_empty_folder_is_told(tmp_path):
    """A folder with nothing in it holds no submission."""
    with pytest.raises(Unreadable, match="holds no submission"):
        take_in(tmp_path, KATAS)


def test_names_from_outside_are_made_harmless(tmp_path):
    """Control characters, escapes and bytes that are no text are shown, never sent to a terminal or a table."""
    fill(tmp_path, "a\x1b[31mred/07_semaphore.py", "b\nc/07_semaphore.py")
    os.mkdir(os.fsencode(tmp_path) + b"/\xff\xfe")
    names = [each.learner.name for each in take_in(tmp_path, KATAS).submissions]
    assert names == ["\\udcff\\udcfe", "a\\x1b[31mred", "b\\nc"]


def test_a_hard_link_to_a_file_of_the_course_is_told(tmp_path):
    """A hard link to a solution is nobody's own work."""
    fill(tmp_path, "solution.txt")
    (tmp_path / "in" / "ada").mkdir(parents=True)
    os.link(tmp_path / "solution.txt", tmp_path / "in" / "ada" / "07_semaphore.py")
    status = (tmp_path / "solution.txt").stat()
    ada = take_in(tmp_path / "in", KATAS).submissions[0]
    source = ada.source("07_semaphore", {(status.st_dev, status.st_ino)})
    assert source.problem == "07_semaphore.py is a hard link to a file of the course; hand in your own."
    assert ada.source("07_semaphore").problem == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "07_semaphore.py is empty."),
        (b"\xff\xfea\0b\0", "07_semaphore.py is UTF-16 text; save it as UTF-8."),
        ("x = 'é'".encode("latin-1"), "07_semaphore.py is not UTF-8 (line 1); save it in that encoding."),
        (b"%PDF-1.7\n%\xe2\xe3", "07_semaphore.py is a PDF; give the Python file itself."),
        (b"a\0b", "07_semaphore.py holds NUL bytes; it is no Python source."),
        (b"#" * 300_000, "07_semaphore.py is larger than 256 KiB; a kata needs a few hundred lines at most."),
        (b"\xef\xbb\xbfx = 1\r\n", ""),
    ],
)
def test_odd_files_are_told(tmp_path, content, problem):
    """What is wrong with a file is one sentence; a byte order mark and CRLF are not wrong."""
    fill(tmp_path, "ada/07_semaphore.py", text=content)
    assert take_in(tmp_path, KATAS).submissions[0].source("07_semaphore").problem == problem


def test_a_folder_that_may_not_be_read_keeps_its_row(tmp_path, monkeypatch):
    """A folder that cannot be read is a row with the reason."""
    fill(tmp_path, "ada/07_semaphore.py", "bob/07_semaphore.py")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("bob"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    ada, bob = take_in(tmp_path, KATAS, "folders").submissions
    assert sorted(ada.answers) == ["07_semaphore"]
    assert bob.learner.notes[0] == "bob cannot be read: Permission denied."
    assert (bob.fault, bob.source("07_semaphore").fault) == ("", "")
