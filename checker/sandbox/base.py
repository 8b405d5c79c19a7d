"""What all sandboxes share: a process started with one end of a socket, and how to be rid of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from checker.sandbox.box import Box
from checker.sandbox.interpreter import ENVIRONMENT
from checker.sandbox.user import SpareUser
from checker.values import printable


class Sandbox:
    """A running sandbox: its first process and the socket to it.

    Args:
        kind: `bwrap`, `landlock` or `none`.
        process: the process that holds the sandbox; ending it ends everything within.
        control: the grader's end of the control socket.
        user: the spare user that it runs as, if there is one.
        box: a folder of the machine's that is only this sandbox's, to be removed at the end.
        complaints: a file in memory with what was written on standard error.
    """

    def __init__(
        self,
        kind: str,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        user: SpareUser | None = None,
        box: Box | None = None,
        complaints: int | None = None,
    ) -> None:
        self.kind = kind
        self.process = process
        self.control = control
        self._user = user
        self._box = box
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
        if self._user is not None and (killed or (self.process.returncode and self.kind != "bwrap")):
            self._user.end_all()
        if self._box is not None:
            self._box.remove()
            self._box = None
        if self._user is not None:
            self._user.close()  # only now: what lies in the box, and beside it, could be the next one's with this id
            self._user = None
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
    return Sandbox(kind, process, ours, user, box, complaints)
