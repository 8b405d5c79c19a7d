"""Which sandbox is taken where some are missing or refused, and what older kernels' ones hold."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from checker import sandbox
from checker.course import installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.runner import confine
from checker.sandbox import interpreter, landlock, seccomp
from checker.submission import Submission
from checker.suite import scenario
from checker.world.session import GraderFault, Session


@scenario
def look(kata, stage):
    return kata.look()


@pytest.fixture
def fresh_choice(monkeypatch):
    """Nothing is known yet of what is refused here."""
    monkeypatch.setattr(sandbox, "_refused", set())


def test_a_missing_sandbox_says_what_to_do(monkeypatch, fresh_choice):
    """Where bubblewrap is missing, asking for it says what to install, and `auto` takes the next best."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("checker.runner.confine.version", lambda: 0)
    for kind in ("bwrap", "landlock"):
        with pytest.raises(sandbox.Unavailable, match="nstall"):
            sandbox.launch(kind)
    box = sandbox.launch("auto")
    try:
        assert box.kind == "none"
    finally:
        box.close()


def test_a_refused_sandbox_is_replaced_and_remembered(monkeypatch, fresh_choice, tmp_path, play_in):
    """Where bubblewrap is installed but may not make namespaces, `auto` takes the next best, from then on at once."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho asked >> " + str(tmp_path / "asked") + "\necho not here >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    for _ in range(2):
        session = Session("auto")
        try:
            assert session.probe() in ("landlock", "none")
            assert play_in(session)("def look():\n    return 1\n", look).result == 1
        finally:
            session.close()
    assert (tmp_path / "asked").read_text() == "asked\n"
    with pytest.raises(GraderFault, match=r"did not start \(exit status 1: not here\); .*doctor"):
        Session("bwrap").probe()


def test_packages_are_shown_wherever_they_are_installed(monkeypatch, tmp_path):
    """The user's own and the system's beside the machine's; but no folder in which other things may lie too."""
    folders = [
        tmp_path / name for name in ("user/site-packages", "system/dist-packages", "project", "gone/site-packages")
    ]
    for folder in folders[:3]:
        folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", ["", *map(str, folders), *sys.path])
    found = interpreter.site_packages()
    assert found[:2] == [str(folder.resolve()) for folder in folders[:2]]
    assert not set(map(str, folders[2:])) & set(found)
    assert str(Path(msgspec.__file__).resolve().parents[1]) in found


@pytest.mark.parametrize(("version", "verdict"), [(3, "error"), (4, "passed")])
def test_what_needs_a_network_is_graded_where_it_can_be_kept_in(monkeypatch, version, verdict):
    """Landlock before version 4 knows of no ports: that is the machine's lack, and costs no right answer a point."""
    launch = landlock.launch
    monkeypatch.setattr(landlock, "launch", lambda preload: launch(preload, version))
    if confine.version() < version:
        pytest.skip(f"this kernel has no Landlock {version}")
    course = installed_course()
    kata = course.find("14")
    found = grade(course, Submission(kata.solution), [kata], sandbox="landlock").results
    assert {result.verdict for result in found} == {verdict}
    assert all(result.verdict == "passed" or "install bubblewrap" in result.message for result in found)


def test_where_the_loopback_is_down_nothing_that_needs_it_is_graded():
    """As in a network namespace in which nobody has set it up."""
    if subprocess.run(["unshare", "--net", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no network namespace can be made here")
    program = "from checker.cli import main; main()"
    words = ["check", "14", "--path", str(installed_course().root / "solutions"), "--sandbox", "none"]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 3
    said = " ".join(done.stdout.split())
    assert "! `fetch` gives status and body" in said
    assert "The grader failed, not your code: A process for a run could not be made ready here: this kata needs" in said
    assert "kata hint" not in said  # which would not help


@pytest.mark.parametrize("version", [1, 3, 4, 5])
def test_older_landlock_holds_too(monkeypatch, version, tmp_path, play_in):
    """Where Landlock knows less, seccomp keeps files from being changed, signals from being sent, sockets shut."""
    launch = landlock.launch
    monkeypatch.setattr(landlock, "launch", lambda preload: launch(preload, version))
    session = Session("landlock", limits=Limits(cpu=3, wall=15.0))
    try:
        session.probe()
    except (sandbox.Unavailable, GraderFault) as error:
        pytest.skip(str(error))
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    victim.chmod(0o666)
    body = f"""
import os, signal, socket, subprocess, sys
def look():
    def tried(act):
        try:
            act()
        except OSError:
            return "refused"
        return "done"
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE)
    child.kill()
    child.wait()
    return [
        tried(lambda: open({str(victim)!r})),
        tried(lambda: os.truncate({str(victim)!r}, 0)),
        tried(lambda: os.kill(os.getppid(), signal.SIGKILL)),
        tried(lambda: os.kill(-1, signal.SIGKILL)),
        tried(lambda: socket.create_connection(("192.0.2.1", 80), timeout=1)),
        tried(lambda: socket.socket(socket.AF_UNIX)),
    ]
"""
    try:
        for _ in range(2):
            assert play_in(session)(body, look, network=version >= 4).result == ["refused"] * 6
    finally:
        session.close()
    assert victim.read_text() == "as it was"


def test_the_filter_is_for_this_machine_or_none():
    """An unknown machine gets no filter rather than a wrong one; instructions are eight bytes each."""
    assert seccomp.program("riscv64") == b""
    for machine in seccomp.ARCHES:
        programs = [seccomp.program(machine)]
        programs += [seccomp.host_program(network=network, machine=machine) for network in (False, True)]
        assert all(program and len(program) % 8 == 0 for program in programs)
