"""What the warden counts, and against which limit."""

import os
import subprocess
import sys

import pytest

from checker.messages import Limits
from checker.runner import observer
from checker.runner.warden import Warden, _share
from tests.checker.waiting import until


@pytest.fixture
def child():
    """A process that waits until it is told to end."""
    command = [sys.executable, "-I", "-S", "-c", "import threading as t; print(flush=True); input()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.communicate()


def test_processes_are_counted(child):
    """One more than the limit is too many."""
    assert Warden(Limits(processes=2), [], counted=True).look([child.pid]) is None
    assert Warden(Limits(processes=0), [], counted=True).look([child.pid]).reason == "processes"


def test_memory_is_counted(child):
    """A process's memory counts against the limit; one that has gone counts nothing."""
    excess = Warden(Limits(memory=1 << 20), [], counted=True).look([child.pid])
    assert excess.reason == "memory"
    assert excess.used > excess.limit == 1 << 20
    child.communicate()
    assert Warden(Limits(memory=1), [], counted=True).look([child.pid]) is None


def test_one_that_ends_while_it_is_looked_at_counts_nothing(child):
    """Between the two numbers that are read of a process it may end: what it shared is counted with the others then."""
    base = f"/proc/{child.pid}"
    assert 0 < _share(base, 10**9) < 10**9
    child.kill()
    until(lambda: observer.read(f"{base}/stat").rpartition(b")")[2][1:2] == b"Z", "ended")
    assert _share(base, 10**9) == 0


def test_files_are_counted(tmp_path, child):
    """Bytes and entries of all folders below, also of closed ones; a tree too deep counts as too many."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "inner").chmod(0o300)
    folders = [str(tmp_path)]
    assert Warden(Limits(), folders, counted=False).look([]) is None
    assert Warden(Limits(disk=50_000), folders, counted=False).look([]).reason == "disk"
    assert Warden(Limits(entries=1), folders, counted=False).look([]).reason == "entries"
    os.makedirs(tmp_path.joinpath(*["deep"] * 60))
    assert Warden(Limits(), folders, counted=False).look([]).reason == "entries"


def test_a_users_files_among_others_are_counted(tmp_path):
    """Bytes, bytes in memory and entries of what belongs to the run's user; others' files are no concern of its."""
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "other").touch()
    more = {"counted": False, "shared": str(tmp_path)}
    limits = Limits(disk=50_000), Limits(memory=50_000), Limits(entries=1)
    mine, others = ([Warden(each, [], **more, uid=uid) for each in limits] for uid in (os.getuid(), os.getuid() + 1))
    assert [warden.look([]).reason for warden in mine] == ["disk", "memory", "entries"]
    assert [warden.look([]) for warden in others] == [None] * 3


def test_a_file_takes_its_room_once(tmp_path):
    """Whatever names it has, and however often it is open, which children inherit: nobody is to blame for that."""
    limits = Limits(disk=150_000)
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "file", tmp_path / "again")
    for more in ({"folders": [str(tmp_path)]}, {"folders": [], "shared": str(tmp_path), "uid": os.getuid()}):
        assert Warden(limits, **more, counted=False).look([]) is None
    with open(tmp_path / "file", "rb") as file, open(tmp_path / "file", "rb"):
        (tmp_path / "file").unlink()
        (tmp_path / "again").unlink()
        assert Warden(limits, [], counted=False).look([os.getpid()]) is None
        excess = Warden(Limits(disk=50_000), [], counted=False).look([os.getpid()])
        assert (excess.reason, excess.used >= os.fstat(file.fileno()).st_blocks * 512) == ("disk", True)


def test_it_looks_again_later(child):
    """After a look the next is due later than now."""
    warden = Warden(Limits(), [], counted=True)
    first = warden.due
    warden.look([child.pid])
    assert warden.due > first - 1
