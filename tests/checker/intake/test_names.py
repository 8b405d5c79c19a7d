"""Which file is the answer to which kata."""

import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.intake.names import MAX_SEEN, Search, kata_of, natural
from checker.intake.tree import Folder

KATAS = ["01_event_loop", "07_semaphore", "16_process_pool"]


@pytest.mark.parametrize(
    ("name", "kata", "again"),
    [
        ("07_semaphore.py", "07_semaphore", 0),
        ("07_semaphore (1).py", "07_semaphore", 0),
        ("07_semaphore-2.py", "07_semaphore", 2),
        ("07_semaphore copy.py", "07_semaphore", 0),
        ("07_semaphore.py.txt", "07_semaphore", 0),
        ("7_semaphore.py", "07_semaphore", 0),
        ("07-Semaphore.PY", "07_semaphore", 0),
        ("07 semaphore.py", "07_semaphore", 0),
        ("01 Event Loop (12).py", "01_event_loop", 0),
        ("16-process-pool.py", "16_process_pool", 0),
        ("01_event_loop (1)-2.py", "01_event_loop", 2),
        ("01_event_loop-2 (1).py", "01_event_loop", 2),
        ("01_event_loop - Copy (2).py", "01_event_loop", 0),
        ("01_event_loop - Copy - Copy.py", "01_event_loop", 0),
        ("07_semaphore -2.py", "07_semaphore", 2),
        ("  07   semaphore \t (1)  .py", "07_semaphore", 0),
    ],
)
def test_a_renamed_file_is_known(name, kata, again):
    """Browsers, platforms and people rename files; what is meant is found all the same."""
    assert kata_of(name, KATAS)[:2] == (kata, again)


@pytest.mark.parametrize(
    "name",
    ["semaphore.py", "queue.py", "json.py", "07.py", "07_semaphore.ipynb", "07_semaphore.pyc", "test_07_semaphore.py",
     "107_semaphore.py", "08_semaphore.py", "07_semaphore_notes.py", "", ".py", "conftest.py", "(1)-2.py",
     "07" + " " * 300 + "semaphore.py"],
)  # fmt: skip
def test_other_files_are_no_answers(name):
    """A helper, a test, a notebook or another kata's number is nobody's answer."""
    assert kata_of(name, KATAS) is None


@pytest.mark.parametrize("filling", [" ", "\t ", " -", " copy", "(1)", " (1", "-1", "_", "1 "])
def test_a_name_takes_no_time(filling):
    """An archive may hold thousands of names as long as a disk allows: each is understood in a moment."""
    name = f"07_semaphore{filling * 250}"[:250] + "x.py"
    began = time.process_time()
    for _ in range(20):
        kata_of(name, KATAS)
    assert (time.process_time() - began) / 20 < 0.005


@given(st.text(max_size=60))
def test_any_name_is_understood_or_not(name):
    """No name makes the reader fail."""
    found = kata_of(name, KATAS)
    assert found is None or found[0] in KATAS


def searched(folder):
    search = Search(KATAS)
    search.folder(Folder(folder), "")
    return search


