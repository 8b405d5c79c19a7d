"""What a submission can reach from inside the sandboxes: nothing of the grader's."""

import errno
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from checker import sandbox
from checker.messages import Limits
from checker.sandbox import landlock, seccomp
from checker.suite import scenario
from checker.world.session import GraderFault, Session

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@scenario
def look(kata, stage):
    return kata.look()


@pytest.fixture
def inside(play_confined):
    """Run the body of a function in a sandbox of each kind and return its result."""

    def run(body, **order):
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        trace = play_confined(f"import ctypes, os, socket, tempfile\ndef look():\n{lines}\n", look, **order)
        assert trace.ended == "finished", trace.problem
        assert trace.error is None, trace.error
        return trace.result

    return run


@pytest.fixture
def only(confined):
    """`only(kind)` skips a test that is about one kind."""

    def skip_unless(kind):
        if confined.kind != kind:
            pytest.skip(f"a promise of {kind} alone")

    return skip_unless


# --- files -----------------------------------------------------------------------------------------------

READ = """
found = []
for path in {paths!r}:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        found.append(path)
    except OSError:
        pass
return found
"""


def test_the_course_is_out_of_reach(inside):
    """Suites, solutions and the checkout cannot be read."""
    paths = [ROOT, f"{ROOT}/solutions", f"{ROOT}/tests/katas", f"{ROOT}/pyproject.toml", f"{ROOT}/katas"]
    assert inside(READ.format(paths=paths)) == []


def test_the_harness_is_all_there_is_of_the_checker(inside, confined):
    """Beside the runner's own package there is nothing in its folder."""
    folder = inside("import sys; return [path for path in sys.path if path.endswith('/harness')]")
    assert len(folder) == 1
    assert inside(f"return os.listdir({folder[0]!r})") == ["checker"]


def test_the_home_folder_and_the_environment_are_out_of_reach(inside, tmp_path):
    """No file of the user's, and none of the grader's variables."""
    (tmp_path / "secret").write_text("s3cret")
    os.environ["KATA_TEST_SECRET"] = "s3cret"
    try:
        variables = inside("return dict(os.environ)")
    finally:
        del os.environ["KATA_TEST_SECRET"]
    assert not [name for name in variables if "SECRET" in name or "TOKEN" in name]
    home = os.path.expanduser("~")
    paths = [str(tmp_path), f"{tmp_path}/secret", "/etc/passwd", "/etc/shadow", "/var"]
    paths += [entry.path for entry in os.scandir(home) if entry.is_file()]
    assert inside(READ.format(paths=paths)) == []


def test_the_zygote_cannot_be_read(inside):
    """Memory, environment and descriptors of the sandbox's first process are closed to its children."""
    body = """
found = []
for name in ("mem", "environ", "fd"):
    path = f"/proc/{os.getppid()}/{name}"
    try:
        os.listdir(path) if name == "fd" else open(path, "rb").read(1)
        found.append(name)
    except OSError:
        pass
return found
"""
    assert inside(body) == []


def test_nothing_can_be_written_but_a_folder_of_its_own(inside, tmp_path):
    """The system and the harness are read-only; what can be written to is private and small."""
    body = f"""
import checker
own = tempfile.gettempdir()
written = []
for folder in ("/", "/usr", "/etc", os.path.dirname(checker.__file__), {str(tmp_path)!r}, own):
    try:
        with open(folder + "/probe", "w") as file:
            file.write("x")
        written.append(folder)
    except OSError:
        pass
return written == [own]
"""
    assert inside(body) is True
    assert os.listdir(tmp_path) == []


def test_files_of_the_user_cannot_be_changed_without_opening_them(inside, tmp_path):
    """Modes, times, owners and lengths of files outside stay as they are."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    victim.chmod(0o666)
    tmp_path.chmod(0o777)
    before = victim.stat()
    body = f"""
