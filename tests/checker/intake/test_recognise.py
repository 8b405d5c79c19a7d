"""One learner or several, and where submissions begin."""

import shutil
import zipfile
from contextlib import closing

import pytest

from checker.intake import Unreadable, take_in
from tests.checker.intake.batches import KATAS, fill, found, packed

# --- one learner or several ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stray", ["07_semaphore.py", "01_event_loop (1).py", "katas/07_semaphore.py"])
def test_a_stray_kata_makes_nobody_of_a_class(tmp_path, stray):
    """Where several folders hold the same kata they are learners; a file or `katas` beside them is told of."""
    fill(tmp_path, stray, "ada/07_semaphore.py", "bob/katas/07_semaphore.py", "dan/notes.txt")
    packed(tmp_path / "eve.zip", "07_semaphore.py")
    with closing(take_in(tmp_path, KATAS)) as intake:
        assert intake.layout == "folders"
        assert [each.learner.name for each in intake.submissions] == ["ada", "bob", "dan", "eve"]
        (note,) = intake.notes
        assert note.startswith(f"{stray.partition('/')[0]} is left out:")


def test_a_stray_kata_beside_archives(tmp_path):
    """Zip archives are learners like folders."""
    fill(tmp_path, "07_semaphore.py")
    for name in ("ada", "bob"):
        packed(tmp_path / f"{name}.zip", "07_semaphore.py")
    assert found(tmp_path) == ("folders", {"ada": ["07_semaphore"], "bob": ["07_semaphore"]})


@pytest.mark.parametrize(
    "others",
    [
        ["old/07_semaphore.py"],
        ["original/07_semaphore.py"],
        [
            "old/07_semaphore.py",
            "backup 2/07_semaphore.py",
            "katas_old/07_semaphore.py",
            "katas - Copy/07_semaphore.py",
        ],
        ["v1/07_semaphore.py", "v2/07_semaphore.py", "draft-3/07_semaphore.py"],
        ["solutions/07_semaphore.py", "tests/katas/07_semaphore.py"],
    ],
)
@pytest.mark.parametrize("work", ["katas/07_semaphore.py", "07_semaphore.py"])
def test_one_learners_older_states_are_no_learners(tmp_path, work, others):
    """A copy, backups, versions and the course itself beside the work leave it one learner's."""
    if work.startswith("katas/") or not others[0].startswith("solutions"):
        fill(tmp_path / "ada", work, *others)
        assert found(tmp_path / "ada") == ("single", {"ada": ["07_semaphore"]})


@pytest.mark.parametrize("others", [["ada/07_semaphore.py"], ["ada/07_semaphore.py", "bob/01_event_loop.py"]])
def test_one_learner_or_several_is_not_guessed(tmp_path, others):
    """Where neither can be told the layout is asked for, and takes effect."""
    fill(tmp_path, "katas/07_semaphore.py", *others)
    learners = [name.partition("/")[0] for name in others]
    asked = rf"\({', '.join(learners)}\)\. Say --layout folders if .* or --layout single if"
    with pytest.raises(Unreadable, match=asked):
        take_in(tmp_path, KATAS)
    assert list(found(tmp_path, "folders")[1]) == learners
    assert list(found(tmp_path, "single")[1]) == [tmp_path.name]


def test_a_question_shows_names_and_does_not_obey_them(tmp_path):
    """Names from outside are harmless in what is asked, too."""
    fill(tmp_path, "katas/07_semaphore.py", "a\x1b[31m/07_semaphore.py")
    with pytest.raises(Unreadable, match=r"\(a\\x1b\[31m\)"):
        take_in(tmp_path, KATAS)


ALONE = {
    "file": ["07_semaphore.py"],
    "katas": ["katas/07_semaphore.py"],
    "project": ["project/07_semaphore.py"],
    "deep": ["a/b/c/d/e/07_semaphore.py"],
    "weeks": ["week1/01_event_loop.py", "week2/07_semaphore.py"],
    "docs": ["src/07_semaphore.py", "docs/x.md", "env/pyvenv.cfg"],
    "versions": ["project/07_semaphore.py", "old/07_semaphore.py"],
    "zip": ["homework.zip"],
    "zips": ["a.zip", "b.zip"],
    "nothing": ["notes.txt"],
}


