"""What is left when a run, a sandbox or a grader ends: nothing."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from checker import sandbox
from checker.runner import observer
from checker.suite import scenario
from checker.world.session import GraderFault, Session
from tests.checker.waiting import until

ROOT = Path(__file__).resolve().parents[3]


@scenario
def look(kata, stage):
    return kata.look()


GRADER = """
import os, random, sys
from checker.suite import scenario
from checker.suite.scenario import ship
from checker.world.script import World
from checker.world.session import Performance, Session

@scenario
def look(kata, stage):
    return kata.look()

session = Session(sys.argv[1])
assert session.probe() == sys.argv[1]
session.play(Performance("07_semaphore", open(sys.argv[2], "rb").read(), [], ship(look, {})), World(), random.Random(1))
"""

CLINGING = """
import os, sys, signal
def look():
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            if os.fork() == 0:
                os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()", "MARK"])
            os._exit(0)
    THEN
"""


def _clinging(mark, then):
    return CLINGING.replace("MARK", mark).replace("THEN", then)


def test_a_sandbox_ends_with_its_grader(confined, tmp_path):
    """When the grader is killed, nothing of the run under way is left, whatever it has made of itself."""
    mark = f"mark-{os.getpid()}-{confined.kind}"
    submission = tmp_path / "submission.py"
    submission.write_text(_clinging(mark, "signal.pause()"))
    grader = subprocess.Popen([sys.executable, "-c", GRADER, confined.kind, str(submission)], cwd=ROOT)
    try:
        until(lambda: len(_marked(mark)) == 2, "begun")
    finally:
        grader.kill()
        grader.wait()
    until(lambda: not _marked(mark), "ended")


@pytest.mark.parametrize("kind", ["landlock", "none"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_grader_leaves_no_folder(kind, number, tmp_path):
    """It has no time to remove the sandbox's folder: the sandbox's first process does, also as a spare user."""
    submission = tmp_path / "submission.py"
    submission.write_text("import os, signal\ndef look():\n    os.makedirs('deep/in', 0)\n    signal.pause()\n")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o1777)
        environment = {**os.environ, "TMPDIR": place}
        with subprocess.Popen(
            [sys.executable, "-c", GRADER, kind, str(submission)], cwd=ROOT, env=environment
        ) as grader:
            try:
                until(lambda: [*Path(place).glob("*/tmp/deep")] or grader.poll() is not None, "begun")
                if grader.poll() is not None:
                    pytest.skip("no sandbox of this kind starts here")
                grader.send_signal(number)
                grader.wait()
                until(lambda: os.listdir(place) == [], "removed", patience=20.0)
            finally:
                grader.kill()


def test_a_grader_that_hangs_up_before_it_is_gone(tmp_path):
    """Its end is told twice, by the stream and by the system: the second does not break off what the first began."""
    mark = f"mark-{os.getpid()}-hangs-up"
    submission = tmp_path / "submission.py"
    submission.write_text(_clinging(mark, "signal.pause()"))
    command = [sys.executable, "-c", HANGS_UP + GRADER, "landlock", str(submission)]
    with subprocess.Popen(command, cwd=ROOT) as grader:
        try:
            until(lambda: len(_marked(mark)) == 2, "begun")
            grader.send_signal(signal.SIGUSR1)
            until(lambda: grader.poll() is not None, "gone")
        finally:
            grader.kill()
    until(lambda: not _marked(mark), "ended")


HANGS_UP = """
import os, signal, socket
from checker.sandbox import landlock

SLOW_TO_END = '''
import os, time
from checker.runner import zygote
grader, end = os.getppid(), zygote.Zygote.end
def slow(self):
    if os.getppid() == grader:
        self._send(zygote.messages.Up())
        while os.getppid() == grader:
            time.sleep(0.001)
    end(self)
zygote.Zygote.end = slow
'''
landlock.BOOT = landlock.BOOT.replace("from checker.runner.zygote", SLOW_TO_END + "from checker.runner.zygote")

def hang_up(*_):
    control = session._sandbox.control
    control.shutdown(socket.SHUT_WR)
    control.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)

signal.signal(signal.SIGUSR1, hang_up)
"""


def _marked(mark):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if file.read().rstrip(b"\0").endswith(mark.encode()):
                        found.append(int(name))
            except OSError:
                pass
    return found


def test_nothing_outlives_its_run(play_confined):
    """Grandchildren in sessions of their own, deaf to polite signals, end with the run that made them."""
    mark = f"mark-{os.getpid()}-outlives"
    assert play_confined(_clinging(mark, "return 1"), look).result == 1
    assert _marked(mark) == []


@pytest.mark.parametrize("kind", ["bwrap", "landlock", "none"])
def test_closing_a_sandbox_leaves_nothing(kind, tmp_path, monkeypatch, play_in):
    """The sandbox's folder is removed when it is closed, in whatever state it is."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    session = Session(kind)
    try:
        session.probe()
    except (sandbox.Unavailable, GraderFault) as error:
        pytest.skip(str(error))
    play_in(session)("import os\ndef look():\n    os.mkdir('d', 0)\n    os._exit(1)\n", look)
    session.close()
    assert os.listdir(tmp_path) == []


def test_a_first_process_that_is_stuck_is_ended_too(only):
    """It is ended with bwrap, though it has become another user, which takes back what bwrap has asked for."""
    only("bwrap")
    box = sandbox.launch("bwrap")
    assert box.control.recv(1)  # it is up: before that it may not have said yet whose end is its own
    [first] = observer.descendants(box.process.pid)[1:]
    os.kill(first, signal.SIGSTOP)
    box.close()
    until(lambda: not os.path.exists(f"/proc/{first}"), "ended")


def test_closing_a_sandbox_ends_it():
    """After `close` nothing of the sandbox is left, and closing twice does no harm."""
    box = sandbox.launch("auto")
    box.close()
    box.close()
    assert box.process.returncode is not None
    assert isinstance(box.control, socket.socket)
