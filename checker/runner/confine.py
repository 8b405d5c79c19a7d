"""Shuts a run in with Landlock and seccomp, where there is no bubblewrap around it.

The zygote itself stays outside: it is trusted, and needs /proc.  Each run's process goes in right after
it was forked, before anything of the submission is loaded, and cannot get out again, nor can its children.

Facts: landlock(7), linux/landlock.h (version 1: files; 2: moving between folders; 3: truncation; 4: TCP
ports; 5: ioctl on devices; 6: signals and abstract unix sockets), prctl(2).
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterable

import msgspec

from checker.runner import bpf
from checker.runner.bpf import Refusal, When

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_FIFO, MAKE_SYM = 1 << 7, 1 << 8, 1 << 10, 1 << 12
REFER, TRUNCATE, IOCTL = 1 << 13, 1 << 14, 1 << 15
SHOW = EXECUTE | READ_FILE | READ_DIR
CHANGE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM | REFER | TRUNCATE
SEMAPHORES = READ_FILE | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE
ONLY_FOLDERS = READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM | REFER
OF_ITSELF = {
    **dict.fromkeys(("stat", "statm", "status", "cmdline", "maps", "fd", "fdinfo"), READ_FILE | READ_DIR),
    "task": READ_DIR,
}
"""Of /proc, what tells of this very process. The rest of that folder tells of the machine: its routes and connections,
names of sockets, mounts; each thread's folder does so again, so that only their numbers can be seen.
"""
KNOWS_PORTS = 4
"""The first version of Landlock that does; before it runs can have no network."""
FILES_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file rights each version of Landlock knows."""
BIND, CONNECT = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)
_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


shut_in = False
"""Whether this process has shut itself in."""


class Plan(msgspec.Struct, frozen=True):
    """What the grader tells the zygote of the sandbox around it.

    Args:
        temp: the folder in which runs keep their temporary files.
        swept: the folders that are emptied after each run.
        box: the folder that the zygote removes at its end; empty: there is none.
        counted: whether these are file systems of their own, in memory.
        uid: the spare user that the sandbox runs as; 0: whoever the grader is.
        shared: a folder of the machine's, in memory, where runs with child processes may make files, since semaphores
            lie there. A spare user's are counted and removed; those of whoever the grader is may be anybody's.
        landlock: the version of Landlock to shut runs in with; 0: that is done by others, or not at all.
        shown: what runs may read and execute.
        devices: what runs may read and write.
        ports: the first and the last port on which runs may serve and connect.
        filter: the system call filter that the zygote puts on itself, and so on all that comes of it.
        filters: the system call filters of runs without and with a network.
    """

    temp: str = ""
    swept: list[str] = []
    box: str = ""
    counted: bool = False
    uid: int = 0
    shared: str = ""
    landlock: int = 0
    shown: list[str] = []
    devices: list[str] = []
    ports: tuple[int, int] = (0, 0)
    filter: bytes = b""
    filters: tuple[bytes, bytes] = (b"", b"")


