"""What a submission prints or raises cannot act on the reader's terminal, log or page."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from checker.batch.driver import Counts
from checker.cli import check, common, grade
from checker.messages import Limits
from checker.report import Outcome, Terminal, _and_more, _distinct, _options
from checker.suite.grader import Played, Result
from checker.trace import Trace, Waiting
from checker.values import Frame
from checker.world.script import World
from checker.world.session import Performance

ROOT = Path(__file__).resolve().parents[2]
MISTAKES = ROOT / "solutions" / "mistakes"

HOSTILE = """
import asyncio
async def run_limited(jobs, limit):
    print("\\x1b]0;owned\\x07\\x1b[2J::error file=x::gotcha\\r\\u202egnp.exe")
    raise ValueError("\\x1b[31m::error::\\x00\\u2066")
async def fetch_all(urls, limit):
    raise type("\\x1b[5mName", (Exception,), {})("x\\ny")
class Seats:
    pass
"""


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["terminal", "json"])
def test_control_characters_are_made_visible(kata, tmp_path, more):
    """Escapes, bells, returns and bidirectional marks are shown as text; no line begins with a workflow command."""
    (tmp_path / "07_semaphore.py").write_text(HOSTILE)
    done = kata("check", "7", "--path", "07_semaphore.py", *more)
    assert done.returncode == 1
    assert [char for char in done.stdout if not char.isprintable() and char != "\n"] == []
    assert [line for line in done.stdout.splitlines() if line.lstrip().startswith("::")] == []
    assert "\\\\x1b[31m" in done.stdout or "\\x1b[31m" in done.stdout


COMMANDING = """
import asyncio
async def run_limited(jobs, limit):
    print("::error::printed")
    print("  ::add-mask::printed", "more " * 30, "::error::wrapped ##[error]printed ##vso[task.complete]printed")
    await asyncio.gather(*(asyncio.create_task(job(), name=name) for job, name in zip(jobs, NAMES)))
    raise type("##[error]Name", (Exception,), {})("word " * 30 + "::error::raised ##[error]raised")