@pytest.mark.parametrize("names", ALONE.values(), ids=ALONE)
def test_a_row_does_not_depend_on_who_else_is_there(tmp_path, names):
    """A learner who is alone in the batch has the name, and the work, that they have beside others."""
    for name in names:
        if name.endswith(".zip"):
            packed(tmp_path / "jane" / name, "jane/07_semaphore.py")
        else:
            fill(tmp_path / "jane", name)
    alone = found(tmp_path)[1]
    assert list(alone) == ["jane"]
    fill(tmp_path, "zoe/01_event_loop.py", "roster.csv")
    assert found(tmp_path)[1] == {**alone, "zoe": ["01_event_loop"]}


def test_a_folder_around_a_class_on_disk_is_looked_into(tmp_path):
    """Several folders with the same kata are a class; `--layout folders` takes what stands there as it stands."""
    fill(tmp_path, "all/ada/07_semaphore.py", "all/bob/07_semaphore.py", "README.md")
    assert list(found(tmp_path)[1]) == ["ada", "bob"]
    assert list(found(tmp_path / "all")[1]) == ["ada", "bob"]
    assert list(found(tmp_path, "folders")[1]) == ["all"]


def test_more_archives_than_one_learner_may_have_are_a_class(tmp_path):
    """A folder around the archives of a class is not taken for one learner's."""
    for number in range(6):
        packed(tmp_path / "all" / f"learner{number}.zip", "07_semaphore.py")
    assert list(found(tmp_path)[1]) == [f"learner{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("names", "learners"),
    [
        (["all/ada/07_semaphore.py", "all/bob/x/07_semaphore.py", "all/dan/x.txt"], ["ada", "bob", "dan"]),
        (["a/all/ada/07_semaphore.py", "a/all/bob/07_semaphore.py", "__MACOSX/a/._all"], ["ada", "bob"]),
        (["all/07_semaphore.py", "all/ada/07_semaphore.py", "all/bob/07_semaphore.py"], ["ada", "bob"]),
        (["all/ada/.git/HEAD", "all/bob/.git/HEAD"], ["ada", "bob"]),
        (["jane/project/07_semaphore.py"], ["jane"]),
        (["jane/src/07_semaphore.py", "jane/docs/x.md", "jane/old/07_semaphore.py"], ["jane"]),
        (["07_semaphore.py", "helper.py"], ["batch"]),
    ],
)
def test_a_folder_around_all_in_an_archive(tmp_path, names, learners):
    """A folder that a zip tool made around a class is none of it; around one learner's work it is the learner's."""
    assert list(found(packed(tmp_path / "batch.zip", *names))[1]) == learners


def test_a_folder_in_an_archive_is_not_guessed(tmp_path):
    """Different katas in an archive's folders may be a small class or one learner's weeks."""
    path = packed(tmp_path / "batch.zip", "all/ada/07_semaphore.py", "all/bob/01_event_loop.py")
    with pytest.raises(Unreadable, match=r"\(ada, bob\). Say --layout folders if"):
        take_in(path, KATAS)
    assert list(found(path, "folders")[1]) == ["ada", "bob"]
    assert found(path, "single")[1] == {"batch": KATAS}


@pytest.mark.parametrize(
    ("layout", "name"), [("canvas", "doejane_12_901_07_semaphore.py"),
                         ("moodle", "Doe_12_assignsubmission_file_/07_semaphore.py")],
)  # fmt: skip
def test_a_folder_around_a_platforms_download(tmp_path, layout, name):
    """A platform's own names show where the submissions begin."""
    fill(tmp_path, f"download/HW 1/{name}", "roster.csv", "course.toml")
    assert found(tmp_path)[0] == found(tmp_path, layout)[0] == layout
    assert list(found(tmp_path)[1].values()) == [["07_semaphore"]]


