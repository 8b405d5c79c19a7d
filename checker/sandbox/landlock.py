"""The Landlock sandbox, for machines where bubblewrap is missing or may not make namespaces.

The zygote is an ordinary process, of a spare user where the grader is root; each run shuts itself in before
anything of the submission is loaded: see `checker.runner.confine`.  It sees the same files as in bubblewrap,
and has a temporary folder of the machine's that is its own.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from pathlib import Path

from checker.runner import bpf, confine
from checker.runner.confine import Plan
from checker.sandbox import seccomp
from checker.sandbox.base import Sandbox, start
from checker.sandbox.box import SHARED, Box
from checker.sandbox.interpreter import BOOT, PACKAGE, compile_runner, interpreter, python, read_only, site_packages
from checker.sandbox.unavailable import Unavailable
from checker.sandbox.user import passable, spare_user

DEVICES = ["/dev/null", "/dev/urandom", "/dev/random"]
PORTS = 64
"""On so many ports a run may serve and connect: few, since Landlock cannot tell this machine's from others'."""
LOWEST, HIGHEST = 20_000, 32_000
"""Below the ports that the kernel gives to clients."""
LAST_KNOWN = 6
"""The newest version whose rights are used here; a kernel that has more offers these as well."""

REACH = """\
import ctypes, os, struct, sys
uid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(8, 1, 0, 0, 0)
os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
libc.capset(struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", 4, 4, 4, 0, 0, 0))
libc.prctl(47, 2, 2, 0, 0)
sys.argv[1] = "0"
"""
"""Become nobody, and keep CAP_DAC_READ_SEARCH, for a Python in a folder that only root may pass."""


def launch(preload: Sequence[str], version: int | None = None) -> Sandbox:
    """Start the runner in a process whose runs shut themselves in.

    Args:
        preload: modules that the runner loads before it forks.
        version: the version of Landlock to make do with; None: the kernel's.

    Raises:
        Unavailable: the kernel has no Landlock, or this machine's system calls are not known here.
    """
    version = min(version or LAST_KNOWN, confine.version(), LAST_KNOWN)
    if not version or bpf.here() is None:
        raise Unavailable(
            "This kernel offers no Landlock; it needs Linux 5.13 with `landlock` among its security modules."
            " Install bubblewrap, or use --sandbox none."
        )
    compile_runner()
    user = spare_user()
    uid = user.uid if user is not None else 0
    box = Box(uid)
    plan = _plan(version, uid, box)
    control = socket.socketpair()
    paths = [*site_packages(), box.harness]
    command = interpreter(paths, control[1].fileno(), preload, plan, uid=uid, boot=_boot(uid))
    return start("landlock", command, control, user=user, box=box)


def _plan(version: int, uid: int, box: Box) -> Plan:
    first = random.SystemRandom().randrange(LOWEST, HIGHEST - PORTS)
    return Plan(
        temp=box.temp,
        swept=[box.temp],
        box=box.folder,
        uid=uid,
        shared=SHARED,
        landlock=version,
        shown=[*read_only(), box.harness, str(PACKAGE)],
        devices=[path for path in DEVICES if Path(path).exists()],
        ports=(first, first + PORTS - 1),
        filters=(seccomp.host_program(network=False), seccomp.host_program(network=True)),
    )


def _boot(uid: int) -> str:
    """What the interpreter runs first."""
    if not uid or all(passable(Path(path).parent) for path in (python(), str(PACKAGE), *site_packages())):
        return BOOT
    return REACH + BOOT