NAMES = ["::error::task", " ::error::task", "##[error]task"] * 9
"""


def obeyed(text):
    """The lines that a server which runs workflows takes for commands, whatever blanks stand before them."""
    return [line for line in text.splitlines() if re.search(r"^\s*::|##\w*\[", line)]


@pytest.mark.parametrize("source", [COMMANDING, 'x = "##[error]" ::error:: ##[error]'], ids=["played", "refused"])
@pytest.mark.parametrize("width", ["40", "100"])
def test_a_server_that_keeps_the_log_obeys_nothing_of_a_submission(kata, tmp_path, source, width):
    """What is printed, raised or quoted is shown, in lines that are commands to nobody."""
    (tmp_path / "07_semaphore.py").write_text(source)
    done = kata("check", "7", "--path", "07_semaphore.py", env={"COLUMNS": width})
    assert (done.returncode, obeyed(done.stdout + done.stderr)) == (1, [])
    assert "#[error]" in done.stdout
    if source == COMMANDING:
        assert "\n    | ::error::printed\n    |   ::add-mask::printed more" in done.stdout


def test_as_json_nothing_is_a_command_and_all_is_as_it_was(kata, tmp_path):
    """The signs are written otherwise, and read as the same."""
    (tmp_path / "07_semaphore.py").write_text(COMMANDING)
    done = kata("check", "7", "--path", "07_semaphore.py", "--json")
    assert obeyed(done.stdout) == []
    assert "raised ##[error]Name" in json.loads(done.stdout)["katas"][0]["tests"][0]["message"]


def test_what_the_commands_say_themselves_is_said_in_such_lines_too(capsys):
    """Names of files and errors stand in their sentences."""
    common.tell("Note: ##[error]x.py\n  ::error::x")
    with pytest.raises(SystemExit):
        common.stop("::error::x\nThere is no ##[error]x.", 2)
    said = capsys.readouterr()
    assert obeyed(said.out + said.err) == []
    assert said.out == "Note: \\x23#[error]x.py\n  \\x3a:error::x\n"


def test_colours_are_for_terminals_only(kata, tmp_path):
    """Piped output has no escape sequence; FORCE_COLOR asks for them, NO_COLOR goes before it."""
    (tmp_path / "07_semaphore.py").write_text(HOSTILE)
    words = ("check", "7", "--path", "07_semaphore.py")
    assert "\x1b[" not in kata(*words).stdout
    assert "\x1b[" in kata(*words, env={"FORCE_COLOR": "1", "TERM": "xterm"}).stdout
    assert "\x1b[3" not in kata(*words, env={"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}).stdout


@pytest.mark.parametrize("width", ["40", "100"])
def test_lines_keep_to_the_width(kata, tmp_path, width):
    """Nothing but an address, or a command to be copied, is wider than the terminal."""
    (tmp_path / "07_semaphore.py").write_text("async def run_limited(jobs, limit): return []\n")
    done = kata("check", "7", "--path", "07_semaphore.py", env={"COLUMNS": width})
    wide = [line for line in done.stdout.splitlines() if len(line) > int(width) + 2]
    wide = [line for line in wide if "https://" not in line and not line.startswith("The same numbers again: ")]
    assert wide == []


def test_a_failed_sweep_shows_the_run_that_failed(kata):
    """Both timelines are of the run that was cancelled where it matters, and the sentence says when that was."""
    mistake = MISTAKES / "05_cancellation" / "no_release_on_cancel.py"
    done = kata("check", "5", "--path", str(mistake), "--seed", "3")
    told = done.stdout.partition("Cancelled at 1 s (suspension point 2): how the `release` calls ended:")[2]
    yours, _, reference = told.partition("reference")
    assert "test cancels" in yours
    assert "release" not in yours.partition("yours")[2]
    assert "test cancels" in reference.partition("✘")[0]
    assert "release(" in reference.partition("✘")[0]


def test_the_command_that_repeats_a_run_repeats_its_options():
    """Those alone that are not the usual ones; a path as a shell takes it."""
    assert _options(None, "auto", Limits(), 120.0) == ""
    limits = Limits(wall=2.5, cpu=1, memory=256 << 20, file_size=1 << 20)
    assert _options(Path("my work"), "none", limits, 30.0) == (
        " --path 'my work' --sandbox none --run-seconds 2.5 --run-cpu 1 --memory 256 --output 1 --budget 30"
    )


def failed(name, message, *lines):
    trace = Trace(ended="deadlock", waiting=[Waiting("the caller", (Frame(line, "work"),)) for line in lines])
    run = Played(Performance("07_semaphore", b"", [], b""), World(), "seed", trace)
    return Result("07_semaphore", name, name, "result", 1.0, "failed", message, last=run)


def test_failures_of_different_places_are_told_first():
    """The same line again, or the same words about other numbers, comes later; the same sentence not at all."""
    first, again, same = failed("a", "It took 3 s.", 4), failed("b", "It took 5 s.", 4), failed("c", "It took 3 s.", 4)
    other, words, others = failed("d", "Gone.", 9), failed("e", "Saw 7."), failed("f", "Saw 8.")
    assert [each.name for each in _distinct([first, again, same, words, others, other])] == ["a", "e", "d", "b", "f"]


def written(width=60, unicode=True):
    file = io.StringIO()
    return file, Terminal(Console(file=file, width=width), None, unicode=unicode)


def test_a_line_is_told_with_the_function_that_it_stands_in():
    """Not with the name of the task that waits there."""
    file, terminal = written()
    terminal._frames(["async def work():", "    await gate.wait()"], failed("a", "", 2).last.trace)
    assert file.getvalue() == "    line 2 in work: await gate.wait()\n"


@pytest.mark.parametrize(
    "source",
    [
        "    print(?)",
        "  text = '漢字かな交じり文' ?",
        "\tx = 'a\tb' ?",
        "print('" + "long " * 40 + "' ?" + " more" * 30,
        "print('" + "漢字" * 40 + "' ?",
        "? " + "more " * 40,
    ],
)
@pytest.mark.parametrize("unicode", [True, False])
def test_the_caret_stands_below_what_it_points_at(source, unicode):
    """After wide signs, tabs made visible and in lines that are too long for a row."""
    file, terminal = written(unicode=unicode)
    trace = Trace(ended="refused", problem_line=1, problem_column=source.index("?") + 1)
    terminal._frames([source], trace)
    shown, caret = file.getvalue().splitlines()
    assert cell_len(shown[: shown.index("?")]) == caret.index("^")
    assert cell_len(shown) <= 60


def test_a_machine_without_a_sandbox_is_told_of_with_what_helps(capsys):
    """Where none was asked for, none is missing."""
    outcomes = [Outcome("07_semaphore", "passed", 1, 1, 1.0, 1.0, "none", "")]
    check.warn(outcomes, "auto")
    assert "No sandbox here" in (said := capsys.readouterr().out)
    assert "bubblewrap" in said
    check.warn(outcomes, "none")
    assert "bubblewrap" not in capsys.readouterr().out
    check.warn([replace(each, sandbox="bwrap") for each in outcomes], "auto")
    assert capsys.readouterr().out == ""


def test_one_is_told_of_in_the_singular():
    """Whatever is counted."""
    assert common.many(1, "learner") == "1 learner"
    assert (common.many(0, "fault"), common.many(2, "fault")) == ("0 faults", "2 faults")
    counts = Counts(learners=1, passed=0, faults=1, unfinished=1)
    assert grade._sum(counts, 2.0) == (
        "1 learner in 2 s: 0 passed, 0 did not, 0 handed in nothing, 1 is not graded yet,"
        " 1 fault of the grader (graded again by the same command)"
    )


def test_one_more_line_was_printed():
    """The lines that are not shown are counted, one in the singular."""
    file, terminal = written()
    terminal._printed(Trace(printed="x\n" * 11))
    terminal._printed(Trace(printed="x\n" * 12))
    assert [line for line in file.getvalue().splitlines() if "more" in line] == [
        "    … 1 more line",
        "    … 2 more lines",
    ]


def test_one_more_test_fails():
    """One is told of in the singular."""
    assert _and_more(1) == "… and 1 more test fails; mend these first."
    assert _and_more(2) == "… and 2 more tests fail; mend these first."
