"""The sandbox's first process: loads everything once, then forks a fresh child for each run.

It takes orders from the grader over a socket, never from a run, and never runs a line of a submission
itself.  It is not dumpable, so a run of the same user cannot open its memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from checker import messages
from checker.runner import encode, observer, surroundings
from checker.runner import play as playing

_NEEDS_WALL_CLOCK = re.compile(rb"\b(datetime|time|calendar|email|logging)\b")
_REAL_STEP = 0.002
"""Seconds after which a run whose child processes are at work is told that real time has gone by."""
_LOOPBACK_PATIENCE = 0.05
"""Seconds for which bytes in flight are waited for where they may be some other program's."""


@dataclass
class Run:
    """A process that plays runs of one submission in one kata.

    After a run that leaves nothing behind it waits for the next: to fork, to compile and to touch all the
    pages again would cost several times what a run does.
    """

    order: messages.Play
    pid: int
    encore: socket.socket
    """Orders go down here; a byte comes back when a run is over and the next one may come."""
    asked: int
    answer: int
    folder: str | None
    played: int = 0

    def fits(self, order: messages.Play) -> bool:
        """Whether an order is for the same file of the same submission, and may share a process."""
        mine = self.order
        return not order.alone and (mine.kata, mine.source, mine.limits) == (order.kata, order.source, order.limits)


