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
import signal
import socket
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from checker import messages
from checker.runner import confine, encode, observer, surroundings, sweep
from checker.runner import play as playing
from checker.runner.warden import Excess, Warden

NEEDED = ("cloudpickle", "encodings.utf_8_sig")
"""What every run needs and nothing here imports: loaded once, before forking."""
_NEEDS_WALL_CLOCK = re.compile(rb"\b(datetime|time|calendar|email|logging)\b")
_REAL_STEP = 0.002
"""Seconds after which a run whose child processes are at work is told that real time has gone by."""
SWEEP = 2.0
"""Real seconds that ending a run's processes, and emptying a folder, may take; then the sandbox is given up."""
IDLE = 0.25
"""Real seconds for which a process waits for another run; it is not watched while it waits."""
HANDOVER = 1.0
"""Real seconds in which a process that has played must take its next order."""
_LOOPBACK_PATIENCE = 0.05
"""Seconds for which bytes in flight are waited for where they may be some other program's."""
_WAITS_PATIENCE = 2.0
"""Seconds for which a thread that looks asleep, and on its way to it only, may be kept from a processor by others."""


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
    family: socket.socket | None
    """Down here a run that cannot see /proc asks for its child processes."""
    limits: messages.Limits
    """As the kernel is to apply them."""
    played: int = 0

    def fits(self, order: messages.Play) -> bool:
        """Whether an order is for the same file of the same submission, and may share a process."""
        mine = self.order
        same = all(getattr(mine, name) == getattr(order, name) for name in ("kata", "source", "limits", "network"))
        return same and not order.alone


