"""What a submission can do to others from inside the sandboxes: connect to nobody, signal nobody."""

import ctypes
import errno
import os
import socket


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
    sockets = [(40, 1, 0), (16, 3, 0), (16, 3, 4), (17, 3, 0), (2, 3, 1)]
    if confined.kind == "landlock":
        sockets += [(1, 1, 0), (1, 2, 0), (2, 2, 0), (10, 2, 0), (2, 1, 262), (2, 5, 132)]
    assert inside(body.format(sockets=sockets)) == []


def test_a_run_inherits_no_socket_that_it_could_not_open(inside):
    """The first process asks the kernel about connections over netlink; its runs have pairs of unix sockets only."""
    body = """
found = []
for name in os.listdir("/proc/self/fd"):
    try:
        with socket.socket(fileno=os.dup(int(name))) as one:
            found.append(int(one.family))
    except OSError:
        pass
return sorted(set(found))
"""
    assert inside(body) == [1]


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


def test_what_others_have_of_shared_memory_and_queues_is_out_of_reach(inside):
    """Their numbers are small, and a mode may let everybody in."""
    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.shmget(0, 4096, 0o1666), libc.msgget(0, 0o1666), libc.semget(0, 1, 0o1666)
    assert min(made) >= 0
    body = f"""
memory, letters, counter = {made!r}
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_ssize_t
letter = ctypes.create_string_buffer(64)
told = [libc.shmat(memory, None, 0), libc.shmctl(memory, 0, None)]
told += [libc.msgsnd(letters, letter, 6, 0o4000), libc.msgrcv(letters, letter, 6, 0, 0o4000)]
told += [libc.msgctl(letters, 0, None)]
told += [libc.semctl(counter, 0, 16, 7), libc.semop(counter, letter, 1)]
return told
"""
    try:
        assert inside(body) == [-1] * 7
    finally:
        libc.shmctl(made[0], 0, None)
        libc.msgctl(made[1], 0, None)
        libc.semctl(made[2], 0, 0)


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
