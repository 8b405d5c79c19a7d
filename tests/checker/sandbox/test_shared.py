"""What runs leave in the machine's /dev/shm, where semaphores lie: nothing, nor can another user read it."""

import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from checker.messages import Limits
from checker.sandbox import box
from checker.sandbox.user import SpareUser, claimed, is_root
from checker.suite import scenario
from checker.world.session import Session
from tests.checker.waiting import until

ROOT = Path(__file__).resolve().parents[3]
IMPORTABLE = {"importable": True}


@scenario
def look(kata, stage):
    return kata.look()


@pytest.fixture
def spare(only):
    """Skips where runs are no user of their own: there what lies in the folder may be anybody's."""
    only("landlock")
    if not is_root():
        pytest.skip("only root has spare users")


def _left():
    """Names of all spare users' files; whatever else is graded on this machine has more only while it runs."""
    found = {}
    for entry in os.scandir(box.SHARED):
        with suppress(OSError):
            if entry.stat(follow_symlinks=False).st_uid in SpareUser.IDS:
                found[entry.name] = entry.stat(follow_symlinks=False).st_uid
    return found


MESS = """
import os
def look():
    os.chdir("/dev/shm")
    for name in (b"MARK", b"MARK\\n-rf", b"MARK\\xff\\xfe", b"MARK" + b"x" * 200):
        open(name, "w").close()
        os.link(name, name + b" too")
    THEN
"""


@pytest.mark.parametrize("then", ["return os.getuid()", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_files_in_shared_memory_do_not_stay(play_confined, spare, then):
    """However they are named and the run has ended, the next run of the same submission does not meet them."""
    mark = f"mark-{os.getpid()}-"
    play_confined(MESS.replace("MARK", mark).replace("THEN", then), look, **IMPORTABLE)
    assert [name for name in _left() if name.startswith(mark)] == []


def test_a_file_of_somebody_else_stays(play_confined, spare):
    """What lies there with another owner is neither counted nor removed."""
    mine = Path(box.SHARED, f"mine-{os.getpid()}")
    with mine.open("wb") as file:
        file.write(b"x" * (40 << 20))
    try:
        trace = play_confined(MESS.replace("MARK", "a").replace("THEN", "return 1"), look, **IMPORTABLE)
        assert trace.result == 1
        assert mine.stat().st_size == 40 << 20
    finally:
        mine.unlink()


FILL = """
import os, signal
def look():
    for number in range(80):
        with open(f"/dev/shm/{os.getpid()}-{number}", "wb") as file:
            file.write(bytes(1 << 20))
            AND
    signal.pause()
"""
KEEP = "kept = globals().setdefault('kept', []); kept.append(os.dup(file.fileno())); os.unlink(file.name)"


@pytest.mark.parametrize("then", ["pass", KEEP], ids=["named", "removed and open"])
def test_what_is_written_to_shared_memory_is_limited(play_limited, spare, then):
    """Files there are files of the run, also removed ones that are still open."""
    trace = play_limited(Limits(cpu=10, wall=20.0), FILL.replace("AND", then), look, **IMPORTABLE)
    assert trace.ended == "crashed"
    assert "32 MiB" in trace.problem


def test_shared_memory_is_memory(play_limited, spare):
    """It counts against the limit of memory as well."""
    limits = Limits(cpu=10, wall=20.0, memory=80 << 20, disk=1 << 30)
    trace = play_limited(limits, FILL.replace("AND", "pass"), look, **IMPORTABLE)
    assert trace.ended == "out of memory"


def test_the_number_of_files_in_shared_memory_is_limited(play_limited, spare):
    """Endless empty files end the run."""
    source = """
def look():
    number = 0
    while True:
        number += 1
        open(f"/dev/shm/{number}", "w").close()
"""
    trace = play_limited(Limits(cpu=10, wall=20.0, entries=2000), source, look, **IMPORTABLE)
    assert (trace.ended, "2000 files" in trace.problem) == ("crashed", True)


def test_only_files_can_be_made_there(inside, only):
    """No folder, whose contents nobody would count."""
    only("landlock")
    body = """
told = []
for make in (os.mkdir, os.mkfifo, lambda name: os.symlink("/", name)):
    try:
        make("/dev/shm/made")
        told.append(make)
    except OSError:
        pass
return len(told)
"""
    assert inside(body, **IMPORTABLE) == 0


def test_files_are_their_users_own(inside, only):
    """Whatever mode a run asks for: so another submission's user cannot read them while both are played."""
    only("landlock")
    body = """
os.umask(0)
path = f"{tempfile.gettempdir()}/file"
os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
return os.stat(path).st_mode
"""
    assert stat.S_IMODE(inside(body)) == 0o600


GRADER = """
import os, random, signal, sys
from checker.suite import scenario
from checker.suite.scenario import ship
from checker.world.script import World
from checker.world.session import Performance, Session

@scenario
def look(kata, stage):
    return kata.look()

source = "import signal\\ndef look():\\n    open('/dev/shm/MARK', 'w').close()\\n    signal.pause()\\n"
source = source.replace("MARK", sys.argv[1]).encode()
performance = Performance("07_semaphore", source, [], ship(look, {}), importable=True)
Session("landlock").play(performance, World(), random.Random(1))
"""


def test_nothing_stays_when_the_grader_is_killed(spare):
    """The sandbox's first process removes it at its own end."""
    mark = f"mark-{os.getpid()}-killed"
    with subprocess.Popen([sys.executable, "-c", GRADER, mark], cwd=ROOT) as grader:
        try:
            until(lambda: mark in _left(), "made")
        finally:
            grader.kill()
    until(lambda: mark not in _left(), "removed")


def test_nothing_stays_when_the_sandbox_is_killed(spare):
    """Closing it removes what its first process could not."""
    mark = f"mark-{os.getpid()}-closed"
    session = Session("landlock")
    session.probe()
    made = Path(box.SHARED, mark)
    os.kill(session._sandbox.process.pid, signal.SIGKILL)
    made.touch()
    os.chown(made, session._sandbox._user.uid, -1)
    session.close()
    assert not made.exists()


@pytest.fixture
def leftover():
    """`leftover(uid)`: a file in shared memory that belongs to that user."""
    made = []

    def leave(uid):
        made.append(Path(box.SHARED, f"left-{os.getpid()}-{uid}"))
        made[-1].touch()
        os.chown(made[-1], uid, -1)
        return made[-1]

    yield leave
    for path in made:
        path.unlink(missing_ok=True)


@pytest.mark.skipif(not is_root(), reason="only root has spare users")
def test_what_earlier_users_left_goes_with_the_next_sandbox(leftover, tmp_path, monkeypatch):
    """Of its own id at once; of others where it is old, and nobody has the id any more."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    free = [uid for uid in SpareUser.IDS if uid not in _left().values()]
    users = SpareUser(), SpareUser()
    mine, theirs = (user.uid for user in users)
    unclaimed = next(uid for uid in reversed(free) if uid not in (mine, theirs))
    own, others, old, roots = (leftover(uid) for uid in (mine, theirs, unclaimed, 0))
    box.Box(mine).remove()
    assert [path.exists() for path in (own, others, old, roots)] == [False, True, True, True]
    monkeypatch.setattr(box, "YOUNG", -1.0)
    box.Box(mine).remove()
    assert [path.exists() for path in (others, old, roots)] == [True, False, True]
    for user in users:
        user.close()
    claim = claimed(theirs)
    assert claim is not None
    claim.close()
