"""The `kata` command as its users meet it: a subprocess, in an empty folder."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from checker.course import installed_course

COURSE = installed_course()
SEMAPHORE = COURSE.find("07")


def check_json(kata, *words, status, **more):
    """The object that `kata check --json` prints."""
    done = kata("check", *words, "--json", **more)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


# --- verdicts ------------------------------------------------------------------------------------------------


def test_the_reference_scores_everything(kata):
    """The reference solution: exit status 0, full score, nothing but one object on standard output."""
    said = check_json(kata, "07_semaphore", "--path", str(COURSE.root / "solutions"), "--seed", "7", status=0)
    [one] = said["katas"]
    assert (said["schema"], said["seed"]) == (1, 7)
    assert said["sandbox"] in ("bwrap", "landlock", "none")
    assert (one["kata"], one["verdict"], one["diagnosis"]) == ("07_semaphore", "passed", None)
    assert one["score"] == one["max_score"] > 10
    assert {test["verdict"] for test in one["tests"]} == {"passed"}
    assert list(one["tests"][0]) == [
        "name",
        "title",
        "property",
        "verdict",
        "points",
        "max_points",
        "message",
        "ended",
    ]


def test_the_stub_scores_nothing_and_says_why(kata):
    """The stub: exit status 1, every test failed for NotImplementedError."""
    said = check_json(kata, "7", "--path", str(COURSE.root / "katas"), status=1)
    [one] = said["katas"]
    assert one["score"] == 0
    assert all(test["verdict"] == "failed" and "NotImplementedError" in test["message"] for test in one["tests"])


def test_work_that_is_not_there_is_a_row_like_others(kata, tmp_path):
    """Nothing of it is played; yet the sandbox is said, by its kind and not by how it was asked for."""
    said = check_json(kata, "7", "--path", str(tmp_path), status=1)
    [one] = said["katas"]
    assert (one["verdict"], one["score"]) == ("failed", 0)
    assert said["sandbox"] in ("bwrap", "landlock", "none")


def test_a_known_mistake_is_named(kata):
    """A known mistake is caught in the property it violates, told in one sentence, and diagnosed."""
    path = COURSE.root / "solutions/mistakes/07_semaphore/chunks_of_limit.py"
    said = check_json(kata, "--path", str(path), status=1)
    [one] = said["katas"]
    failed = [test for test in one["tests"] if test["verdict"] == "failed"]
    assert {test["property"] for test in failed} == {"timing"}
    assert "expected [0, 0, 1, 2, 3, 4], saw" in failed[0]["message"]
    assert one["diagnosis"]["mistake"] == "chunks_of_limit"


def test_the_same_seed_gives_the_same_answer(kata):
    """Two checks with one seed print the same object."""
    path = str(COURSE.root / "solutions/mistakes/07_semaphore/semaphore_in_a_loop.py")
    first, second = (check_json(kata, "7", "--path", path, "--seed", "11", status=1) for _ in range(2))
    assert first == second


def test_a_failure_shows_both_timelines_the_line_and_the_seed(kata):
    """The report of a timing failure: numbers, the learner's timeline above the reference's, hint and seed."""
    path = str(COURSE.root / "solutions/mistakes/07_semaphore/chunks_of_limit.py")
    said = kata("check", "7", "--path", path, "--seed", "5").stdout
    assert said.index("yours") < said.index("reference  ")
    for text in (
        "fetch(0)",
        f"kata check 07_semaphore --path {path} --seed 5\n",
        "kata hint 07_semaphore",
        "may be a known mistake",
        "\n24 of 25 tests passed, 27 of 29 points\n",
    ):
        assert text in said
    assert "\x1b" not in said


# --- bad input -------------------------------------------------------------------------------------------------

BAD = {
    "a syntax error": (b"async def run_limited(jobs, limit)\n", ["SyntaxError", "line 1", "^"]),
    "a failing import": (b"import no_such_module\n", ["ModuleNotFoundError", "no_such_module", "line 1"]),
    "an import that ends the process": (b"import os\nos._exit(0)\n", ["Importing your file", "ended its own process"]),
    "SystemExit": (b"raise SystemExit\n", ["Importing your file raised SystemExit"]),
    "an empty file": (b"", ["is empty"]),
    "blank lines": (b"\n\n  \n", ["is empty"]),
    "another encoding": ("x = 'é'\n".encode("latin-1"), ["not UTF-8", "line 1"]),
    "NUL bytes": (b"x = 1\n\0\0", ["NUL"]),
    "a huge file": (b"#" * 300_000, ["larger than 256 KiB"]),
    "no such function": (b"import asyncio\n", ["defines no function `run_limited`"]),
    "a function that is not async": (b"def run_limited(jobs, limit):\n    return []\n", ["must be an `async def`"]),
    "a wrong number of parameters": (b"async def run_limited(jobs):\n    return []\n", ["`run_limited(jobs, limit)`"]),
    "a number for a function": (b"run_limited = 5\n", ["must be a function", "an int"]),
    "a coroutine returned": (
        b"async def run_limited(jobs, limit):\n    async def f(): pass\n    return f()\n",
        ["returned a coroutine that nobody awaited"],
    ),
    "an object returned": (
        b"class Foo: pass\nasync def run_limited(jobs, limit):\n    return Foo()\n",
        ["returned a Foo object"],
    ),
}


@pytest.mark.parametrize(("source", "told"), BAD.values(), ids=BAD.keys())
def test_bad_files_fail_with_a_clear_sentence(kata, tmp_path, source, told):
    """Whatever is wrong with a file: exit status 1, a sentence that says what, and no traceback."""
    (tmp_path / "07_semaphore.py").write_bytes(source)
    done = kata("check", "7")
    said = " ".join(done.stdout.split())
    assert done.returncode == 1, done.stderr
    assert [text for text in told if text not in said] == []
    assert "Traceback" not in done.stdout + done.stderr


def test_a_byte_order_mark_and_windows_line_ends_are_fine(kata, tmp_path):
    """A solution saved with BOM and CRLF is the same solution."""
    text = b"\xef\xbb\xbf" + SEMAPHORE.solution.read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "07_semaphore.py").write_bytes(text)
    assert kata("check", "7").returncode == 0


def test_a_missing_file_says_how_to_begin(kata):
    """Nothing there yet: exit status 1, and the command that makes a stub."""
    done = kata("check", "7")
    assert done.returncode == 1
    assert "kata start 07_semaphore" in done.stdout


def test_a_folder_in_place_of_a_file(kata, tmp_path):
    """A folder with the file's name is told so."""
    (tmp_path / "07_semaphore.py").mkdir()
    done = kata("check", "7")
    assert (done.returncode, done.stderr) == (1, "")
    assert "is a folder" in done.stdout


