"""The system call filter: classic BPF, assembled here since it is forty instructions and libseccomp a C library.

What is denied and why stands in `DENIED`; sockets are allowed for unix, inet and inet6 only, since other
families (vsock) are not held by a net namespace.  Facts: seccomp(2), linux/audit.h, the syscall tables.
"""

from __future__ import annotations

import errno
import platform
import struct

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
CLONE_NEWUSER = 0x10000000
FAMILIES = (1, 2, 10)
"""AF_UNIX, AF_INET, AF_INET6."""

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    # name: (x86_64, aarch64)
    "socket": (41, 198),
    "clone": (56, 220),
    "clone3": (435, 435),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
DENIED = [name for name in NUMBERS if name not in ("socket", "clone", "clone3")]
"""Other processes' memory, new namespaces and mounts, and the kernel's widest doors."""


def program(machine: str | None = None) -> bytes:
    """The filter for this machine, as bwrap's `--seccomp` reads it; empty for a machine unknown here."""
    machine = machine or platform.machine()
    if machine not in ARCHES:
        return b""
    column = list(ARCHES).index(machine)
    code = [_step(LOAD, ARCH), _jump(JUMP_EQUAL, ARCHES[machine], 1, 0), _step(RETURN, KILL), _step(LOAD, NUMBER)]
    if machine == "x86_64":  # the x32 calls, with numbers of their own
        code += [_jump(JUMP_GREATER_EQUAL, 0x40000000, 0, 1), _step(RETURN, KILL)]
    for name in DENIED:
        code += [_jump(JUMP_EQUAL, NUMBERS[name][column], 0, 1), _step(RETURN, ERRNO | errno.EPERM)]
    # clone3 takes its flags in memory, where no filter looks; without it libc uses clone.
    code += [_jump(JUMP_EQUAL, NUMBERS["clone3"][column], 0, 1), _step(RETURN, ERRNO | errno.ENOSYS)]
    code += [
        _jump(JUMP_EQUAL, NUMBERS["clone"][column], 0, 4),
        _step(LOAD, FIRST_ARGUMENT),
        _jump(JUMP_SET, CLONE_NEWUSER, 0, 1),
        _step(RETURN, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
    ]
    code += [_jump(JUMP_EQUAL, NUMBERS["socket"][column], 0, 2 + len(FAMILIES)), _step(LOAD, FIRST_ARGUMENT)]
    code += [_jump(JUMP_EQUAL, family, len(FAMILIES) - place, 0) for place, family in enumerate(FAMILIES)]
    code += [_step(RETURN, ERRNO | errno.EAFNOSUPPORT), _step(RETURN, ALLOW)]
    return b"".join(code)


def _step(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, true: int, false: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)