def write(path, text="x = 1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_right_name_is_taken_before_a_copy(tmp_path):
    """Of a file and a browser's copy of it the file counts, and the copy is mentioned."""
    write(tmp_path / "07_semaphore.py")
    write(tmp_path / "07_semaphore (1).py")
    search = searched(tmp_path)
    assert search.answers()["07_semaphore"].path == "07_semaphore.py"
    assert search.notes == ["There are several files for 07_semaphore: 07_semaphore (1).py was left out."]


def test_a_later_resubmission_is_taken(tmp_path):
    """The highest number of a resubmission counts."""
    for name in ("07_semaphore.py", "07_semaphore-2.py", "07_semaphore-10.py"):
        write(tmp_path / name)
    assert searched(tmp_path).answers()["07_semaphore"].path == "07_semaphore-10.py"


def chosen(folder, *names, kata="01_event_loop"):
    """Which of these files of a learner counts."""
    for name in names:
        write(folder / name)
    return searched(folder).answers()[kata].shown


@pytest.mark.parametrize(
    ("names", "right"),
    [
        (["01_event_loop.py", "old/01_event_loop-1.py"], "01_event_loop.py"),
        (["01_event_loop-2.py", "old/01_event_loop.py"], "01_event_loop-2.py"),
        (["01_event_loop (1).py", "backup/01_event_loop.py"], "01_event_loop (1).py"),
        (["01_event_loop.py", "katas_old/katas/01_event_loop.py"], "01_event_loop.py"),
        (["01_event_loop.py", "katas/01_event_loop-3.py"], "01_event_loop.py"),
        (["01_event_loop.py", "work/katas/01_event_loop-3.py"], "01_event_loop.py"),
        (["01_event_loop.py", "katas/01_event_loop.py", "katas/01_event_loop-3.py"], "katas/01_event_loop-3.py"),
    ],
)
def test_a_backup_is_not_taken_for_the_work(tmp_path, names, right):
    """A resubmission number counts among the files of its own folder; elsewhere what lies nearest to the top."""
    assert chosen(tmp_path, *names) == right


def test_numbers_are_compared_by_what_they_are_worth(tmp_path):
    """The tenth copy is later than the ninth."""
    assert chosen(tmp_path, "01_event_loop (9).py", "01_event_loop (10).py") == "01_event_loop (10).py"
    assert natural("a-2/x.py") < natural("a-10/x.py")
    assert natural("work.zip") < natural("work-2.zip")
    assert natural("9" * 10_000)


@pytest.mark.parametrize("learner", ["ada", "zoe", "katas", "old"])
def test_the_learners_name_sways_nothing(tmp_path, learner):
    """A loose file counts before one in an archive, whatever the learner's folder is called."""
    write(tmp_path / learner / "01_event_loop (1).py")
    with zipfile.ZipFile(tmp_path / learner / "mine.zip", "w") as archive:
        archive.writestr("katas/01_event_loop.py", "x = 2")
    search = Search(KATAS)
    search.folder(Folder(tmp_path), learner)
    assert search.answers()["01_event_loop"].path == f"{learner}/01_event_loop (1).py"
    assert search.notes == [
        f"There are several files for 01_event_loop: katas/01_event_loop.py in {learner}/mine.zip was left out."
    ]


def test_of_two_archives_with_the_same_file_one_is_said_to_be_left_out(tmp_path):
    """A note names the archive whose file does not count."""
    for name in ("work.zip", "work-2.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("01_event_loop.py", name)
    search = searched(tmp_path)
    assert search.answers()["01_event_loop"].shown == "01_event_loop.py in work-2.zip"
    assert search.notes == ["There are several files for 01_event_loop: 01_event_loop.py in work.zip was left out."]


def test_a_checkout_of_the_course_is_graded_by_its_katas(tmp_path):
    """In a checkout of the course neither solutions nor tests are a learner's work, even where a kata is missing."""
    write(tmp_path / "katas" / "07_semaphore.py")
    write(tmp_path / "solutions" / "07_semaphore.py")
    write(tmp_path / "solutions" / "01_event_loop.py")
    write(tmp_path / "tests" / "katas" / "01_event_loop.py")
    answers = searched(tmp_path).answers()
    assert {kata: each.path for kata, each in answers.items()} == {"07_semaphore": "katas/07_semaphore.py"}


def test_a_learners_own_folder_of_solutions_counts(tmp_path):
    """A folder called `solutions` is a learner's own where there is no folder `katas` beside it."""
    write(tmp_path / "solutions" / "07_semaphore.py")
    assert searched(tmp_path).answers()["07_semaphore"].path == "solutions/07_semaphore.py"


def test_junk_is_passed_over(tmp_path):
    """What systems and tools leave is no work: hidden folders, `__MACOSX`, virtual environments."""
    for folder in (".git", "__MACOSX", "venv", "node_modules", ".idea", "__pycache__"):
        write(tmp_path / folder / "07_semaphore.py")
    assert searched(tmp_path).answers() == {}


def test_what_there_was_instead_is_said(tmp_path):
    """A learner's work is called empty only if it is."""
    assert searched(tmp_path).nothing() == "No file is named like a kata; it is empty."
    write(tmp_path / "venv" / "01_event_loop.py")
    assert (
        searched(tmp_path).nothing() == "No file is named like a kata; not looked into: venv (a name that tools use)."
    )
    write(tmp_path / "/".join("abcdefghijklm") / "01_event_loop.py")
    assert "not looked into: m (more than 12 folders deep), venv (" in searched(tmp_path).nothing()
    (tmp_path / "mine.py").symlink_to(tmp_path / "venv")
    assert "there are mine.py (a link); not looked into" in searched(tmp_path).nothing()
    write(tmp_path / "katas.tar.gz")
    assert "there are katas.tar.gz (an archive, but no zip archive), mine.py" in searched(tmp_path).nothing()


NOTEBOOK = (
    "07_semaphore.ipynb was left out: it is a Jupyter notebook; save it as a Python script (Save and Export Notebook"
    " As) and give that."
)


def test_a_notebook_named_like_a_kata_is_said_to_be_one(tmp_path):
    """Whoever hands in another kind of file than a Python file reads what it is, and what to hand in instead."""
    write(tmp_path / "07_semaphore.ipynb")
    search = searched(tmp_path)
    assert (search.answers(), search.notes, search.nothing()) == ({}, [NOTEBOOK], "")
    write(tmp_path / "01_event_loop (1).PDF")
    write(tmp_path / "16_process_pool.py")
    search = searched(tmp_path)
    assert list(search.answers()) == ["16_process_pool"]
    assert search.notes == [
        "01_event_loop (1).PDF was left out: it is a PDF; give the Python file itself.",
        NOTEBOOK,
    ]


def test_a_notebook_beside_its_script_is_no_news(tmp_path):
    """Who has exported the notebook has done what there is to do; other notebooks are called what they are."""
    write(tmp_path / "07_semaphore.ipynb")
    write(tmp_path / "07_semaphore.py")
    search = searched(tmp_path)
    assert (list(search.answers()), search.notes) == (["07_semaphore"], [])
    write(tmp_path / "other" / "Untitled.ipynb")
    assert searched(tmp_path / "other").nothing() == (
        "No file is named like a kata; there are Untitled.ipynb (a Jupyter notebook)."
    )


def test_a_note_that_tells_all_is_enough(tmp_path):
    """Where the kata's file is a link, nothing else is said."""
    (tmp_path / "01_event_loop.py").symlink_to(tmp_path)
    search = searched(tmp_path)
    assert search.nothing() == ""
    assert search.notes == ["01_event_loop.py was left out: it is a link; hand in the file itself."]


def test_a_link_is_not_followed(tmp_path):
    """A link to a file, even to a right one, is no work, and said to be left out."""
    write(tmp_path / "elsewhere.txt")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "07_semaphore.py").symlink_to(tmp_path / "elsewhere.txt")
    (tmp_path / "work" / "katas").symlink_to(tmp_path)
    search = searched(tmp_path / "work")
    assert search.answers() == {}
    assert search.notes == ["07_semaphore.py was left out: it is a link; hand in the file itself."]


def test_a_flood_of_files_is_cut_off(tmp_path, monkeypatch):
    """Only so many names are looked at, and the report says so."""
    monkeypatch.setattr("checker.intake.names.MAX_SEEN", 50)
    for number in range(80):
        (tmp_path / f"{number}.txt").touch()
    search = searched(tmp_path)
    assert MAX_SEEN > 50
    assert search.notes == ["Only the first 50 names were looked at."]