WRONG = {
    "an unknown kata": (["check", "semafore"], "Did you mean 07_semaphore?"),
    "an unknown path": (["check", "7", "--path", "nowhere"], "no file or folder"),
    "an unknown path alone": (["check", "--path", "nix.py"], "no file or folder nix.py"),
    "an unknown file": (["check", "other/07_semaphore.py"], "There is no file other/07_semaphore.py."),
    "no number of seconds": (["check", "7", "--run-seconds", "nan"], "no number of seconds"),
    "endless seconds": (["check", "7", "--budget", "inf"], "is not in the range"),
    "too much processor time": (["check", "7", "--run-cpu", "9" * 21], "is not in the range"),
    "too much memory": (["check", "7", "--memory", "9" * 16], "is not in the range"),
    "too much output": (["check", "7", "--output", "9" * 14], "is not in the range"),
    "an unknown sandbox": (["check", "7", "--sandbox", "box"], "choose one of auto, bwrap"),
    "an unknown command": (["chekc"], "No such command"),
    "a hint too many": (["hint", "7", "4"], "1<=x<=3"),
    "a seed that is no number": (["check", "7", "--seed", "x"], "not a valid integer"),
}


@pytest.mark.parametrize(("words", "told"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_status_2(kata, words, told):
    """A fault of usage: exit status 2 and a sentence on standard error."""
    done = kata(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_another_name_needs_its_kata(kata, tmp_path):
    """A single file whose kata cannot be told from its name or folder is asked for."""
    shutil.copyfile(SEMAPHORE.solution, tmp_path / "answer.py")
    done = kata("check", "--path", "answer.py")
    assert done.returncode == 2
    assert "kata check KATA --path answer.py" in done.stderr
    assert kata("check", "7", "--path", "answer.py").returncode == 0


def test_a_file_that_is_named_is_the_one_that_is_graded(kata, tmp_path):
    """Its path says which file, not only which kata; another one of that name in the workspace is not meant."""
    (tmp_path / "katas").mkdir()
    shutil.copyfile(SEMAPHORE.stub, tmp_path / "katas" / "07_semaphore.py")
    (tmp_path / "other").mkdir()
    shutil.copyfile(SEMAPHORE.solution, tmp_path / "other" / "07_semaphore.py")
    assert kata("check", "other/07_semaphore.py").returncode == 0
    assert kata("check", "katas/07_semaphore.py").returncode == 1


def test_several_files_of_one_folder_are_graded(kata, tmp_path):
    """As a shell writes `other/*.py`; with katas from elsewhere among them it is not clear what is meant."""
    (tmp_path / "other").mkdir()
    for each in (COURSE.find("1"), SEMAPHORE):
        shutil.copyfile(each.solution, tmp_path / "other" / each.stub.name)
    words = ["other/01_event_loop.py", "other/07_semaphore.py"]
    assert kata("check", *words).returncode == 0
    mixed = kata("check", *words, "3")
    assert mixed.returncode == 2
    assert "--path other" in mixed.stderr


# --- the other commands --------------------------------------------------------------------------------------------


def test_list_show_and_hint(kata):
    """`list` has every kata with its title; `show` its brief without hints; `hint` one level at a time."""
    listed = kata("list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [each.name for each in COURSE.katas]
    shown = kata("show", "semaphore").stdout
    assert "Then and now" in shown
    assert "Hint" not in shown
    assert "kata hint 07_semaphore 2" in kata("hint", "7").stdout
    assert kata("hint", "7", "3").stdout != kata("hint", "7", "2").stdout


def test_doctor_says_what_this_machine_offers(kata):
    """`doctor` tries every sandbox and says which one is taken; without any, its exit status is 1."""
    done = kata("doctor")
    lines = done.stdout.splitlines()
    assert any("bwrap" in line for line in lines)
    assert any("landlock" in line for line in lines)
    chosen = next(line for line in lines if "--sandbox auto" in line)
    assert done.returncode == (0 if chosen.startswith("ok") else 1)


def test_start_makes_a_stub_and_never_overwrites(kata, tmp_path):
    """`start` puts the stub into the workspace, `check` finds it there, and a second `start` leaves it alone."""
    assert "ready" in kata("start", "7").stdout
    mine = tmp_path / "katas" / "07_semaphore.py"
    assert mine.read_bytes() == SEMAPHORE.stub.read_bytes()
    mine.write_text("# mine\n")
    assert "there already" in kata("start", "7").stdout
    assert mine.read_text() == "# mine\n"
    assert kata("check", "7").returncode == 1


def test_without_a_sandbox_it_says_so(kata):
    """`--sandbox none` grades the same, and the report says that nothing kept the code in, as it was told."""
    done = kata("check", "1", "--path", str(COURSE.root / "solutions"), "--sandbox", "none")
    assert done.returncode == 0
    assert done.stdout.endswith("\nNo sandbox, by --sandbox none: your code ran with your own rights.\n")


def test_in_a_checkout_work_is_held_to_the_course_and_not_to_itself(kata, tmp_path):
    """There the stub is the learner's file: what is wrong in it is told, and changes nothing of what is asked for."""
    root = SEMAPHORE.root
    for folder in ("checker", "katas", "solutions", "tests/katas"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    mine = tmp_path / "katas" / SEMAPHORE.stub.name
    mine.write_text("import asyncio\n\nasync def run_limited(jobs, limit)\n    return []\n")
    broken = kata("check", "07")
    assert broken.returncode == 1
    assert "SyntaxError: expected ':'" in broken.stdout
    assert "line 3: async def run_limited(jobs, limit)" in broken.stdout
    mine.write_text("def run_limited(jobs, limit):\n    return []\n")
    assert "`run_limited` must be an `async def`" in kata("check", "07").stdout
    assert kata("check", "07", "--path", "solutions").returncode == 0


def test_a_reader_who_has_read_enough_changes_nothing():
    """Whoever cuts the output off gets the exit status of the work."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as nobody_listens:
        done = subprocess.run(
            [sys.executable, "-c", "from checker.cli import main; main()", "check", "01", "--path", "solutions"],
            stdout=nobody_listens, stderr=subprocess.PIPE, text=True, check=False, timeout=240, cwd=COURSE.root,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
