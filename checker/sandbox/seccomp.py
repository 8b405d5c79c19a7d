"""The system call filters of the sandboxes: which calls are refused, and why.

Numbers: the kernel's syscall tables, for x86_64 and aarch64; None where a machine has no such call.
"""

from __future__ import annotations

import errno

from checker.runner import bpf
from checker.runner.bpf import Refusal, When

ARCHES = bpf.ARCHES
CLONE_NEWUSER = 0x10000000
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
SOCK_STREAM, IPPROTO_TCP = 1, 6
MAP_SHARED_ANONYMOUS = 0x21
MSG_FASTOPEN = 0x20000000
O_TMPFILE = 0x400000
PR_SET_DUMPABLE = 4

UMASK = (95, 166)

Numbers = dict[str, tuple[int | None, int | None]]

CLOSED: Numbers = {
    # other processes' memory and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    # the kernel's widest doors
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # memory that no process has mapped, so that nobody could count it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # what other programs have of these, whose numbers can be guessed
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
}
"""Refused in every sandbox, whatever the arguments."""

CLOSED_ON_THE_HOST: Numbers = {
    # Landlock does not look at these, and the user's own files are in the same tree.
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "truncate": (76, 45),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
}
"""Refused besides where the file system is the machine's own."""

HELD: Numbers = {
    # name: the call whose arguments are looked at
    "socket": (41, 198),
    "socketpair": (53, 199),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "clone": (56, 220),
    "clone3": (435, 435),
    "mmap": (9, 222),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
}


def program(machine: str | None = None) -> bytes:
    """The filter for the zygote in bubblewrap; empty for a machine unknown here."""
    machine = machine or bpf.here() or ""
    if machine not in ARCHES:
        return b""
    column = list(ARCHES).index(machine)
    # Other families (vsock) are not held by a net namespace.
    families = tuple(When(0, "is not", family) for family in (AF_UNIX, AF_INET, AF_INET6))
    sockets = _refuse(column, "socket", *families, error=errno.EAFNOSUPPORT)
    return bpf.assemble(machine, [*_everywhere(column), *sockets])


def host_program(*, network: bool, machine: str | None = None) -> bytes:
    """The filter for a run that shares the machine's network and files; empty for a machine unknown here.

    Args:
        network: whether the run may have TCP sockets; otherwise it gets pairs of connected ones only.
    """
    machine = machine or bpf.here() or ""
    if machine not in ARCHES:
        return b""
    column = list(ARCHES).index(machine)
    return bpf.assemble(machine, [*_everywhere(column), *_on_the_host(column), *_sockets(column, network)])


def _everywhere(column: int) -> list[Refusal]:
    other = When(0, "is not", 0)
    found = [Refusal(numbers[column] or 0) for numbers in CLOSED.values() if numbers[column] is not None]
    # clone3 takes its flags in memory, where no filter looks; without it libc uses clone.
    found += _refuse(column, "clone3", error=errno.ENOSYS)
    found += _refuse(column, "clone", When(0, "is", CLONE_NEWUSER, CLONE_NEWUSER))
    # Pages of a shared mapping outlive their being mapped: nobody could count them.
    found += _refuse(column, "mmap", When(3, "is", MAP_SHARED_ANONYMOUS, MAP_SHARED_ANONYMOUS))
    # A process of the same user may set another's limits, the zygote's among them.
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        found += _refuse(column, name, other)
    for name in ("setpriority", "ioprio_set"):
        found += _refuse(column, name, other._replace(argument=1))
    return found


def _on_the_host(column: int) -> list[Refusal]:
    found = [Refusal(numbers[column] or 0) for numbers in CLOSED_ON_THE_HOST.values() if numbers[column] is not None]
    # Files stay their user's own, so that submissions of two users have nothing to hand over. It only looks as if it
    # were done: to set it is ordinary, and nothing that a run may do goes by it.
    found.append(Refusal(UMASK[column], error=0))
    # A file without a name is not seen by who counts the files.
    unnamed = When(2, "is", O_TMPFILE, O_TMPFILE)
    found += _refuse(column, "openat", unnamed)
    found += _refuse(column, "open", unnamed._replace(argument=1))
    found += _refuse(column, "openat2", error=errno.ENOSYS)
    # Whose descriptors are to be counted must be dumpable.
    found += _refuse(column, "prctl", When(0, "is", PR_SET_DUMPABLE))
    return found


def _sockets(column: int, network: bool) -> list[Refusal]:
    """TCP at most: sockets of unix would reach the user's own services, and Landlock knows only of TCP."""
    kind = When(1, "is not", SOCK_STREAM, 0xF)
    found = _refuse(column, "socketpair", kind)
    if not network:
        return [*found, *_refuse(column, "socket", error=errno.EAFNOSUPPORT)]
    families = tuple(When(0, "is not", family) for family in (AF_INET, AF_INET6))
    found += _refuse(column, "socket", *families, error=errno.EAFNOSUPPORT)
    found += _refuse(column, "socket", kind, error=errno.EPROTONOSUPPORT)
    protocols = When(2, "is not", 0), When(2, "is not", IPPROTO_TCP)
    found += _refuse(column, "socket", *protocols, error=errno.EPROTONOSUPPORT)
    # A connection made by its first bytes passes Landlock by.
    for name, place in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
        found += _refuse(column, name, When(place, "is", MSG_FASTOPEN, MSG_FASTOPEN))
    return found


def _refuse(column: int, name: str, *when: When, error: int = errno.EPERM) -> list[Refusal]:
    number = HELD[name][column]
    return [] if number is None else [Refusal(number, when, error)]
