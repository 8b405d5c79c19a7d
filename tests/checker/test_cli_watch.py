"""`kata watch` as a learner uses it: in the background of an editor that saves."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from checker.course import installed_course
from checker.runner import observer
from tests.checker.waiting import busy, until

COURSE = installed_course()
SEMAPHORE, LOOP = COURSE.find("07"), COURSE.find("01")


class Watch:
    """A running `kata watch`."""

    def __init__(self, folder, *words):
        self.screen = folder / "screen.txt"
        with self.screen.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from checker.cli import main; main()", "watch", *words],
                cwd=folder,
                stdout=file,
                stderr=file,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def told(self, text, times=1):
        until(lambda: self.screen.read_text().count(text) >= times or self.process.poll() is not None, f"told {text!r}")
        assert self.screen.read_text().count(text) >= times

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.fixture
def watch(tmp_path):
    """`watch(*words)`: the command, running in an empty folder."""
    begun = []

    def begin(*words):
        begun.append(Watch(tmp_path, *words))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.kill()
        each.process.wait()


def save(path, text):
    """As careful editors do: a new file takes the old one's place."""
    path.with_suffix(".part").write_text(text)
    path.with_suffix(".part").replace(path)


def test_each_save_is_graded(tmp_path, watch):
    """The kata is graded at once, and again when it is saved; what has changed is told. Ctrl-C ends it in peace."""
    mine = tmp_path / SEMAPHORE.stub.name
    mine.write_text(SEMAPHORE.stub.read_text())
    watching = watch("7")
    watching.told("07_semaphore: 0 of 25 tests passed, 0 of 29 points\nWatching 07_semaphore.py")
    save(mine, SEMAPHORE.solution.read_text())
    watching.told("25 of 25 tests passed, 29 of 29 points (+29)")
    mine.write_text("def run_limited(:\n")  # in place, as simple editors do
    watching.told("0 of 25 tests passed, 0 of 29 points (-29)")
    assert watching.end() == 0
    assert "Traceback" not in watching.screen.read_text()


def test_without_a_kata_whichever_is_saved_is_graded(tmp_path, watch):
    """Nothing is graded before something is saved, and other files are nobody's concern."""
    watching = watch()
    watching.told("Watching your katas")
    (tmp_path / "notes.py").write_text("x = 1\n")
    save(tmp_path / LOOP.stub.name, LOOP.solution.read_text())
    watching.told("01_event_loop: 13 of 13 tests passed")
    assert watching.screen.read_text().count("grading") == 1
    assert watching.end() == 0


def test_a_folder_named_from_here_is_found_at_each_save(tmp_path, watch):
    """A relative path means the same folder all evening."""
    mine = tmp_path / "mine" / LOOP.stub.name
    mine.parent.mkdir()
    mine.write_text(LOOP.stub.read_text())
    watching = watch("1", "--path", "mine")
    watching.told("01_event_loop: 0 of 13 tests passed, 0 of 17 points\nWatching 01_event_loop.py")
    save(mine, LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points (+17)")
    assert watching.end() == 0


@pytest.mark.parametrize("words", [["1"], []], ids=["named", "any"])
def test_a_stub_that_is_made_later_is_noticed(tmp_path, watch, kata, words):
    """What `kata start` puts into another terminal's workspace is watched from then on."""
    watching = watch(*words)
    watching.told("Watching")
    assert kata("start", "1").returncode == 0
    watching.told("0 of 13 tests passed, 0 of 17 points\nWatching", times=1)
    save(tmp_path / "katas" / LOOP.stub.name, LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points (+17)")
    assert watching.end() == 0


def test_a_folder_that_is_replaced_is_still_watched(tmp_path, watch):
    """It may go and come back, as git does on the way to another branch and back."""
    mine = tmp_path / "katas" / LOOP.stub.name
    mine.parent.mkdir()
    mine.write_text(LOOP.stub.read_text())
    watching = watch("1")
    watching.told("0 of 13 tests passed, 0 of 17 points\nWatching 01_event_loop.py")
    shutil.rmtree(mine.parent)
    mine.parent.mkdir()
    mine.write_text(LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points (+17)")
    save(mine, LOOP.stub.read_text())
    watching.told("0 of 13 tests passed, 0 of 17 points (-17)")
    assert watching.end() == 0


def test_a_file_that_is_gone_is_told(tmp_path, watch):
    """In one line; and it is graded when it is back."""
    mine = tmp_path / LOOP.stub.name
    mine.write_text(LOOP.stub.read_text())
    watching = watch("1")
    watching.told("0 of 13 tests passed, 0 of 17 points\nWatching 01_event_loop.py")
    mine.unlink()
    watching.told("\n01_event_loop.py is gone; it will be graded when it is back.\n")
    save(mine, LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points (+17)")
    assert watching.end() == 0
    assert watching.screen.read_text().count("gone") == 1


def test_of_many_files_that_are_gone_it_is_told_in_one_line_too(tmp_path, watch):
    """As when their folder is moved away."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for kata in COURSE.katas[:5]:
        (mine / kata.stub.name).touch()
    watching = watch("--path", "mine")
    watching.told("Watching your katas")
    mine.rename(tmp_path / "elsewhere")
    watching.told("\n5 files are gone; they will be graded when they are back.\n")
    assert watching.end() == 0


def test_the_file_behind_a_link_is_watched(tmp_path, watch):
    """Whoever keeps katas elsewhere and links to them saves the real file."""
    real = tmp_path / "repository" / LOOP.stub.name
    real.parent.mkdir()
    real.write_text(LOOP.stub.read_text())
    (tmp_path / LOOP.stub.name).symlink_to(real)
    watching = watch("1")
    watching.told("0 of 13 tests passed, 0 of 17 points\nWatching 01_event_loop.py")
    save(real, LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points (+17)")
    assert watching.end() == 0


def test_signs_that_the_terminal_lacks_end_nothing(tmp_path, watch, monkeypatch):
    """What a learner prints is shown with escapes where the encoding does not have it."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    (tmp_path / LOOP.stub.name).write_text('raise ValueError("\N{CHECK MARK}")\n')
    watching = watch("1")
    watching.told("\\u2713")
    watching.told("Watching 01_event_loop.py")
    assert watching.end() == 0


def test_a_file_of_another_name_is_asked_for_by_this_command(tmp_path, watch):
    """The advice is the command that was meant."""
    (tmp_path / "answer.py").touch()
    watching = watch("--path", "answer.py")
    assert watching.process.wait(timeout=60) == 2
    watching.told("kata watch KATA --path answer.py")


def test_a_grader_that_dies_is_told_and_the_next_save_is_graded(tmp_path, watch):
    """Whatever happens to the process that grades, watching goes on."""
    mine = tmp_path / LOOP.stub.name
    mine.write_text("while True: pass\n")
    watching = watch("1", "--run-cpu", "60", "--run-seconds", "60")
    looping = until(lambda: busy(watching.process.pid), "at work")
    os.kill(_child_above(watching.process.pid, looping), signal.SIGKILL)
    watching.told("The grader's process ended before its work was done")
    save(mine, LOOP.solution.read_text())
    watching.told("13 of 13 tests passed, 17 of 17 points")
    assert watching.end() == 0


def _child_above(root, pid):
    """The child of `root` that a process comes of."""
    return next(one for one in observer.descendants(root)[1:] if pid in observer.descendants(one)[1:])


def test_a_folder_that_is_not_there_is_told(watch):
    """As `kata check` has it."""
    watching = watch("7", "--path", "nowhere")
    assert watching.process.wait(timeout=60) == 2
    watching.told("There is no file or folder nowhere.")
