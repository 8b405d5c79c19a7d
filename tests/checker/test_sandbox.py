"""What a submission can reach from inside the bubblewrap sandbox: nothing of the grader's."""

import os
import shutil
import socket

import pytest

from checker import sandbox
from checker.sandbox import seccomp
from checker.suite import scenario

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@scenario
def look(kata, stage):
    return kata.look()


@pytest.fixture
def inside(play, sandbox):
    """Run the body of a function in the sandbox and return its result; needs bubblewrap."""
    sandbox.start()
    if sandbox.kind != "bwrap":
        pytest.skip("bubblewrap cannot start here")

    def run(body):
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        trace = play(f"import os, socket\ndef look():\n{lines}\n", look)
        assert trace.error is None, trace.error
        return trace.result

    return run


def test_the_course_is_out_of_sight(inside):
    """Suites, solutions and the checkout cannot be seen."""
    assert inside(f"return os.path.exists({ROOT!r} + '/solutions')") is False
    assert inside(f"return os.path.exists({ROOT!r} + '/tests')") is False
    assert inside("return os.listdir('/harness')") == ["checker"]


def test_the_home_folder_and_the_environment_are_out_of_sight(inside):
    """No file of the user's, and none of the grader's variables."""
    os.environ["KATA_TEST_SECRET"] = "s3cret"
    try:
        variables = inside("return dict(os.environ)")
    finally:
        del os.environ["KATA_TEST_SECRET"]
    assert not [name for name in variables if "SECRET" in name or "TOKEN" in name]
    assert inside("return os.path.exists('/etc/passwd') or os.path.exists('/etc/shadow')") is False


def test_the_zygote_cannot_be_read(inside):
    """Memory and environment of process 1 are closed to its children."""
    body = """
found = []
for name in ("mem", "environ", "fd"):
    try:
        os.listdir("/proc/1/fd") if name == "fd" else open(f"/proc/1/{name}", "rb").read(1)
        found.append(name)
    except OSError:
        pass
return found
"""
    assert inside(body) == []


def test_nothing_can_be_written_but_tmp(inside):
    """The system and the harness are read-only; /tmp is private and small."""
    body = """
written = []
for folder in ("/", "/usr", "/harness/checker", "/tmp"):
    try:
        with open(folder + "/probe", "w") as file:
            file.write("x")
        written.append(folder)
    except OSError:
        pass
return written
"""
    assert inside(body) == ["/tmp"]


def test_there_is_no_network(inside):
    """Only the loopback is there; nothing outside can be reached, and vsock and netlink cannot be opened."""
    body = """
told = []
for family in (socket.AF_INET, 40, 16):
    try:
        with socket.socket(family, socket.SOCK_STREAM if family != 16 else socket.SOCK_RAW) as sock:
            sock.settimeout(1)
            sock.connect(("192.0.2.1", 80))
        told.append("connected")
    except OSError as error:
        told.append(error.errno)
return told
"""
    import errno

    assert inside(body) == [errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EAFNOSUPPORT]


def test_dangerous_calls_are_denied(inside):
    """No new namespaces, no tracing, no mounts."""
    body = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
told = []
for call in (lambda: libc.unshare(0x10000000), lambda: libc.ptrace(16, 1, 0, 0), lambda: libc.mount(0, 0, 0, 0, 0)):
    told.append(call())
return told
"""
    assert inside(body) == [-1, -1, -1]


def test_it_is_nobody(inside):
    """Inside, the submission is no user that owns anything, with no capabilities and no terminal."""
    capabilities = inside("return [line for line in open('/proc/self/status') if line.startswith('CapEff')]")
    assert capabilities[0].split()[1] == "0000000000000000"
    body = """
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    return "no terminal"
"""
    assert inside(body) == "no terminal"
    if os.getuid() == 0:
        assert inside("return os.getuid()") != 0


def test_an_unknown_sandbox_says_what_to_do(monkeypatch):
    """Where bubblewrap is missing, asking for it says what to install, and `auto` goes on without."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(sandbox.Unavailable, match="install"):
        sandbox.launch("bwrap")
    box = sandbox.launch("auto")
    try:
        assert box.kind == "none"
    finally:
        box.close()


def test_the_filter_is_for_this_machine_or_none():
    """An unknown machine gets no filter rather than a wrong one; instructions are eight bytes each."""
    assert seccomp.program("riscv64") == b""
    for machine in seccomp.ARCHES:
        assert len(seccomp.program(machine)) % 8 == 0


def test_closing_a_sandbox_ends_it():
    """After `close` nothing of the sandbox is left, and closing twice does no harm."""
    box = sandbox.launch("auto")
    box.close()
    box.close()
    assert box.process.returncode is not None
    assert isinstance(box.control, socket.socket)
