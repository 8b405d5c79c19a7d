"""Waits for a run to be over, and tells it meanwhile when all of it is quiet: the zygote's side of a crowd's clock."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time

from checker import messages
from checker.runner import observer
from checker.runner.loopback import Loopback
from checker.runner.run import READY, Run, receive, send_signal
from checker.runner.warden import Excess, Warden

_REAL_STEP = 0.002
"""Seconds after which a run whose child processes are at work is told that real time has gone by."""
_MOST_DOUBLINGS = 3
"""How often a run may have that step doubled: one that sleeps all the while."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.00005, 0.002
"""Seconds between two looks at a run that is not quiet yet; each pause is twice as long as the one before."""
_LAST_STEPS = 0.05
"""Seconds in which the last thread beside the main one must end in a run that says that it is done."""
_LOOPBACK_PATIENCE = 0.05
"""Seconds for which bytes in flight are waited for where they may be some other program's."""
_WAITS_PATIENCE = 2.0
"""Seconds for which a thread that looks asleep, and on its way to it only, may be kept from a processor by others."""
NOTHING = Excess("", 0, 0)
"""Ends a run that has used too much of nothing."""


class Watch:
    """Watches one run.

    Args:
        run: its process.
        control: the socket to the grader.
        warden: says when the run uses too much.
        loopback: the connections of the network namespace.
        alone: whether the zygote is process 1 of a pid namespace.
    """

    def __init__(self, run: Run, control: socket.socket, warden: Warden, loopback: Loopback, *, alone: bool) -> None:
        self._run = run
        self._control = control
        self._warden = warden
        self._loopback = loopback
        self._alone = alone
        self._observer = observer.Observer(alone=alone)
        self._asked_at: float | None = None
        """When the run asked whether it is quiet; None while it does not ask."""
        self._real_step = _REAL_STEP
        self._pause = 0.0
        self._heard: list[int] = []
        self._endless_wait: bytes | None = None

    def wait(self) -> Excess | None:
        """Wait for the run to be over.

        Returns:
            None where its process has nothing left behind and waits for the next run; what it used too much
            of, or an empty excess, where its processes are to be ended.

        Raises:
            SystemExit: the grader has gone, or says something else than that the run is to end.
        """
        run = self._run
        exited = os.pidfd_open(run.pid)
        sockets = [run.encore, self._control, *([run.family] if run.family else [])]
        self._heard = [exited, run.asked, *(each.fileno() for each in sockets)]
        try:
            while True:
                timeout = max(0.0, self._warden.due - time.monotonic())
                if self._asked_at is not None:
                    timeout = min(self._pause, timeout)
                # Not `poll`, which rounds up to whole milliseconds.
                ready, _, _ = select.select(self._heard, [], [], timeout)
                if exited in ready:
                    return NOTHING
                if run.encore.fileno() in ready:
                    return None if run.encore.recv(1) == READY and self._is_single() else NOTHING
                if time.monotonic() >= self._warden.due and (excess := self._look()):
                    return excess
                if self._control.fileno() in ready:
                    order, _ = receive(self._control)
                    if not isinstance(order, messages.Kill):
                        raise SystemExit  # the grader has gone, or is out of step
                    return NOTHING
                if run.family is not None and run.family.fileno() in ready:
                    self._name_children(run.family)
                if run.asked in ready:
                    self._hear()
                if self._asked_at is not None and not self._answer(self._asked_at):
                    return NOTHING
        finally:
            os.close(exited)
            self._observer.close()

    def _look(self) -> Excess | None:
        """What the run uses too much of; one that may be in a deadlock of its own is told to look into it."""
        pids = self._pids()
        excess = self._warden.look(pids)
        if not excess and self._asked_at is None:
            # Seen once it may be waiting for the grader's next word; twice without having run, it waits for long.
            before, self._endless_wait = self._endless_wait, observer.endless_wait(pids)
            if before is not None and before == self._endless_wait:
                send_signal(self._run.pid, signal.SIGURG)
        return excess

    def _is_single(self) -> bool:
        """Whether the run's process has neither children nor threads; one that has done its work may be on its way."""
        pid = self._run.pid
        deadline = time.monotonic() + _LAST_STEPS
        while self._pids() == [pid]:
            if os.listdir(f"/proc/{pid}/task") == [str(pid)]:
                return True
            if time.monotonic() > deadline:
                break
            time.sleep(_FIRST_PAUSE)
        return False

    def _name_children(self, family: socket.socket) -> None:
        """Tell a run that cannot see /proc which of its child processes are at work."""
        with contextlib.suppress(OSError):
            if not family.recv(64, socket.MSG_DONTWAIT):
                self._heard.remove(family.fileno())
            working = [other for other in observer.descendants(self._run.pid)[1:] if observer.is_working(other)]
            family.send(struct.pack(f"=I{len(working)}I", len(working), *working), socket.MSG_DONTWAIT)

    def _hear(self) -> None:
        doublings = 0
        with contextlib.suppress(BlockingIOError):
            asked = os.read(self._run.asked, 64)
            if asked:
                doublings = min(asked[-1], _MOST_DOUBLINGS)
            else:
                self._heard.remove(self._run.asked)
        self._real_step = _REAL_STEP * 2**doublings
        self._asked_at, self._pause = time.monotonic(), 0.0

    def _answer(self, asked_at: float) -> bool:
        """Answer the run if it is time; False where it does not listen."""
        word = self._word(time.monotonic() - asked_at)
        family = self._run.family
        if family is not None and select.select([family], [], [], 0)[0]:
            word = b""  # a thread that waits for an answer from here does not sleep
        if word:
            self._asked_at = None
            try:
                os.write(self._run.answer, word)
            except BlockingIOError:  # it asks and asks
                return False
            except BrokenPipeError:
                pass  # it has just ended
        return True

    def _word(self, waited: float) -> bytes:
        """`q`: all is quiet; `r`: children are at work and real time has passed; nothing: look again after a pause."""
        pids = self._observer.processes()
        if len(pids) > 1 and any(not observer.is_helper(other) for other in pids if other != self._run.pid):
            self._pause = max(0.0, min(max(_REAL_STEP, waited), self._real_step - waited))
            return b"r" if waited >= self._real_step else b""
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or _FIRST_PAUSE)
        # Without a net namespace, other programs' connections are seen as well: look past them after a while.
        in_flight = self._loopback.in_flight if self._alone or waited < _LOOPBACK_PATIENCE else lambda: False
        strict = waited < (_WAITS_PATIENCE if observer.shows_waits else _LOOPBACK_PATIENCE)
        return b"q" if self._observer.is_quiet(pids, self._observer.processes, in_flight, strict=strict) else b""

    def _pids(self) -> list[int]:
        return observer.processes(alone=self._alone)
