"""Who must not be lost or invented beside what systems, tools, teachers and this program leave."""

from contextlib import closing

import pytest

from checker.intake import take_in
from tests.checker.intake.batches import KATAS, fill, found, packed

# --- nobody is lost --------------------------------------------------------------------------------------------

LOOSE = ["dora.tar.gz", "fay.7z", "gus.RAR", "eve_01_event_loop.py", "hal.zip"]


@pytest.mark.parametrize("learner", ["ada", "Ada_3_assignsubmission_file_"])
def test_loose_files_beside_learners_have_a_row(tmp_path, learner):
    """Archives and Python files become rows, with the reason; papers are passed over, the rest is told."""
    fill(tmp_path, f"{learner}/07_semaphore.py", *LOOSE, "README.txt", "roster.csv", ".DS_Store", "Thumbs.db", "x.pdf")
    with closing(take_in(tmp_path, KATAS)) as intake:
        rows = {each.learner.name: each for each in intake.submissions}
        assert sorted(rows) == sorted(
            ["ada" if learner == "ada" else "Ada", "dora", "eve_01_event_loop", "fay", "gus", "hal"]
        )
        problem = rows["dora"].problem
        assert problem == "dora.tar.gz is an archive of a kind that is not read; hand in a folder or a zip archive."
        assert (
            rows["eve_01_event_loop"].source("01_event_loop").problem.endswith("put it into one, named as the kata is.")
        )
        assert rows["hal"].learner.notes == ("hal.zip is no zip archive, or a damaged one; ask for it again.",)
        assert intake.notes == ["x.pdf is left out: it is no folder, zip archive or Python file."]


def test_learners_may_be_called_as_environments_are(tmp_path):
    """A top folder `venv` or `env` is somebody's, unless an environment is in it."""
    fill(tmp_path, "ada/07_semaphore.py", "venv/07_semaphore.py", "env/x.txt")
    assert found(tmp_path)[1] == {"ada": ["07_semaphore"], "env": [], "venv": ["07_semaphore"]}
    fill(tmp_path, "env/pyvenv.cfg", "env/share/katas/07_semaphore.py")
    with closing(take_in(tmp_path, KATAS)) as intake:
        assert [each.learner.name for each in intake.submissions] == ["ada", "venv"]
        assert intake.notes == ["env is left out: it holds a virtual environment."]


@pytest.mark.parametrize(
    "names",
    [
        ["carol/gradebook.sqlite", "carol/01_event_loop.py.txt"],
        ["carol/gradebook.sqlite", "carol/grades.csv", "carol/01_event_loop (1).PY.TXT"],
        ["carol/gradebook.sqlite", "carol/work.tar.gz"],
        ["env/pyvenv.cfg", "env/07_semaphore.py"],
        ["VENV/pyvenv.cfg", "VENV/katas/7 Semaphore.py"],
        ["gradescope/gradebook.sqlite", "gradescope/07_semaphore.py"],
        [".bob/07_semaphore.py"],
        ["node_modules/katas/07_semaphore.py"],
    ],
)
@pytest.mark.parametrize("others", [["ada/07_semaphore.py"], []])
def test_who_hands_in_a_kata_has_a_row(tmp_path, names, others):
    """Whatever else lies in a learner's folder, and whatever it is called."""
    fill(tmp_path, *names, *others)
    with closing(take_in(tmp_path, KATAS)) as intake:
        learners = {each.learner.name: each for each in intake.submissions}
        assert sorted(learners) == sorted({name.partition("/")[0] for name in names + others})
        assert all(each.answers or "work.tar.gz" in str(each.learner.notes) for each in learners.values())
        assert intake.notes == []


def test_who_is_left_out_is_told(tmp_path):
    """What may be somebody's is named with the reason, also above where the submissions begin."""
    fill(tmp_path, ".cyd/x.txt", ".dan.zip", "gradescope/x/results.json", "site-packages/x.txt")
    fill(tmp_path, ".git/HEAD", "__MACOSX/._x", ".DS_Store", "._ada.zip", "roster.csv")
    fill(tmp_path, "all/ada/07_semaphore.py", "all/bob/07_semaphore.py", "all/.eve/x.txt", "all/old/gradebook.sqlite")
    with closing(take_in(tmp_path, KATAS)) as intake:
        assert [each.learner.name for each in intake.submissions] == ["ada", "bob"]
        assert intake.notes == [
            ".cyd is left out: its name begins with a dot.",
            ".dan.zip is left out: its name begins with a dot.",
            "gradescope is left out: it holds what an earlier batch has written.",
            "site-packages is left out: its name is one that tools use.",
            "all/.eve is left out: its name begins with a dot.",
            "all/old is left out: it holds what an earlier batch has written.",
        ]


def test_who_is_left_out_beside_a_download_is_told(tmp_path):
    """A download that is looked into has other notes of its own."""
    packed(tmp_path / "week 3.zip", "Jane_12_assignsubmission_file_/07_semaphore.py")
    fill(tmp_path, ".cyd/x.txt")
    with closing(take_in(tmp_path, KATAS)) as intake:
        assert intake.notes[0] == ".cyd is left out: its name begins with a dot."


@pytest.mark.parametrize("aside", [".history/07_semaphore.py", "node_modules/07_semaphore.py"])
def test_a_tools_copy_makes_one_learner_no_two(tmp_path, aside):
    """An editor may keep earlier states in a learner's own folder."""
    fill(tmp_path / "ada", "07_semaphore.py", aside)
    assert found(tmp_path / "ada") == ("single", {"ada": ["07_semaphore"]})


# --- what this program writes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["results", "results/run 2", "."])
def test_results_are_nobodys(tmp_path, out):
    """Whatever an earlier run has written into the batch is no learner's, and changes no layout."""
    fill(tmp_path, "ada/07_semaphore.py")
    before = found(tmp_path)
    fill(tmp_path / out, "gradebook.sqlite", "gradebook.sqlite-wal", ".lock", "grades.csv", "junit.xml", "summary.md")
    fill(tmp_path / out, "grades.json", "ctrf.json", "gradescope/ada/results.json")
    fill(tmp_path, "earlier/gradebook.sqlite", "earlier/gradescope/ada/results.json")
    with closing(take_in(tmp_path, KATAS, out=tmp_path / out)) as intake:
        assert (intake.layout, [each.learner.name for each in intake.submissions]) == (before[0], list(before[1]))
        assert intake.notes == ["earlier is left out: it holds what an earlier batch has written."]


def test_an_empty_output_folder_is_nobodys(tmp_path):
    """The output folder is left out by its place, whatever is in it; a learner with a gradebook keeps the row."""
    fill(tmp_path, "ada/07_semaphore.py", "bob/gradebook.sqlite", "bob/katas/07_semaphore.py", "gradescope/x.txt")
    (tmp_path / "results").mkdir()
    with closing(take_in(tmp_path, KATAS, out=tmp_path / "results")) as intake:
        assert [each.learner.name for each in intake.submissions] == ["ada", "bob", "gradescope"]