class Confinement:
    """Shuts runs in, as the plan says; made once, since opening the folders takes longer than all the rest."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rules: dict[tuple[bool, bool], int] = {}
        self._zygote = os.getpid()

    def prepare(self, *, network: bool, semaphores: bool) -> None:
        """Have the rules for such a run ready, before forking."""
        if self._plan.landlock and (network, semaphores) not in self._rules:
            self._rules[network, semaphores] = self._ruleset(network, semaphores)

    def enter(self, *, network: bool, semaphores: bool) -> None:
        """Shut this process in, for good.

        Raises:
            OSError: the kernel refuses; nothing of a submission may be run then.
        """
        plan = self._plan
        if not plan.landlock:
            return
        for name, rights in OF_ITSELF.items():
            _allow(self._rules[network, semaphores], f"/proc/{os.getpid()}/{name}", rights)
        global shut_in
        shut_in = True
        os.umask(0o077)  # for good: the filter keeps it, and chmod away
        _system_call(RESTRICT_SELF, self._rules[network, semaphores], 0)
        for ruleset in self._rules.values():
            os.close(ruleset)
        if plan.landlock < 6:
            filter_calls(bpf.assemble(bpf.here() or "", self._signals()))
        filter_calls(plan.filters[network])
        if network:
            _serve_within(*plan.ports)

    def _ruleset(self, network: bool, semaphores: bool) -> int:
        plan = self._plan
        known = (1 << FILES_BY_VERSION[min(plan.landlock, 5)]) - 1
        attributes = struct.pack("=QQQ", known, BIND | CONNECT, 3)
        size = 8 if plan.landlock < KNOWS_PORTS else 16 if plan.landlock < 6 else 24
        ruleset = _system_call(CREATE_RULESET, attributes[:size], size, 0)
        os.set_inheritable(ruleset, False)
        for path in plan.shown:
            _allow(ruleset, path, SHOW & known)
        for path in plan.devices:
            _allow(ruleset, path, (READ_FILE | WRITE_FILE | IOCTL) & known)
        _allow(ruleset, plan.temp, (SHOW | CHANGE) & ~EXECUTE & known)
        if semaphores:
            _allow(ruleset, plan.shared, SEMAPHORES & known)
        if network:
            for port in range(plan.ports[0], plan.ports[1] + 1):
                _system_call(ADD_RULE, ruleset, 2, struct.pack("=QQ", BIND | CONNECT, port), 0)
        return ruleset

    def _signals(self) -> Iterable[Refusal]:
        """What keeps a run from sending signals to others, where Landlock does not do that yet."""
        machine = bpf.here()
        column = list(bpf.ARCHES).index(machine or "")
        calls = {name: numbers[column] for name, numbers in SIGNALLING.items()}
        yield Refusal(calls["pidfd_send_signal"])
        for setting_owner in (8, 15):
            yield Refusal(calls["fcntl"], (When(1, "is", setting_owner),))
        for setting_owner in (0x8901, 0x8902):
            yield Refusal(calls["ioctl"], (When(1, "is", setting_owner),))
        me, zygote = os.getpid(), self._zygote
        for name in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
            if self._plan.uid:
                # A user that has no other processes: only the zygote is to be kept from them.
                for pid in (zygote, -zygote, -1):
                    yield Refusal(calls[name], (When(0, "is", pid),))
            else:
                # The run's own processes are younger than it. That lets in what others have started since.
                yield Refusal(calls[name], (When(0, "below", me), When(0, "is not", 0)))
                yield Refusal(calls[name], (When(0, "above", 0x7FFFFFFF), When(0, "is not", -me)))


SIGNALLING = {
    # name: (x86_64, aarch64)
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
}


def version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    found = _libc.syscall(CREATE_RULESET, None, 0, 1)
    return max(0, int(found))


def end_with(parent: int) -> None:
    """Have the system end this process at once when its parent has ended, however that came about."""
    _libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before this was said
        os._exit(1)


def leave_when_alone(parent: int, last: Callable[[], None]) -> None:
    """End this process by SIGTERM when its parent has ended, whatever it waits for then.

    Args:
        parent: the parent, as this process knows it.
        last: what is to be done before. Nothing is raised to get there: what a signal raises may be lost where it
            comes, or break off the very same work where that was begun for another reason.
    """
    me = os.getpid()

    def leave(*_: object) -> None:
        # The thread that started this process may have ended before the others.
        if os.getppid() != parent and os.getpid() == me:
            last()
            os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    _libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    leave()


def own_up(parent: int) -> None:
    """In a run's process: a session of its own, and an end together with its parent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    end_with(parent)
    # Dumpable, so that its memory can be measured; there is nothing in it that is not the run's.
    _libc.prctl(4, 1, 0, 0, 0)


def filter_calls(program: bytes) -> None:
    """Refuse this process system calls, for good; it must not be able to gain privileges any more.

    Args:
        program: as `checker.runner.bpf` assembles it.

    Raises:
        OSError: the kernel refuses, or there is no program.
    """
    if not program:
        raise OSError("There is no system call filter for this machine.")
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    if _libc.prctl(22, 2, header, 0, 0):
        raise OSError(ctypes.get_errno(), "The system call filter was refused.")


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= ~ONLY_FOLDERS
        _system_call(ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _system_call(number: int, *arguments: int | bytes) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"The system call {number} failed.")
    return result


def _serve_within(first: int, last: int) -> None:
    """Let `bind` with port 0 choose one of the sandbox's own ports, since no others are allowed."""
    ports = itertools.cycle(range(first, last + 1))
    real = socket.socket.bind

    def bind(self: socket.socket, address: object, /) -> None:
        if (
            self.family not in (socket.AF_INET, socket.AF_INET6)
            or not isinstance(address, tuple)
            or address[1:2] != (0,)
        ):
            real(self, address)  # type: ignore[arg-type]
            return
        for port in itertools.islice(ports, last - first):
            try:
                real(self, (address[0], port, *address[2:]))
            except OSError as error:
                if error.errno != 98:  # EADDRINUSE
                    raise
            else:
                return
        real(self, address)

    socket.socket.bind = bind  # type: ignore[method-assign,assignment]
