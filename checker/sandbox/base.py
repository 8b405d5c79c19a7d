"""What all sandboxes share: a process started with one end of a socket, and how to be rid of it."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

BOOT = """\
import os, sys
uid, paths = int(sys.argv[1]), sys.argv[2].split(os.pathsep)
del sys.argv[1:3]
if uid:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
sys.path[:0] = paths
from checker.runner.zygote import main
main()
"""
"""What the runner's interpreter runs first: become nobody (where the grader is root), then the zygote."""

ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    # Local time is not UTC, or a naive moment taken for UTC would not show; no summer time, of which
    # freezegun knows nothing.
    "TZ": "<+02>-2",
}
"""The whole environment of a runner."""

PACKAGE = Path(__file__).resolve().parents[1]


class Unavailable(RuntimeError):
    """This machine does not offer the sandbox that was asked for; says what to do."""


class Sandbox:
    """A running sandbox: its first process and the socket to it.

    Args:
        kind: `bwrap` or `none`.
        process: the process that holds the sandbox; ending it ends everything within.
        control: the grader's end of the control socket.
    """

    def __init__(self, kind: str, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.kind = kind
        self.process = process
        self.control = control

    def close(self) -> None:
        """End everything in the sandbox; does no harm twice."""
        self.control.close()
        # At the end of the stream the first process leaves by itself, and with it everything in its namespace.
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1.0)
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


def site_packages() -> list[str]:
    """The folders that hold the installed packages the runner needs."""
    return list(dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))


def interpreter(
    paths: Sequence[str], descriptor: int, preload: Sequence[str], *, uid: int = 0, python: str | None = None
) -> list[str]:
    """The command that starts the zygote; the interpreter reads no environment and no site files."""
    python = python or str(getattr(sys, "_base_executable", sys.executable))
    command = [python, "-I", "-S", "-B", "-X", "utf8", "-c", BOOT, str(uid), os.pathsep.join(paths)]
    return [*command, str(descriptor), *preload]


def compile_runner() -> None:
    """Have the runner's byte code ready: a read-only sandbox could not keep it and compiles each time."""
    for source in (*PACKAGE.glob("*.py"), *(PACKAGE / "runner").glob("*.py")):
        cached = Path(importlib.util.cache_from_source(str(source)))
        with suppress(OSError):
            if not cached.exists() or cached.stat().st_mtime < source.stat().st_mtime:
                py_compile.compile(str(source), quiet=2)


def spare_uid() -> int:
    """A user id that nobody has, for a grader that is root; from the range that is kept for such use."""
    first, many = 61184, 4000
    return first + (os.getpid() * 31 + int.from_bytes(os.urandom(1), "big")) % many