victim = {str(victim)!r}
acts = (
    lambda: os.chmod(victim, 0), lambda: os.utime(victim, (1, 1)), lambda: os.truncate(victim, 0),
    lambda: os.unlink(victim), lambda: os.rename(victim, victim + "2"), lambda: os.link(victim, "l"),
    lambda: os.setxattr(victim, "user.a", b"b"), lambda: os.chown(victim, os.getuid(), -1),
    lambda: os.symlink("x", victim + "3"), lambda: os.mkdir(victim + "4"),
)
done = []
for place, act in enumerate(acts):
    try:
        act()
        done.append(place)
    except OSError:
        pass
return done
"""
    assert inside(body) == []
    after = victim.stat()
    assert (after.st_mode, after.st_mtime, after.st_size) == (before.st_mode, before.st_mtime, before.st_size)


# --- the network, and other processes --------------------------------------------------------------------


def test_nothing_outside_can_be_connected_to(inside):
    """Neither another machine nor a server on this one can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = f"""
told = []
for address in (("192.0.2.1", 80), {server.getsockname()!r}):
    with socket.socket() as sock:
        sock.settimeout(1)
        told.append(sock.connect_ex(address))
return told
"""
        told = inside(body)
    assert 0 not in told
    assert told[0] in (errno.ENETUNREACH, errno.EACCES)
    assert told[1] in (errno.ECONNREFUSED, errno.EACCES)


def test_other_kinds_of_sockets_cannot_be_opened(inside, confined):
    """vsock, netlink and packets nowhere; without a net namespace no datagrams and no unix sockets either."""
    body = """
told = []
for family, kind, protocol in {sockets!r}:
    try:
        socket.socket(family, kind, protocol).close()
        told.append((family, kind, protocol))
    except OSError:
        pass
return told
"""
    sockets = [(40, 1, 0), (16, 3, 0), (17, 3, 0), (2, 3, 1)]
    if confined.kind == "landlock":
        sockets += [(1, 1, 0), (1, 2, 0), (2, 2, 0), (10, 2, 0), (2, 1, 262), (2, 5, 132)]
    assert inside(body.format(sockets=sockets)) == []


def test_a_run_may_serve_and_connect_on_its_own_loopback(inside):
    """A server on a port that the system chooses can be connected to from the same run."""
    body = """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=5)
peer, _ = server.accept()
client.sendall(b"through")
return peer.recv(7).decode()
"""
    assert inside(body) == "through"


def test_a_kata_without_network_has_no_sockets(inside, only):
    """Where the kata needs none, the landlock sandbox gives no socket of the internet at all."""
    only("landlock")
    body = """
left, right = socket.socketpair()
left.send(b"pairs work")
try:
    socket.socket()
except OSError as error:
    return error.errno
"""
    assert inside(body, network=False) == errno.EAFNOSUPPORT


def test_datagram_pairs_cannot_be_sent_elsewhere(inside, only):
    """A pair of datagram sockets could be pointed at the user's services by name, so there are none."""
    only("landlock")
    body = """
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
except OSError as error:
    return error.errno
"""
    assert inside(body) == errno.EPERM


def test_other_processes_cannot_be_signalled(inside):
    """Neither the zygote nor the grader hears a signal; the run's own children do."""
    body = f"""
import subprocess, sys, signal
told = []
for pid in (os.getppid(), {os.getpid()}, 1, -1):
    try:
        os.kill(pid, signal.SIGCONT)
        told.append(pid)
    except OSError:
        pass
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE)
child.kill()
return [*[pid for pid in told if pid == {os.getpid()}], child.wait()]
"""
    assert inside(body) == [-9]


def test_limits_of_other_processes_cannot_be_set(inside):
    """A run cannot lower the limits of the zygote, which is the same user's."""
    body = """
import resource
try:
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))
except OSError as error:
    return error.errno
"""
    assert inside(body) in (errno.EPERM, errno.ESRCH)


def test_dangerous_calls_are_denied(inside):
    """No new namespaces, no tracing, no mounts, and no memory that nobody could count."""
    body = """
import mmap
libc = ctypes.CDLL(None, use_errno=True)
told = [libc.unshare(0x10000000), libc.ptrace(16, 1, 0, 0), libc.mount(0, 0, 0, 0, 0)]
told += [libc.memfd_create(b"x", 0), libc.shmget(0, 4096, 0o1600), libc.msgget(0, 0o1600), libc.semget(0, 1, 0o1600)]
try:
    mmap.mmap(-1, 4096)
except OSError:
    told.append(-1)
try:
    with open("/dev/zero", "r+b") as zero:
        mmap.mmap(zero.fileno(), 4096)
except OSError:
    told.append(-1)
return told
"""
    assert inside(body) == [-1] * 9