def forged(root):
    """A learner's folder with metadata, as Gradescope writes it, of her own."""
    fill(root, "submission_1/07_semaphore.py")
    return fill(
        root, "submission_metadata.yml", text="submission_1:\n  :submitters:\n  - :name: Alice\n    :sid: 1001\n"
    )


@pytest.mark.parametrize("beside", ["07_semaphore.py", "katas/07_semaphore.py"])
def test_nobody_writes_the_rows_of_others(tmp_path, beside):
    """With katas beside the metadata that is a learner's file like any other, unless the teacher says so."""
    root = fill(forged(tmp_path / "in" / "mallory"), beside)
    shutil.make_archive(str(tmp_path / "zip" / "mallory"), "zip", root)
    assert found(tmp_path / "zip") == found(tmp_path / "in") == ("folders", {"mallory": ["07_semaphore"]})
    with closing(take_in(tmp_path / "in", KATAS)) as intake:
        note = "mallory/submission_metadata.yml is not taken for Gradescope's; if it is, say --layout gradescope."
        assert intake.notes == [note]
    for path in (tmp_path / "in", root):
        assert found(path, "gradescope")[1]["Alice"] == ["07_semaphore"]
    with pytest.raises(Unreadable, match=r"\(submission_1\)\. Say --layout"):
        take_in(root, KATAS)
    fill(root, "submission_2/07_semaphore.py")
    for path in (tmp_path / "in", root):
        assert list(found(path)[1]) == ["submission_1", "submission_2"]


@pytest.mark.parametrize("text", ["submission_2: {}", "{}", "a: [", "<<: {submission_1: {}}"])
def test_metadata_of_other_folders_make_no_export(tmp_path, text):
    """A folder that is alone is an export only if submissions lie in it that the metadata tells of."""
    fill(forged(tmp_path / "mallory"), "submission_metadata.yml", text=text)
    assert found(tmp_path) == ("folders", {"mallory": ["07_semaphore"]})


def test_a_download_that_is_looked_into_is_told(tmp_path):
    """Whoever has one learner only is told that a file in the folder says whose the work is."""
    forged(tmp_path / "assignment_9_export")
    with closing(take_in(tmp_path, KATAS)) as intake:
        assert [each.learner.name for each in intake.submissions] == ["Alice"]
        assert intake.notes == ["assignment_9_export is looked into: it is alone there, and looks like a download."]


# --- a download that was not unpacked --------------------------------------------------------------------------

DOWNLOADS = {
    "canvas": ["doejane_12_901_07_semaphore.py", "poebob_LATE_7_902_07_semaphore.py"],
    "moodle": [f"{name}_assignsubmission_file_/07_semaphore.py" for name in ("Jane Doe_12", "Bob_7")],
    "gradescope": ["export/submission_1/07_semaphore.py"],
    "git": ["all/ada/.git/HEAD", "all/bob/.git/HEAD", "all/ada/07_semaphore.py"],
}


@pytest.mark.parametrize("around", ["", "Downloads/"])
@pytest.mark.parametrize("layout", DOWNLOADS)
def test_a_platforms_archive_alone_in_a_folder_is_looked_into(tmp_path, layout, around):
    """It is the batch as it would be by itself, and a note says so."""
    archive = packed(tmp_path / "in" / around / "week 3.zip", *DOWNLOADS[layout])
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("export/submission_metadata.yml" if layout == "gradescope" else "README.md", "submission_1: {}")
    fill(tmp_path / "in", "roster.csv", ".DS_Store")
    assert found(tmp_path / "in") == found(archive)
    assert found(tmp_path / "in")[0] == layout
    if layout != "git":
        assert found(tmp_path / "in", layout) == found(archive, layout)
    with closing(take_in(tmp_path / "in", KATAS)) as intake:
        assert f"{around}week 3.zip is looked into: it is alone there, and looks like a download." in intake.notes
        assert {each.learner.name for each in intake.submissions} >= set(found(archive)[1])


