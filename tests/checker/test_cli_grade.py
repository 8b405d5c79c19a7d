"""`kata grade` as its users meet it: a subprocess, real sandboxes, and the gradebook that it leaves."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from checker.cli.grade import _katas
from checker.course import installed_course
from checker.intake import Handed, Intake
from checker.intake.tree import open_tree
from checker.rows import Assignment, Learner
from tests.checker.intake.batches import far_away
from tests.checker.waiting import until

COURSE = installed_course()
SEMAPHORE = COURSE.find("07")
RIGHT = SEMAPHORE.solution
STUB = SEMAPHORE.stub
WRONG = COURSE.root / "solutions/mistakes/07_semaphore/chunks_of_limit.py"
NAME = "07_semaphore.py"


@pytest.fixture
def batch(tmp_path):
    """`batch(ada=PATH or text, …)`: a folder of submissions."""

    def make(**learners):
        for name, source in learners.items():
            folder = tmp_path / "in" / name
            folder.mkdir(parents=True, exist_ok=True)
            text = source.read_text() if isinstance(source, Path) else source
            (folder / NAME).write_text(text)
        return tmp_path / "in"

    return make


def book(out, columns="verdict, score = max_score AND score > 0, problem"):
    """What the gradebook says of each learner."""
    with closing(sqlite3.connect(out / "gradebook.sqlite")) as base:
        return {row[0]: row[1:] for row in base.execute(f"SELECT learner, {columns} FROM gradings")}


def test_everybody_has_a_row_and_a_reason(kata, batch, tmp_path):
    """Right, wrong, empty, broken and missing work: a row each, faults named, exit status 1."""
    folder = batch(ada=RIGHT, bob=STUB, cyd=WRONG, dan="", eve="def broken(:\n")
    (folder / "fay").mkdir()
    (folder / "fay" / "notes.ipynb").write_text("{}")
    (tmp_path / "roster.csv").write_text("name\nAda\nGus\n")
    done = kata("grade", str(folder), "--out", "out", "--roster", "roster.csv", "--seed", "5", "--jobs", "2")
    assert done.returncode == 1, done.stderr
    assert "7 learners in" in done.stdout
    assert "2 passed, 4 did not, 1 handed in nothing" in done.stdout
    said = book(tmp_path / "out")
    assert said["ada"] == ("passed", 1, "")
    assert said["bob"] == ("failed", 0, "")
    assert said["dan"] == ("failed", 0, "07_semaphore.py is empty.")
    assert said["fay"] == ("failed", 0, "No file for 07_semaphore was handed in.")
    assert said["Gus"] == ("failed", 0, "Nothing was handed in.")
    assert book(tmp_path / "out", "mistake")["cyd"] == ("chunks_of_limit",)
    with closing(sqlite3.connect(tmp_path / "out" / "gradebook.sqlite")) as base:
        messages = {row[0] for row in base.execute("SELECT DISTINCT message FROM tests WHERE learner = 'eve'")}
        seeds = {row[0] for row in base.execute("SELECT DISTINCT seed FROM gradings")}
    assert len(messages) == 1
    assert "line 1" in messages.pop()
    assert seeds == {5}


def test_one_hostile_archive_stops_nobody(kata, batch, tmp_path):
    """Whoever hands in an archive that is damaged with care has a row that says so, and all others have theirs."""
    (tmp_path / "in" / "mallory").mkdir(parents=True)
    (tmp_path / "in" / "mallory" / "work.zip").write_bytes(far_away(2**63 + 5))
    done = kata("grade", str(batch(ada=RIGHT, zoe=RIGHT)), "--out", "out")
    assert done.returncode == 1, done.stderr
    said = book(tmp_path / "out")
    assert said["ada"] == said["zoe"] == ("passed", 1, "")
    assert said["mallory"][0] == "failed"
    assert "07_semaphore.py in mallory/work.zip is damaged" in said["mallory"][2]


def test_all_right_is_exit_status_0(kata, batch, tmp_path):
    """When everything passes the exit status says so."""
    done = kata("grade", str(batch(ada=RIGHT)), "--out", str(tmp_path / "out"))
    assert (done.returncode, "1 learner in" in done.stdout) == (0, True), done.stderr


def test_a_changed_file_alone_is_graded_again(kata, batch, tmp_path):
    """The same command resumes: unchanged rows stay as they are, to the second; `--fresh` starts over."""
    out = tmp_path / "out"
    kata("grade", str(batch(ada=RIGHT, bob=STUB)), "--out", "out", "--format", "canvas,json")
    columns = "verdict, seed, finished, seconds"
    before = book(out, columns)
    again = kata("grade", str(batch(bob=RIGHT)), "--out", "out", "--format", "json")
    notes = [line for line in again.stdout.splitlines() if "an earlier batch" in line]
    assert notes == ["Note: out/canvas.csv is of an earlier batch; --format canvas writes it anew."]
    after = book(out, columns)
    assert after["ada"] == before["ada"]
    assert after["bob"][:2] == ("passed", before["bob"][1])
    kata("grade", str(batch(bob=RIGHT)), "--out", "out", "--fresh")
    assert book(out, columns)["ada"][1] != before["ada"][1]


def test_scores_do_not_depend_on_the_jobs(kata, batch, tmp_path):
    """One job or two: the same seed gives the same rows, messages included."""
    folder = batch(ada=RIGHT, bob=STUB, cyd=WRONG, dan="import os; os._exit(3)")

    def messages(out):
        with closing(sqlite3.connect(tmp_path / out / "gradebook.sqlite")) as base:
            return base.execute("SELECT learner, name, verdict, points, message FROM tests ORDER BY 1, 2").fetchall()

    for jobs in ("1", "2"):
        kata("grade", str(folder), "--out", jobs, "--jobs", jobs, "--seed", "3")
    assert messages("1") == messages("2") != []


def test_a_zip_from_canvas_with_weights(kata, tmp_path):
    """A platform's download, a course file with weights and pass mark: two katas, one row each."""
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("doejane_12_901_07_semaphore.py", RIGHT.read_text())
        archive.writestr("poebob_LATE_7_902_07_semaphore.py", STUB.read_text())
    (tmp_path / "course.toml").write_text('pass_mark = 50\n[weights]\n"07" = 3\n"01" = 1\n')
    done = kata("grade", "submissions.zip", "--out", "out", "--course", "course.toml")
    assert done.returncode == 1, done.stderr
    assert "2 learners" in done.stdout
    assert "1 passed, 1 did not" in done.stdout
    assert "layout canvas, katas 01_event_loop, 07_semaphore" in done.stdout