def test_multiprocessing_works(inside):
    """Locks, queues and pools of processes do without what is denied."""
    body = """
import concurrent.futures, multiprocessing
queue = multiprocessing.Queue()
queue.put(1)
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    return [queue.get(), *pool.map(abs, [-2, -3])]
"""
    assert inside(body, importable=True) == [1, 2, 3]


def test_it_is_nobody(inside, confined):
    """Inside, the submission is no user that owns anything, has no terminal, and no capability over others."""
    capabilities = inside("return [line for line in open('/proc/self/status') if line.startswith('CapEff')]")
    # A Python in a folder of root's own is read by a capability; Landlock says of what.
    assert int(capabilities[0].split()[1], 16) in ((0,) if confined.kind == "bwrap" else (0, 4))
    body = """
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    return "no terminal"
"""
    assert inside(body) == "no terminal"
    assert inside("return os.getsid(0) == os.getpid()") is True
    if os.getuid() == 0:
        assert inside("return os.getuid()") != 0


# --- older kernels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 3, 4, 5])
def test_older_landlock_holds_too(monkeypatch, version, tmp_path):
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
            assert session.play(_performance(body), _world(), _rng()).result == ["refused"] * 6
    finally:
        session.close()
    assert victim.read_text() == "as it was"


def _performance(source):
    from checker.suite.scenario import ship
    from checker.world.session import Performance

    return Performance("07_semaphore", source.encode(), [], ship(look, {}))


def _world():
    from checker.world.script import World

    return World()


def _rng():
    import random

    return random.Random(1)


# --- which sandbox ---------------------------------------------------------------------------------------


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


def test_a_refused_sandbox_is_replaced_and_remembered(monkeypatch, fresh_choice, tmp_path):
    """Where bubblewrap is installed but may not make namespaces, `auto` takes the next best, from then on at once."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho asked >> " + str(tmp_path / "asked") + "\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    for _ in range(2):
        session = Session("auto")
        try:
            assert session.probe() in ("landlock", "none")
            assert session.play(_performance("def look():\n    return 1\n"), _world(), _rng()).result == 1
        finally:
            session.close()
    assert (tmp_path / "asked").read_text() == "asked\n"
    with pytest.raises(GraderFault, match="doctor"):
        Session("bwrap").probe()


# --- the end ---------------------------------------------------------------------------------------------

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
        _until(lambda: len(_marked(mark)) == 2)
    finally:
        grader.kill()
        grader.wait()
    _until(lambda: not _marked(mark))


def _until(true):
    """Wait for something that must come; the time limit is only there to end a failing test."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
def test_closing_a_sandbox_leaves_nothing(kind, tmp_path, monkeypatch):
    """The sandbox's folder is removed when it is closed, in whatever state it is."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    session = Session(kind)
    try:
        session.probe()
    except (sandbox.Unavailable, GraderFault) as error:
        pytest.skip(str(error))
    session.play(_performance("import os\ndef look():\n    os.mkdir('d', 0)\n    os._exit(1)\n"), _world(), _rng())
    session.close()
    assert os.listdir(tmp_path) == []


# --- the filter ------------------------------------------------------------------------------------------


def test_the_filter_is_for_this_machine_or_none():
    """An unknown machine gets no filter rather than a wrong one; instructions are eight bytes each."""
    assert seccomp.program("riscv64") == b""
    for machine in seccomp.ARCHES:
        programs = [seccomp.program(machine)]
        programs += [seccomp.host_program(network=network, machine=machine) for network in (False, True)]
        assert all(program and len(program) % 8 == 0 for program in programs)


def test_closing_a_sandbox_ends_it():
    """After `close` nothing of the sandbox is left, and closing twice does no harm."""
    box = sandbox.launch("auto")
    box.close()
    box.close()
    assert box.process.returncode is not None
    assert isinstance(box.control, socket.socket)