class Zygote:
    """Args: control: the socket to the grader; alone: whether this is process 1 of a pid namespace."""

    def __init__(self, control: socket.socket, *, alone: bool) -> None:
        self._control = control
        self._alone = alone
        self._waiting: Run | None = None

    def serve(self) -> None:
        """Take orders until the grader hangs up."""
        self._send(messages.Up())
        while True:
            order, descriptors = self._receive()
            if order is None:
                return
            if isinstance(order, messages.Play):
                self._send(self._play(order, descriptors))
            else:
                self._end_waiting()

    # --- one run ----------------------------------------------------------------------------------

    def _play(self, order: messages.Play, descriptors: list[int]) -> messages.Gone:
        run = self._waiting
        if run is not None and run.fits(order):
            self._waiting = None
            data = messages.frame(order)
            with contextlib.suppress(OSError):  # it has ended meanwhile, which the watch will see
                run.encore.sendall(data[socket.send_fds(run.encore, [data], descriptors) :])
        else:
            self._end_waiting()
            run = self._begin(order, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        run.played += 1
        code = self._watch(run)
        if code is None:
            self._waiting = run
        else:
            self._forget(run)
        return messages.Gone(code or 0, run.played > 1)

    def _begin(self, order: messages.Play, descriptors: list[int]) -> Run:
        if _NEEDS_WALL_CLOCK.search(order.source):
            surroundings.preload_freezegun()
        asked, ask = os.pipe()
        answers, answer = os.pipe()
        ours, theirs = socket.socketpair()
        folder = tempfile.mkdtemp(prefix="run-") if order.importable else None
        pid = os.fork()
        if pid == 0:
            try:
                self._control.close()
                ours.close()
                _perform(order, descriptors, playing.PipeOnlooker(ask, answers), folder, theirs)
            finally:
                os._exit(70)
        os.close(ask)
        os.close(answers)
        theirs.close()
        return Run(order, pid, ours, asked, answer, folder)

    def _end_waiting(self) -> None:
        run, self._waiting = self._waiting, None
        if run is not None:
            _kill(run.pid)
            self._reap(run.pid)
            self._forget(run)

    def _forget(self, run: Run) -> None:
        run.encore.close()
        os.close(run.asked)
        os.close(run.answer)
        if run.folder is not None:
            shutil.rmtree(run.folder, ignore_errors=True)

    def _watch(self, run: Run) -> int | None:
        """Wait for the run to be over, answering whether all is quiet; then end whatever it has left.

        Returns its exit code; None where its process has nothing left behind and waits for the next run.
        """
        pid, asked, answer, encore = run.pid, run.asked, run.answer, run.encore.fileno()
        poller = select.poll()
        exited = os.pidfd_open(pid)
        for descriptor in (exited, asked, encore, self._control.fileno()):
            poller.register(descriptor, select.POLLIN)
        pending = False
        asked_at = 0.0
        pause = 0.0
        try:
            while True:
                ready = dict(poller.poll(pause * 1000 if pending else None))
                if exited in ready:
                    return self._reap(pid)
                if encore in ready:
                    if run.encore.recv(1) and self._is_single(pid):
                        return None
                    _kill(pid)
                    return self._reap(pid)
                if self._control.fileno() in ready:
                    order, _ = self._receive()
                    if order is None:
                        os._exit(0)
                    os.kill(pid, signal.SIGKILL)
                if asked in ready:
                    if not os.read(asked, 64):
                        poller.unregister(asked)
                    pending, asked_at, pause = True, time.monotonic(), 0.0
                if pending:
                    word = self._word(pid, asked_at)
                    if word:
                        with contextlib.suppress(BrokenPipeError):  # it has just ended
                            os.write(answer, word)
                    pending = not word
                    pause = min(0.002, pause * 2 or 0.00002)
        finally:
            os.close(exited)

    def _word(self, pid: int, asked_at: float) -> bytes:
        """`q`: all is quiet; `r`: children are at work and real time has passed; nothing: ask again."""
        waited = time.monotonic() - asked_at
        pids = self._pids(pid)
        if len(pids) > 1 and any(not observer.is_helper(other) for other in pids if other != pid):
            return b"r" if waited >= _REAL_STEP else b""
        # Without a net namespace, other programs' connections are seen as well: look past them after a while.
        loopback = self._alone or waited < _LOOPBACK_PATIENCE
        return b"q" if observer.is_quiet(pids, loopback=loopback) else b""

    def _is_single(self, pid: int) -> bool:
        """Whether a run's process has neither children nor threads."""
        return self._pids(pid) == [pid] and os.listdir(f"/proc/{pid}/task") == [str(pid)]

    def _pids(self, pid: int) -> list[int]:
        if self._alone:
            return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        return observer.descendants(pid)

    def _reap(self, pid: int) -> int:
        left = [] if self._alone else observer.descendants(pid)[1:]
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if self._alone:
            # Process 1 of a namespace may end everybody else in it, and nobody there can end it.
            _kill(-1)
        for other in left:
            _kill(other)
        while True:
            try:
                if os.waitpid(-1, 0 if self._alone else os.WNOHANG) == (0, 0):
                    return code
            except ChildProcessError:
                return code

    # --- the grader's socket ------------------------------------------------------------------------

    def _send(self, message: Any) -> None:
        self._control.sendall(messages.frame(message))

    def _receive(self) -> tuple[Any, list[int]]:
        return _receive(self._control)


def _receive(source: socket.socket) -> tuple[Any, list[int]]:
    """An order and its descriptors; None at the end of the stream."""
    header, descriptors, _, _ = socket.recv_fds(source, messages.HEADER, 2)
    if not header:
        return None, []
    size = messages.frame_length(header)
    body = bytearray()
    while len(body) < size:
        part = source.recv(size - len(body))
        if not part:
            return None, []
        body += part
    return messages.decode_control(bytes(body)), descriptors


def _perform(
    order: messages.Play,
    descriptors: list[int],
    onlooker: playing.PipeOnlooker,
    folder: str | None,
    encore: socket.socket,
) -> None:
    """The life of a run's process: one run after the other, as long as none leaves anything behind."""
    while order is not None:
        channel, output = descriptors
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        gc.enable()
        play = playing.Play(order, socket.socket(fileno=channel), onlooker, folder)
        if not play.run():
            os._exit(0)
        play.forget(order.kata)
        del play
        encore.sendall(b".")
        order, descriptors = _receive(encore)
    os._exit(0)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Arguments: the control socket's descriptor, then the modules to load before forking."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    _harden()
    for name in sys.argv[2:]:
        importlib.import_module(name)
    encode.learn_classes()
    gc.collect()
    gc.disable()
    gc.freeze()
    Zygote(control, alone=os.getpid() == 1).serve()
    os._exit(0)


def _harden() -> None:
    """Not dumpable: other processes of this user cannot read this one's memory; orphans come here."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_dumpable, pr_set_child_subreaper, pr_set_no_new_privs = 4, 36, 38
    libc.prctl(pr_set_dumpable, 0, 0, 0, 0)
    libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0)
    libc.prctl(pr_set_no_new_privs, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