class Zygote:
    """Args: control: the socket to the grader; alone: whether this is process 1 of a pid namespace."""

    def __init__(self, control: socket.socket, plan: confine.Plan, *, alone: bool) -> None:
        self._control = control
        self._plan = plan
        self._alone = alone
        self._me = os.getpid()
        self._waiting: Run | None = None
        self._confinement = confine.Confinement(plan)
        self._before = {name: facts for folder in plan.swept for name, facts in sweep.inventory(folder).items()}

    def serve(self) -> None:
        """Take orders until the grader hangs up."""
        self._send(messages.Up())
        while True:
            if self._waiting is not None and not select.select([self._control], [], [], IDLE)[0]:
                self._end_waiting()
            order, descriptors = self._receive()
            if order is None:
                return
            if isinstance(order, messages.Play):
                self._send(self._play(order, descriptors))
            else:
                self._end_waiting()

    def end(self) -> None:
        """End whatever there still is: the grader has gone."""
        self._end(None)

    # --- one run ----------------------------------------------------------------------------------

    def _play(self, order: messages.Play, descriptors: list[int]) -> messages.Gone:
        run = self._waiting
        if run is not None and run.fits(order):
            self._waiting = None
            data = messages.frame(msgspec.structs.replace(order, limits=run.limits))
            with contextlib.suppress(OSError):  # it has ended meanwhile, which the watch will see
                run.encore.sendall(data[socket.send_fds(run.encore, [data], descriptors) :])
        else:
            self._end_waiting()
            run = self._begin(order, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        run.played += 1
        over = self._watch(run, Warden(order.limits, self._plan.swept, counted=self._plan.counted))
        if over is None and not sweep.changed(self._before):
            self._waiting = run
            return messages.Gone(0, run.played > 1)
        return self._finish(run, over)

    def _finish(self, run: Run, excess: Excess | None) -> messages.Gone:
        """End all that is left of a run, so that the next one meets nothing of it."""
        code, cpu, clean = self._end(run.pid)
        clean &= self._forget(run)
        if sweep.changed(self._before):
            clean &= sweep.restore(self._before, SWEEP)
        return messages.Gone(code, run.played > 1, *(excess or Excess("", 0, 0)), clean, cpu)

    def _begin(self, order: messages.Play, descriptors: list[int]) -> Run:
        if _NEEDS_WALL_CLOCK.search(order.source):
            surroundings.preload_freezegun()
        self._confinement.prepare(network=order.network, semaphores=order.importable)
        asked, ask = os.pipe()
        answers, answer = os.pipe()
        ours, theirs = socket.socketpair()
        family, relative = socket.socketpair() if self._plan.landlock else (None, None)
        folder = tempfile.mkdtemp(prefix="run-") if order.importable else None
        limits = self._countable(order.limits)
        pid = os.fork()
        if pid == 0:
            try:
                confine.own_up(self._me)
                for end in (self._control, ours, *([family] if family is not None else [])):
                    end.close()
                # With these a run could speak in the zygote's name, or leave it no room to speak.
                os.close(asked)
                os.close(answer)
                if relative is not None:
                    observer.asked = lambda: _asked_for_children(relative)
                self._confinement.enter(network=order.network, semaphores=order.importable)
                order = msgspec.structs.replace(order, limits=limits)
                _perform(order, descriptors, playing.PipeOnlooker(ask, answers), folder, theirs)
            finally:
                os._exit(70)
        os.close(ask)
        os.close(answers)
        theirs.close()
        # A run may do anything with its own ends, so nothing here waits for it.
        os.set_blocking(asked, False)
        os.set_blocking(answer, False)
        ours.settimeout(HANDOVER)
        if relative is not None:
            relative.close()
        return Run(order, pid, ours, asked, answer, folder, family, limits)

    def _countable(self, limits: messages.Limits) -> messages.Limits:
        """The limits as the kernel is to apply them: it counts all processes of a user, the grader's too."""
        if self._alone or self._plan.uid:
            return limits
        return msgspec.structs.replace(limits, processes=limits.processes + observer.tasks())

    def _end_waiting(self) -> None:
        run, self._waiting = self._waiting, None
        if run is not None:
            self._finish(run, None)

    def _forget(self, run: Run) -> bool:
        run.encore.close()
        os.close(run.asked)
        os.close(run.answer)
        if run.family is not None:
            run.family.close()
        return run.folder is None or sweep.remove(run.folder, SWEEP)

    def _watch(self, run: Run, warden: Warden) -> Excess | None:
        """Wait for the run to be over, answering whether all is quiet.

        Returns:
            None where its process has nothing left behind and waits for the next run; what it used too much
            of, or an empty excess, where its processes are to be ended.
        """
        nothing = Excess("", 0, 0)
        exited = os.pidfd_open(run.pid)
        sockets = [run.encore, self._control, *([run.family] if run.family else [])]
        heard = [exited, run.asked, *(each.fileno() for each in sockets)]
        pending, asked_at, pause = False, 0.0, 0.0
        try:
            while True:
                timeout = max(0.0, warden.due - time.monotonic())
                # Not `poll`, which rounds up to whole milliseconds.
                ready, _, _ = select.select(heard, [], [], min(pause, timeout) if pending else timeout)
                if exited in ready:
                    return nothing
                if time.monotonic() >= warden.due:
                    pids = self._pids()
                    if excess := warden.look(pids):
                        return excess
                    if not pending and observer.waits_for_ever(pids):
                        _send_signal(run.pid, signal.SIGURG)
                if run.encore.fileno() in ready:
                    return None if run.encore.recv(1) and self._is_single(run.pid) else nothing
                if self._control.fileno() in ready:
                    order, _ = self._receive()
                    if order is None:
                        raise SystemExit
                    return nothing
                if run.family is not None and run.family.fileno() in ready:
                    self._name_children(run.pid, run.family, heard)
                if run.asked in ready:
                    with contextlib.suppress(BlockingIOError):
                        if not os.read(run.asked, 64):
                            heard.remove(run.asked)
                    pending, asked_at, pause = True, time.monotonic(), 0.0
                if pending:
                    word = self._word(run.pid, asked_at)
                    if run.family is not None and select.select([run.family], [], [], 0)[0]:
                        word = b""  # a thread that waits for an answer from here does not sleep
                    if word:
                        try:
                            os.write(run.answer, word)
                        except BlockingIOError:  # it asks and asks, and does not listen
                            return nothing
                        except BrokenPipeError:
                            pass  # it has just ended
                    pending = not word
                    pause = min(0.002, pause * 2 or 0.00005)
        finally:
            os.close(exited)

    def _name_children(self, pid: int, family: socket.socket, heard: list[int]) -> None:
        """Tell a run that cannot see /proc which of its child processes are at work."""
        with contextlib.suppress(OSError):
            if not family.recv(64, socket.MSG_DONTWAIT):
                heard.remove(family.fileno())
            working = [other for other in observer.descendants(pid)[1:] if observer.is_working(other)]
            family.send(struct.pack(f"=I{len(working)}I", len(working), *working), socket.MSG_DONTWAIT)

    def _word(self, pid: int, asked_at: float) -> bytes:
        """`q`: all is quiet; `r`: children are at work and real time has passed; nothing: ask again."""
        waited = time.monotonic() - asked_at
        pids = self._pids()
        if len(pids) > 1 and any(not observer.is_helper(other) for other in pids if other != pid):
            return b"r" if waited >= _REAL_STEP else b""
        # Without a net namespace, other programs' connections are seen as well: look past them after a while.
        loopback = self._alone or waited < _LOOPBACK_PATIENCE
        strict = waited < (_WAITS_PATIENCE if observer.shows_waits else _LOOPBACK_PATIENCE)
        quiet = observer.is_quiet(pids, self._pids, loopback=loopback, strict=strict)
        return b"q" if quiet else b""

    def _is_single(self, pid: int) -> bool:
        """Whether a run's process has neither children nor threads."""
        return self._pids() == [pid] and os.listdir(f"/proc/{pid}/task") == [str(pid)]

    def _pids(self) -> list[int]:
        """All processes of the run. One that has ended counts until it is reaped: its parent is about to hear of it."""
        if not self._alone:
            return observer.descendants(os.getpid())[1:]
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]

    def _end(self, pid: int | None) -> tuple[int, float, bool]:
        """End all processes of the run; its exit code, its processor seconds, and whether really all have ended."""
        deadline = time.monotonic() + SWEEP
        code, cpu = -signal.SIGKILL.value, 0.0
        if pid is not None:
            _kill(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        while True:
            if self._alone or self._plan.uid == os.getuid() != 0:
                # Process 1 of a namespace may end everybody else in it, and nobody there can end it;
                # so may the only process that outlives the others of a user that nobody else is.
                _kill(-1)
            try:
                while (ended := os.wait4(-1, os.WNOHANG))[0]:
                    if ended[0] == pid:
                        code = os.waitstatus_to_exitcode(ended[1])
                        cpu = ended[2].ru_utime + ended[2].ru_stime
            except ChildProcessError:
                return code, cpu, True
            if time.monotonic() > deadline:
                return code, cpu, False
            # Whoever has lost its parent comes here, so that in the end all are found.
            for other in self._pids():
                _kill(other)
            time.sleep(0.0002)

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
    _send_signal(pid, signal.SIGKILL)


def _send_signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _asked_for_children(relative: socket.socket) -> list[int]:
    relative.sendall(b"?")
    (many,) = struct.unpack("=I", relative.recv(4, socket.MSG_WAITALL))
    return list(struct.unpack(f"={many}I", relative.recv(4 * many, socket.MSG_WAITALL))) if many else []


def main() -> None:
    """Arguments: the control socket's descriptor, the plan as JSON, then the modules to load before forking."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    plan = msgspec.json.decode(sys.argv[2], type=confine.Plan)
    alone = os.getpid() == 1
    zygote = None
    try:
        # Python keeps a handler of its own for Ctrl-C, which a run could call upon here.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if alone:
            confine.end_with(0)  # again, since becoming another user takes that back
        else:
            confine.leave_when_alone(os.getppid())
        _harden()
        if plan.temp:
            tempfile.tempdir = plan.temp
        for name in (*NEEDED, *sys.argv[3:]):
            importlib.import_module(name)
        encode.learn_classes()
        gc.collect()
        gc.disable()
        gc.freeze()
        zygote = Zygote(control, plan, alone=alone)
        zygote.serve()
    except (SystemExit, BrokenPipeError, ConnectionResetError):
        pass  # the grader has gone
    finally:
        if zygote is not None:
            zygote.end()
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
