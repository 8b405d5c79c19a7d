"""The bubblewrap sandbox.

New mount, pid, net, ipc and uts namespaces, and a user namespace where the grader is an ordinary user.
A grader that is root starts bwrap as root and becomes a spare user inside, since for root the limit on
processes does not bind, not even in a user namespace.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from checker.runner.confine import Plan
from checker.sandbox import seccomp
from checker.sandbox.base import Sandbox, start
from checker.sandbox.interpreter import ENVIRONMENT, PACKAGE, compile_runner, interpreter, read_only, site_packages
from checker.sandbox.unavailable import Unavailable
from checker.sandbox.user import spare_user

TMP_BYTES = 32 << 20
HARNESS = "/harness"
"""Where the sandbox shows this package, and nothing beside it."""


def launch(preload: Sequence[str]) -> Sandbox:
    """Start the runner in bubblewrap.

    Raises:
        Unavailable: bwrap is not installed, or not allowed to make namespaces here.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise Unavailable(
            "bubblewrap is not installed; install your system's package `bubblewrap`, or use --sandbox none."
        )
    compile_runner()
    user = spare_user()
    uid = user.uid if user is not None else 0
    control = socket.socketpair()
    args_fd = _memory_file("args", "".join(f"{word}\0" for word in _arguments(uid)).encode())
    try:
        command = [program, "--args", str(args_fd), *_command(control[1].fileno(), preload, uid)]
        return start("bwrap", command, control, descriptors=[args_fd], user=user)
    finally:
        os.close(args_fd)


def _command(control: int, preload: Sequence[str], uid: int) -> list[str]:
    plan = Plan(temp="/tmp", swept=["/tmp", "/dev/shm"], counted=True, uid=uid, filter=seccomp.program())
    return interpreter([*site_packages(), HARNESS], control, preload, plan, uid=uid)


def _arguments(uid: int) -> list[str]:
    """The options of bwrap, the first process's user among them."""
    spaces = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if uid:
        privileges = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        privileges = ["--unshare-user", "--cap-drop", "ALL"]
    life = ["--new-session", "--die-with-parent", "--as-pid-1", "--hostname", "sandbox"]
    variables = [word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)]
    return [*spaces, *privileges, *life, *variables, *_mounts(), "--chdir", "/tmp"]


def _mounts() -> list[str]:
    mounts = ["--proc", "/proc", "--dev", "/dev"]
    # Shared mappings of /dev/zero are memory that nobody could count.
    mounts += ["--ro-bind", "/dev/null", "/dev/zero"]
    mounts += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/dev/shm"]
    mounts += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    shown = read_only()
    for folder in _parents([*shown, f"{HARNESS}/checker"]):
        # Said outright: bwrap makes missing parents for their owner only, who is not the user inside.
        mounts += ["--perms", "0755", "--dir", folder]
    for path in shown:
        mounts += ["--ro-bind", path, path]
    for link in ("/bin", "/lib", "/lib64", "/lib32", "/sbin"):
        if Path(link).is_symlink():
            mounts += ["--symlink", str(Path(link).readlink()), link]
    mounts += ["--ro-bind", str(PACKAGE), f"{HARNESS}/checker"]
    # The device folder is a file system in memory too, one that nobody counts.
    return [*mounts, "--remount-ro", "/dev", "--remount-ro", "/"]


def _parents(paths: Sequence[str]) -> list[str]:
    """Every folder above these paths, the upper ones first."""
    return sorted({str(parent) for path in paths for parent in Path(path).parents if str(parent) != "/"})


def _memory_file(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