def test_what_it_writes_is_nobodys_work(kata, batch):
    """The folder for results may lie among the submissions, or be theirs: the same learners the next time."""
    folder = batch(ada=RIGHT)
    for out in (folder / "results", folder):
        done = kata("grade", str(folder), "--out", str(out), "--format", "csv,json,gradescope,junit,ctrf,canvas,moodle")
        assert (done.returncode, "1 learner in" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_late_penalty_may_cost_the_pass_mark(kata, tmp_path):
    """Whoever does not pass is no success, though every test did: exit status 1."""
    (tmp_path / "in").mkdir()
    shutil.copy(RIGHT, tmp_path / "in" / f"adalee_LATE_12_901_{NAME}")
    (tmp_path / "course.toml").write_text("late_penalty = 10\npass_mark = 95\n")
    done = kata("grade", "in", "--layout", "canvas", "--out", "out", "--course", "course.toml")
    assert "0 passed, 1 did not" in done.stdout
    assert done.returncode == 1, done.stderr


def test_a_reader_who_has_read_enough_changes_nothing(batch, tmp_path):
    """The exit status is that of the batch."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from checker.cli import main; main()", "grade", str(batch(ada=RIGHT))]
    with os.fdopen(writer) as nobody_listens:
        done = subprocess.run(
            [*command, "--out", str(tmp_path / "out"), "--format", "csv,github"],
            stdout=nobody_listens, stderr=subprocess.PIPE, text=True, check=False, timeout=240,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("cannot")) == (0, 0), done.stderr
    assert (tmp_path / "out" / "grades.csv").exists()


# --- what bad input gets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--out", "out"], "There is no file or folder nowhere."),
        (["empty", "--out", "out"], "holds no submission"),
        (["notes", "--out", "out"], "Nobody has handed in a file that is named like a kata"),
        (["broken.zip", "--out", "out"], "broken.zip is no zip archive, or a damaged one"),
        (["in", "--out", "file"], "cannot be written"),
        (["in", "--out", "out", "--format", "xlsx"], "There is no format 'xlsx'; choose from csv"),
        (["in", "--out", "out", "--layout", "odd"], "There is no layout 'odd'; choose from auto"),
        (["in", "--out", "out", "--kata", "99"], "There is no kata '99'."),
        (["in", "--out", "out", "--sandbox", "odd"], "There is no sandbox 'odd'"),
        (["in", "--out", "out", "--seed", str(2**63)], "is not in the range"),
        (["in", "--out", "out", "--roster", "nowhere"], "The roster nowhere cannot be read"),
        (["in", "--out", "out", "--course", "nowhere"], "The course file nowhere cannot be read"),
    ],
)
def test_bad_input_ends_in_a_sentence(kata, batch, tmp_path, words, said):
    """Wrong usage: one sentence, exit status 2, no traceback."""
    batch(ada=RIGHT)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes" / "ada").mkdir(parents=True)
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 nothing more")
    (tmp_path / "file").write_text("")
    done = kata("grade", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_class_of_which_nothing_can_be_read_is_not_told_that_it_has_handed_in_nothing(capsys, tmp_path):
    """What fails is the disk, and the same command may find more the next time."""
    lost = Handed(Learner("bob", "Bob"), {}, fault="bob cannot be read: Input/output error.")
    with pytest.raises(SystemExit) as ended:
        _katas([], Assignment(), Intake("folders", [lost], [], open_tree(tmp_path)), installed_course())
    said = capsys.readouterr().err
    assert ended.value.code == 3
    assert said.startswith("bob cannot be read: Input/output error. Nobody else has handed in a kata")


def test_an_empty_folder_is_a_class_that_has_handed_in_nothing(kata, tmp_path):
    """With a roster everybody on it has a row; a note says that nothing was there, should it be the wrong folder."""
    (tmp_path / "in").mkdir()
    (tmp_path / "roster.csv").write_text("name\nAda\nGus\n")
    done = kata("grade", "in", "--out", "out", "--roster", "roster.csv", "--kata", "7")
    assert done.returncode == 1, done.stderr
    assert "2 learners in" in done.stdout
    assert "0 passed, 0 did not, 2 handed in nothing" in done.stdout
    assert "Note: in holds no submission: everybody on the roster has handed in nothing." in done.stdout
    assert book(tmp_path / "out", "problem") == dict.fromkeys(("Ada", "Gus"), ("Nothing was handed in.",))
    done = kata("grade", "in", "--out", "out", "--roster", "roster.csv")
    assert (done.returncode, "Name the katas with --kata" in done.stderr) == (2, True)


def test_a_gradebook_is_emptied_only_when_somebody_can_grade(kata, batch, tmp_path):
    """`--fresh` with a cluster that does not answer leaves what was graded."""
    folder = str(batch(ada=RIGHT))
    kata("grade", folder, "--out", "out", "--seed", "5")
    before = book(tmp_path / "out", "verdict, seed, finished")
    done = kata("grade", folder, "--out", "out", "--fresh", "--dask", "nonsense:9")
    assert done.returncode == 3, done.stderr
    assert "No Dask scheduler answers at nonsense:9" in done.stderr
    assert book(tmp_path / "out", "verdict, seed, finished") == before
    assert list(before) == ["ada"]


NOWHERE = """
import checker.sandbox.bwrap, checker.sandbox.landlock
from checker.sandbox import Unavailable
def refuse(*_, **__):
    raise Unavailable("not on this machine")
checker.sandbox.bwrap.launch = checker.sandbox.landlock.launch = refuse
from checker.cli import main
main()
"""


def test_without_a_sandbox_nothing_is_graded_unless_told(batch, tmp_path):
    """Strangers' code is not run unprotected by accident."""

    def grade(*words):
        command = [sys.executable, "-c", NOWHERE, "grade", str(batch(ada=RIGHT)), "--out", str(tmp_path / "out")]
        return subprocess.run([*command, *words], capture_output=True, text=True, check=False, timeout=240)

    done = grade()
    assert done.returncode == 2
    assert "There is no sandbox on this machine" in done.stderr
    assert "kata doctor" in done.stderr
    assert not (tmp_path / "out").exists()
    done = grade("--sandbox", "none")
    assert done.returncode == 0, done.stderr
    assert "sandbox none" in done.stdout


# --- interruptions -------------------------------------------------------------------------------------------


def started(folder, out, *words):
    """The command in the background."""
    command = [sys.executable, "-c", "from checker.cli import main; main()", "grade", str(folder), "--out", str(out)]
    return subprocess.Popen(
        [*command, *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def rows(out):
    try:
        return len(book(out))
    except sqlite3.Error:
        return 0


def children(pid):
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(int(text.split()[0]))
    return found


def workers(pid):
    """The driver's workers: children that have children or load the checker, not multiprocessing's own helper."""
    return [each for each in children(pid) if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.fixture
def many(batch):
    """Twelve submissions of three kinds."""
    kinds = [RIGHT, STUB, WRONG]
    return batch(**{f"learner{number:02}": kinds[number % 3] for number in range(12)})


def test_a_killed_driver_loses_nothing_and_leaves_nobody(kata, many, tmp_path):
    """kill -9 of the driver: its workers and sandboxes end, what was written stays, the same command goes on."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    kata("grade", str(many), "--out", str(whole), "--seed", "4", "--jobs", "2")
    driver = started(many, out, "--seed", "4", "--jobs", "2")
    until(lambda: rows(out) >= 2, "two rows")
    family = [pid for worker in workers(driver.pid) for pid in (worker, *children(worker))]
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "ended")
    kept = book(out, "verdict, score, finished")
    assert 2 <= len(kept) < 12
    done = kata("grade", str(many), "--out", str(out), "--jobs", "2")
    assert done.returncode == 1, done.stderr
    after = book(out, "verdict, score, finished")
    assert {name: after[name] for name in kept} == kept
    assert book(out, "verdict, score, seed") == book(whole, "verdict, score, seed")


def test_a_killed_worker_costs_nothing_but_time(many, tmp_path):
    """kill -9 of a worker: its submission is graded again by another, and every row is there."""
    out = tmp_path / "out"
    driver = started(many, out, "--seed", "4", "--jobs", "2")
    until(lambda: rows(out) >= 1, "one row")
    os.kill(workers(driver.pid)[0], signal.SIGKILL)
    _, told = driver.communicate(timeout=240)
    assert driver.returncode == 1, told
    found = book(out, "verdict")
    assert len(found) == 12
    assert {row[0] for row in found.values()} == {"passed", "failed"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_writes_the_tables_and_says_how_to_go_on(many, tmp_path, number):
    """Ctrl-C, or a polite kill: a sentence, no traceback, and what was graded is kept."""
    out = tmp_path / "out"
    driver = started(many, out, "--jobs", "2")
    until(lambda: rows(out) >= 1, "one row")
    driver.send_signal(number)
    _, told = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert "the same command goes on" in told
    assert "Traceback" not in told
    assert "leaked" not in told
    assert rows(out) >= 1
    assert (out / "grades.csv").exists()


def test_two_graders_in_one_folder_are_kept_apart(kata, many, tmp_path):
    """The second grader is refused at once, and the first goes on."""
    out = tmp_path / "out"
    driver = started(many, out, "--jobs", "1")
    until(lambda: rows(out) >= 1, "one row")
    second = kata("grade", str(many), "--out", str(out))
    assert second.returncode == 2
    assert "Somebody else is grading into" in second.stderr
    driver.kill()
    driver.communicate()


def test_a_full_disk_ends_in_a_sentence(kata, many, tmp_path):
    """No room for the gradebook: a sentence, no traceback, exit status 2 or 3."""
    if shutil.which("prlimit") is None:
        pytest.fail("prlimit (util-linux) is needed for this test")
    command = ["prlimit", "--fsize=65536:", sys.executable, "-c", "from checker.cli import main; main()"]
    done = subprocess.run(
        [*command, "grade", str(many), "--out", str(tmp_path / "out"), "--jobs", "1"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode in (2, 3), done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
