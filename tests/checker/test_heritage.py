"""What a grader is started with, and where it stands, sways no point: limits, signals, the environment, the folder."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from checker.course import Course, installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.runner import confine, zygote
from checker.runner.run import READY
from checker.sandbox import Unavailable, inherited
from checker.sandbox.user import is_root
from checker.submission import Submission
from checker.suite import calls, scenario
from checker.world.session import GraderFault, Session

COURSE = installed_course()
SOLUTIONS = str(COURSE.root / "solutions")


def score(done):
    """Points had and to be had, of all katas together."""
    katas = json.loads(done.stdout)["katas"]
    return sum(each["score"] for each in katas), sum(each["max_score"] for each in katas)


# --- limits and signals ------------------------------------------------------------------------------------------


def poorly_off():
    """A child's life as service managers, hardened machines and careless parents arrange it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 30 if most == resource.RLIM_INFINITY else most, most))
    os.umask(0o777)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def test_a_right_answer_scores_all_whatever_the_grader_was_started_with(kata, confined):
    """No dumps, stacks of 1 GiB, files that nobody may open, all signals ignored and blocked."""
    words = ("check", "13", "16", "--path", SOLUTIONS, "--sandbox", confined.kind, "--json")
    earned, most = score(kata(*words, preexec_fn=poorly_off))
    assert earned == most > 0


@pytest.mark.parametrize(
    ("number", "allowed", "told"),
    [
        (resource.RLIMIT_NOFILE, 100, "100 open files, and a run may need 256"),
        (resource.RLIMIT_AS, 700 << 20, "700 MiB of memory, and a run may need 1024"),
        (resource.RLIMIT_CPU, 4, "4 s of processor time, and a run may need 5"),
        (resource.RLIMIT_FSIZE, 1 << 20, "1 MiB in a file, and a run may need 8"),
    ],
)
def test_where_too_little_is_allowed_nothing_is_graded(kata, number, allowed, told):
    """Not a row of zeros for want of what a run may have, but a sentence with the limit and the numbers."""

    def allow_little():
        resource.setrlimit(number, (allowed, allowed))

    done = kata("check", "01", "--path", SOLUTIONS, preexec_fn=allow_little)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "ulimit" in done.stderr


@pytest.mark.skipif(not is_root(), reason="others could not start kata itself")
def test_where_no_process_can_be_made_it_is_not_the_submission_s_doing(kata, confined):
    """The spare user may have one process, the sandbox's first."""

    def one_process():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    done = kata("check", "01", "--path", SOLUTIONS, "--sandbox", confined.kind, "--json", preexec_fn=one_process)
    [one] = json.loads(done.stdout)["katas"]
    assert (done.returncode, one["verdict"]) == (3, "error")
    assert "BlockingIOError" in one["tests"][0]["message"]


def test_runs_that_are_given_less_need_less(monkeypatch):
    """What is asked of the machine are the limits of the runs, not their defaults."""
    allowed = {resource.RLIMIT_NOFILE: 100, resource.RLIMIT_FSIZE: 4 << 20}
    monkeypatch.setattr(resource, "getrlimit", lambda number: (0, allowed.get(number, resource.RLIM_INFINITY)))
    inherited.check(Limits(files=100, file_size=4 << 20))
    with pytest.raises(Unavailable, match="100 open files, and a run may need 101"):
        inherited.check(Limits(files=101, file_size=4 << 20))
    with pytest.raises(Unavailable, match="4 MiB in a file, and a run may need 8"):
        inherited.check(Limits(files=100))


@scenario
async def one(kata, stage):
    return await kata.work(stage.calls("job"))


GOOD = "async def work(job):\n    return await job()\n"


def test_a_process_that_cannot_be_made_ready_is_the_grader_s_fault(monkeypatch, play_in, confined):
    """Before anything of a submission is loaded, nothing that goes wrong is its doing."""
    monkeypatch.setattr(inherited, "check", lambda limits: None)
    session = Session(confined.kind, limits=Limits(files=1 << 31))  # more than any kernel gives
    try:
        with pytest.raises(GraderFault, match=r"could not be made ready here: (ValueError|OSError|PermissionError): "):
            play_in(session)(GOOD, one, calls(job=1.0))
    finally:
        session.close()


@pytest.mark.parametrize("times", [1, 2])
def test_what_fails_in_a_sandbox_that_has_played_is_tried_in_a_new_one(monkeypatch, play_in, times):
    """An earlier run may have used up what is missing. Where that is not it, the grader is at fault."""
    faults, playing = ["used up"] * times, Session._play_in

    def play_or_fail(*args):
        if faults:
            raise GraderFault(faults.pop())
        return playing(*args)

    with closing(Session()) as session:
        play = play_in(session)
        assert play(GOOD, one, calls(job=1.0)).ended == "finished"
        monkeypatch.setattr(Session, "_play_in", play_or_fail)
        if times == 1:
            assert play(GOOD, one, calls(job=1.0)).ended == "finished"
        else:
            with pytest.raises(GraderFault, match="used up"):
                play(GOOD, one, calls(job=1.0))
    assert not faults


PORTS = """
import socket
async def work(job):
    with socket.create_server(("127.0.0.1", 20_000), backlog=1024) as server:
        for port in range(32_768, 61_000):
            with socket.socket() as client:
                client.bind(("127.0.0.1", port))
                client.connect(("127.0.0.1", 20_000))
                served, _ = server.accept()
            served.close()
"""
"""Its client closes first, so each port waits for a minute to be forgotten."""


