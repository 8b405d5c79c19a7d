"""What all sandboxes share: a process started with one end of a socket, and how to be rid of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from checker.runner import sweep
from checker.sandbox.interpreter import ENVIRONMENT, PACKAGE
from checker.sandbox.user import SpareUser, passable
from checker.values import printable

REMOVAL = 10.0
"""Real seconds that removing a sandbox's folder may take."""


class Sandbox:
    """A running sandbox: its first process and the socket to it.

    Args:
        kind: `bwrap`, `landlock` or `none`.
        process: the process that holds the sandbox; ending it ends everything within.
        control: the grader's end of the control socket.
        user: the spare user that it runs as, if there is one.
        folder: a folder of the machine's that is only this sandbox's, to be removed at the end.
        complaints: a file in memory with what was written on standard error.
    """

    def __init__(
        self,
        kind: str,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        user: SpareUser | None = None,
        folder: str | None = None,
        complaints: int | None = None,
    ) -> None:
        self.kind = kind
        self.process = process
        self.control = control
        self._user = user
        self._folder = folder
        self._complaints = complaints

    def close(self) -> None:
        """End everything in the sandbox; does no harm twice."""
        self.control.close()
        killed = False
        # At the end of the stream the first process leaves by itself, and with it everything in the sandbox.
        try:
            self.process.wait(timeout=3.0)
        except subprocess.TimeoutExpired:
            killed = True
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
        if self._user is not None:
            if killed or (self.process.returncode and self.kind != "bwrap"):
                self._user.end_all()
            self._user.close()
        if self._folder is not None:
            _remove(self._folder)
            self._folder = None
        if self._complaints is not None:
            os.close(self._complaints)
            self._complaints = None

    def failure(self) -> str:
        """Why it did not come up, as far as can be told, to be put behind a sentence's last word."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(timeout=1.0)
            said = "" if self._complaints is None else os.pread(self._complaints, 1 << 16, 0).decode(errors="replace")
            lines = [line for line in said.split("\n") if line.strip()]
            last = f": {printable(lines[-1].strip()[:200])}" if lines else ""
            return f" (exit status {code}{last})" if code >= 0 else f" (signal {-code}{last})"
        return ""


def start(
    kind: str,
    command: Sequence[str],
    control: tuple[socket.socket, socket.socket],
    *,
    descriptors: Sequence[int] = (),
    user: SpareUser | None = None,
    box: Box | None = None,
) -> Sandbox:
    """Start a sandbox's first process.

    Args:
        kind: `bwrap`, `landlock` or `none`.
        control: the grader's end of the control socket and the zygote's, which is closed here.
        descriptors: open ones for it, beside its end of the control socket.
        user: the spare user that it is going to be.
        box: where it works; None: it has a file system of its own, and is given its environment there.
    """
    ours, theirs = control
    environment = {} if box is None else {**ENVIRONMENT, "HOME": box.temp, "TMPDIR": box.temp}
    complaints = None if os.environ.get("KATA_DEBUG") else os.memfd_create("complaints")
    with theirs:
        process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno(), *descriptors],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment,
            cwd=box.temp if box is not None else None,
            start_new_session=True,
        )
    return Sandbox(kind, process, ours, user, box.folder if box is not None else None, complaints)


class Box(NamedTuple):
    """A folder of the machine's for one sandbox, and two in it."""

    folder: str
    harness: str
    """Shows this package alone."""
    temp: str
    """For temporary files."""


def make_box(kind: str, uid: int = 0) -> Box:
    """Make a folder for a sandbox whose runs are that user; 0: whoever the grader is."""
    place = tempfile.gettempdir()
    if uid and not passable(place):
        place = "/tmp"
    folder = tempfile.mkdtemp(prefix=f"kata-{kind}-", dir=place)
    Path(folder).chmod(0o711)  # the spare user passes through it
    harness, temp = Path(folder, "harness"), Path(folder, "tmp")
    for each, mode in ((harness, 0o755), (temp, 0o700)):
        each.mkdir()
        each.chmod(mode)  # whatever the grader's own mask is
    (harness / "checker").symlink_to(PACKAGE)
    if uid:
        os.chown(temp, uid, uid)
    return Box(folder, str(harness), str(temp))


def _remove(folder: str) -> None:
    harness = Path(folder, "harness")
    with suppress(OSError):
        (harness / "checker").unlink()
        harness.rmdir()
    sweep.remove(folder, REMOVAL)