def test_a_platforms_archive_alone_in_an_archive_is_looked_into(tmp_path):
    """As somebody sends it who packs everything."""
    inner = packed(tmp_path / "inner.zip", *DOWNLOADS["moodle"])
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "mail/week 3.zip")
    assert found(tmp_path / "outer.zip") == found(inner)


@pytest.mark.parametrize(
    "names",
    [
        ["07_semaphore.py"],
        ["jane/katas/07_semaphore.py", "jane/katas/01_event_loop.py"],
        ["week1/01_event_loop.py", "week2/07_semaphore.py"],
        ["07_semaphore.py", "old/07_semaphore.py", "mine/07_semaphore.py", "hers/07_semaphore.py"],
        ["v1/07_semaphore.py", "v2/07_semaphore.py"],
        ["katas/07_semaphore.py", "solutions/07_semaphore.py", "try_1_2_x.py"],
        ["notes.txt"],
        [],
    ],
)
def test_a_learners_archive_alone_in_a_folder_is_that_learners(tmp_path, names):
    """A batch of one learner is one, whatever the layout is said to be."""
    packed(tmp_path / "jane.zip", *names)
    for layout in ("auto", "folders", "moodle"):
        assert list(found(tmp_path, layout)[1]) == ["jane"]


def test_a_learners_archive_alone_in_canvas_is_that_learners(tmp_path):
    """Its name is one that Canvas gives."""
    packed(tmp_path / "doejane_12_901_katas.zip", "ada/07_semaphore.py", "bob/07_semaphore.py")
    assert found(tmp_path) == found(tmp_path, "canvas") == ("canvas", {"doejane": ["07_semaphore"]})


def test_an_archive_alone_in_a_folder_is_not_guessed(tmp_path):
    """Where several of its folders hold the same kata it may be a class; both answers can be typed."""
    archive = packed(tmp_path / "w3.zip", "ada/07_semaphore.py", "bob/07_semaphore.py")
    with pytest.raises(Unreadable, match=r"In w3\.zip several .* \(ada, bob\).* name w3\.zip .*--layout folders if"):
        take_in(tmp_path, KATAS)
    assert list(found(archive)[1]) == ["ada", "bob"]
    assert list(found(tmp_path, "folders")[1]) == ["w3"]


def test_an_archive_beside_others_is_a_learners(tmp_path):
    """Only one that is alone can be a download, and no link to one is followed."""
    packed(tmp_path / "in" / "ada.zip", *DOWNLOADS["moodle"])
    fill(tmp_path / "in", "bob/07_semaphore.py")
    assert list(found(tmp_path / "in")[1]) == ["ada", "bob"]
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "x.zip").symlink_to(tmp_path / "in" / "ada.zip")
    assert found(tmp_path / "linked")[1] == {"x.zip": []}


def test_an_archive_alone_in_a_folder_may_be_a_strangers(tmp_path, monkeypatch):
    """Nobody's memory is filled by looking whether it is a platform's."""
    packed(tmp_path / "jane.zip", *(f"{number}/x.txt" for number in range(200)))
    monkeypatch.setattr("checker.intake.tree.MAX_DOWNLOAD_DIRECTORY", 1000)
    assert found(tmp_path)[1] == {"jane": []}
    packed(tmp_path / "jane.zip", *(f"{number} A_{number}_assignsubmission_file_/x.txt" for number in range(200)))
    assert found(tmp_path)[1] == {"jane": []}


def test_a_damaged_archive_alone_in_a_folder_keeps_its_row(tmp_path):
    """It is said to be one."""
    fill(tmp_path, "jane.zip", text="PK")
    with closing(take_in(tmp_path, KATAS)) as intake:
        (jane,) = intake.submissions
    assert jane.learner.notes == ("jane.zip is no zip archive, or a damaged one; ask for it again.",)