def test_the_ports_that_a_run_has_used_up_are_not_missing_to_the_next(play_in):
    """They stay in its sandbox; the next kata's runs are no fault of the grader's for that."""
    with closing(Session(limits=Limits(cpu=15, wall=30.0))) as session:
        if session.probe() != "bwrap":
            pytest.skip("only bubblewrap has ports of its own")
        play = play_in(session)
        assert play(PORTS, one, network=False).error is None
        again = play(GOOD, one, calls(job=1.0), network=True)
    assert (again.ended, again.problem) == ("finished", "")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (READY, ""),
        (READY + READY, ""),  # a quick process has played its first run before anybody listens
        (b"ValueError: too much", "ValueError: too much"),
        (b"", "it ended before it was ready"),
    ],
)
def test_what_a_new_process_says_is_understood(said, fault):
    """Ready, or why not, or nothing at all; and what it says next is left for whoever asks next."""
    here, there = socket.socketpair()
    with here:
        with there:
            there.sendall(said)
        assert zygote._fault(here) == fault
        if not fault:
            assert here.recv(2) == said[1:]


@pytest.mark.skipif(not is_root(), reason="only root can have its rights taken away")
def test_root_without_rights_is_an_ordinary_user():
    """In a container without capabilities root can become nobody else; Landlock holds all the same."""
    words = ["check", "01", "16", "--path", SOLUTIONS, "--json"]
    command = [sys.executable, "-c", "from checker.cli import main; main()", *words]
    stripped = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(stripped, capture_output=True, text=True, timeout=240)
    earned, most = score(done)
    assert earned == most > 0
    assert json.loads(done.stdout)["sandbox"] != "none" or not confine.version()


# --- the environment and the folder -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTEST_ADDOPTS": "-x"},
        {"PYTEST_ADDOPTS": "--collect-only"},
        {"PYTEST_ADDOPTS": "-k nothing --no-such-option"},
        {"PYTEST_PLUGINS": "no_such_plugin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""},
    ],
)
def test_what_pytest_reads_from_the_environment_is_not_read(kata, variables):
    """A stub has all its tests failed, and no less: nothing is left out, nothing is added."""
    done = kata("check", "01", "--path", str(COURSE.root / "katas"), "--json", env=variables)
    [one] = json.loads(done.stdout)["katas"]
    assert (done.returncode, len(one["tests"]), one["max_score"]) == (1, 13, 17.0)


def test_the_environment_and_the_folder_are_put_back(monkeypatch, tmp_path):
    """Grading in a process of somebody else's leaves these as they were."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    grade(COURSE, Submission(COURSE.root / "katas"), [COURSE.find("01")], seed=1)
    assert dict(os.environ) == before
    assert Path.cwd() == tmp_path


def test_where_the_course_lies_does_not_matter(tmp_path):
    """Signs that mean something to pytest in the path, and above it a conftest.py that is nobody's business here."""
    above = tmp_path / "a [b] c::d"
    root = above / "course"
    kata = COURSE.find("01")
    for file in (kata.brief, kata.stub, kata.solution, kata.suite):
        copy = root / file.relative_to(COURSE.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    executed = tmp_path / "executed"
    for folder in (above, root, root / "tests"):
        (folder / "conftest.py").write_text(f"open({str(executed)!r}, 'w').close()\nraise RuntimeError\n")
    course = Course(root)
    found = grade(course, Submission(root / "solutions"), course.katas, seed=1)
    assert {result.verdict for result in found.results} == {"passed"}
    assert len(found.results) == 13
    assert not executed.exists()


def test_without_assertions_nothing_is_graded(kata):
    """Python leaves out `assert` where it optimizes, and suites judge by it."""
    done = kata("check", "01", "--path", SOLUTIONS, env={"PYTHONOPTIMIZE": "1"})
    assert done.returncode == 3
    assert "PYTHONOPTIMIZE" in done.stderr


def test_a_folder_that_is_gone_is_told(kata, tmp_path):
    """A sentence, not a traceback."""
    gone = tmp_path / "gone"
    gone.mkdir()

    def leave():
        gone.rmdir()

    done = kata("check", "01", cwd=gone, preexec_fn=leave)
    assert done.returncode == 2
    assert done.stderr == "The folder that you are in is gone; change to one that is there.\n"


# --- where it writes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("list",), ("check", "01", "--path", SOLUTIONS), ("--help",)])
def test_a_report_that_cannot_be_written_is_no_verdict(words):
    """A full disk ends in status 3 and a sentence: not in 0 or 1, which would say how the work is."""
    command = [sys.executable, "-c", "from checker.cli import main; main()", *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=240)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_need_listen():
    """With all three streams closed the status still tells."""
    command = f"{sys.executable} -c 'from checker.cli import main; main()' check 01 --path '{SOLUTIONS}' <&- >&- 2>&-"
    assert subprocess.run(command, shell=True, timeout=240).returncode == 0


def test_a_fault_of_its_own_is_a_sentence(monkeypatch, capsys):
    """Whatever goes wrong in the grader: what it was, where, how to see more, and status 3."""
    from checker import cli
    from checker.cli import common

    monkeypatch.setattr(common, "course", lambda: {}["nothing"])
    monkeypatch.setattr(sys, "argv", ["kata", "list"])
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 3
    said = capsys.readouterr().err
    assert said.startswith("The grader itself failed: KeyError: 'nothing' (test_heritage.py, line ")
    assert "KATA_DEBUG" in said
