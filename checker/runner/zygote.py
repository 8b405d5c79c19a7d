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
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from typing import Any

import msgspec

from checker import messages
from checker.runner import confine, encode, observer, surroundings, sweep
from checker.runner import play as playing
from checker.runner.loopback import Loopback
from checker.runner.run import READY, Run, receive, send_signal
from checker.runner.warden import Excess, Warden
from checker.runner.watch import NOTHING, Watch

NEEDED = ("cloudpickle", "encodings.utf_8_sig")
"""What every run needs and nothing here imports: loaded once, before forking."""
_NEEDS_WALL_CLOCK = re.compile(rb"\b(datetime|time|calendar|email|logging)\b")
SWEEP = 2.0
"""Real seconds that ending a run's processes, and emptying a folder, may take; then the sandbox is given up."""
IDLE = 0.25
"""Real seconds for which a process waits for another run; it is not watched while it waits."""
HANDOVER = 1.0
"""Real seconds in which a process that has played must take its next order."""
MAKING_READY = 20.0
"""Real seconds in which a new process must be fit for its first run."""


class Zygote:
    """Args: control: the socket to the grader; alone: whether this is process 1 of a pid namespace."""

    def __init__(self, control: socket.socket, plan: confine.Plan, *, alone: bool) -> None:
        self._control = control
        self._plan = plan
        self._alone = alone
        self._me = os.getpid()
        self._waiting: Run | None = None
        self._frozen = False
        self._loopback = Loopback()
        if plan.filter:
            confine.filter_calls(plan.filter)  # after that not even this process may open such a socket
        self._confinement = confine.Confinement(plan)
        self._no_network = self._why_no_network()  # asked before any run has been near it
        self._before = {name: facts for folder in plan.swept for name, facts in sweep.inventory(folder).items()}

    def serve(self) -> None:
        """Take orders until the grader hangs up."""
        self._send(messages.Up())
        while True:
            if self._waiting is not None and not select.select([self._control], [], [], IDLE)[0]:
                self._end_waiting()
            order, descriptors = receive(self._control)
            if order is None:
                return
            if isinstance(order, messages.Play):
                self._send(self._play(order, descriptors))
            else:
                self._end_waiting()

    def end(self) -> None:
        """End whatever there still is, and leave none of its files where others' are: the grader has gone."""
        self._end(None)
        if self._plan.uid and self._plan.shared:
            sweep.remove_owned(self._plan.shared, self._plan.uid, SWEEP)

    # --- one run ----------------------------------------------------------------------------------

    def _play(self, order: messages.Play, descriptors: list[int]) -> messages.Gone:
        try:
            run, fault = self._performer(order, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if run is None:
            return messages.Gone(0, clean=False, fault=fault)
        if run.fault:
            return msgspec.structs.replace(self._finish(run, None), fault=run.fault)
        run.played += 1
        plan, shared = self._plan, self._shared(run)
        warden = Warden(order.limits, plan.swept, counted=plan.counted, shared=shared, uid=plan.uid)
        over = Watch(run, self._control, warden, self._loopback, alone=self._alone).wait()
        if over is None and not sweep.changed(self._before) and not (shared and sweep.owned(shared, (plan.uid,))):
            self._waiting = run
            return messages.Gone(0, run.played > 1)
        return self._finish(run, over)

    def _performer(self, order: messages.Play, descriptors: list[int]) -> tuple[Run | None, str]:
        """The process that has the order, the one that waits for it or a new one; or why there can be none here."""
        run = self._waiting
        if run is not None and run.fits(order) and not self._must_freeze(order):
            self._waiting = None
            data = messages.frame(msgspec.structs.replace(order, limits=run.limits))
            with contextlib.suppress(OSError):  # it has ended meanwhile, which the watch will see
                run.encore.sendall(data[socket.send_fds(run.encore, [data], descriptors) :])
            return run, ""
        self._end_waiting()
        if order.network and self._no_network:
            return None, self._no_network
        try:
            return self._begin(order, descriptors), ""
        except OSError as error:  # no room for one more process, file or folder
            return None, f"{type(error).__name__}: {error}"

    def _why_no_network(self) -> str:
        """Why there is no network for the runs that need one, which is none of their doing; empty if there is."""
        if self._plan.landlock and self._plan.landlock < confine.KNOWS_PORTS:
            return (
                "this kata needs TCP, and Landlock keeps that in from version 4 on (Linux 6.7); install bubblewrap, or"
                " use --sandbox none with code that you trust"
            )
        try:
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname(), timeout=SWEEP).close()
        except OSError as error:
            return f"this kata needs the loopback, 127.0.0.1, which does not work ({error.strerror or error})"
        return ""

    def _finish(self, run: Run, excess: Excess | None) -> messages.Gone:
        """End all that is left of a run, so that the next one meets nothing of it."""
        code, cpu, clean = self._end(run.pid)
        clean &= self._forget(run)
        if sweep.changed(self._before):
            clean &= sweep.restore(self._before, SWEEP)
        if shared := self._shared(run):
            clean &= sweep.remove_owned(shared, self._plan.uid, SWEEP)
        return messages.Gone(code, run.played > 1, *(excess or NOTHING), clean, cpu)

    def _shared(self, run: Run) -> str:
        """Where a run may have made files among those of others, which are known by their owner; empty: nowhere."""
        return self._plan.shared if self._plan.uid and run.order.importable else ""

    def _begin(self, order: messages.Play, descriptors: list[int]) -> Run:
        if self._must_freeze(order):
            self._freeze()
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
                self._loopback.close()
                if relative is not None:
                    observer.asked = lambda: _asked_for_children(relative)
                with _telling_faults(theirs):
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
        if relative is not None:
            relative.close()
        run = Run(order, pid, ours, asked, answer, folder, family, limits, _fault(ours))
        ours.settimeout(HANDOVER)
        return run

    def _must_freeze(self, order: messages.Play) -> bool:
        """Whether freezegun is needed, which no process has yet: it takes longer to load than most runs."""
        return not self._frozen and bool(_NEEDS_WALL_CLOCK.search(order.source) or b"datetime" in order.scenario)

    def _freeze(self) -> None:
        surroundings.preload_freezegun()
        self._frozen = True
        # Out of the garbage collector's sight: in a run it would touch, and so copy, all the pages of these.
        gc.collect()
        gc.freeze()

    def _countable(self, limits: messages.Limits) -> messages.Limits:
        """The limits as the kernel is to apply them: it counts all processes of a user, the grader's too."""
        if self._alone or self._plan.uid:
            return limits
        return msgspec.structs.replace(limits, processes=limits.processes + observer.tasks())

    def _end_waiting(self) -> None:
        run, self._waiting = self._waiting, None
        if run is not None and not self._finish(run, None).clean:
            raise SystemExit  # nobody is there to be told, and the next run must not meet what is left

    def _forget(self, run: Run) -> bool:
        run.encore.close()
        os.close(run.asked)
        os.close(run.answer)
        if run.family is not None:
            run.family.close()
        return run.folder is None or sweep.remove(run.folder, SWEEP)

    def _end(self, pid: int | None) -> tuple[int, float, bool]:
        """End all processes of the run; its exit code, its processor seconds, and whether really all have ended."""
        deadline = time.monotonic() + SWEEP
        code, cpu = -signal.SIGKILL.value, 0.0
        if pid is not None:
            send_signal(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        while True:
            if self._alone or self._plan.uid == os.getuid() != 0:
                # Process 1 of a namespace may end everybody else in it, and nobody there can end it;
                # so may the only process that outlives the others of a user that nobody else is.
                send_signal(-1, signal.SIGKILL)
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
            for other in observer.processes(alone=self._alone):
                send_signal(other, signal.SIGKILL)
            time.sleep(0.0002)

    # --- the grader's socket ------------------------------------------------------------------------

    def _send(self, message: Any) -> None:
        self._control.sendall(messages.frame(message))


def _perform(
    order: messages.Play,
    descriptors: list[int],
    onlooker: playing.PipeOnlooker,
    folder: str | None,
    encore: socket.socket,
) -> None:
    """The life of a run's process: one run after the other, as long as none leaves anything behind."""
    first = True
    while order is not None:
        channel, output = descriptors
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        gc.enable()
        play = playing.Play(order, socket.socket(fileno=channel), onlooker, folder)
        if first:
            with _telling_faults(encore):
                play.prepare()
            encore.sendall(READY)
            first = False
        else:
            play.prepare()
        if not play.run():
            os._exit(0)
        play.forget(order.kata)
        del play
        encore.sendall(READY)
        order, descriptors = receive(encore)
    os._exit(0)


@contextlib.contextmanager
def _telling_faults(encore: socket.socket) -> Generator[None]:
    """In a new process: tell the zygote why it cannot be made ready."""
    try:
        yield
    except Exception as error:
        encore.send(f"{type(error).__name__}: {error}".encode()[:500])
        raise


def _fault(encore: socket.socket) -> str:
    """Wait for a new process to be ready for its first run; why it is not, empty if it is."""
    encore.settimeout(MAKING_READY)
    try:
        said = encore.recv(1)  # not more: a quick one may already have said that its first run is over
        if said == READY:
            return ""
        said += encore.recv(500) if said else b""
    except OSError:
        return f"it was not ready after {MAKING_READY:.0f} s"
    return said.decode(errors="replace") or "it ended before it was ready"


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
    zygote: Zygote | None = None

    def end() -> None:
        if zygote is not None:
            zygote.end()
        if plan.box:  # the grader may have been killed, and can remove nothing
            sweep.remove(plan.box, SWEEP)

    try:
        _take_no_heritage()
        # Python keeps a handler of its own for Ctrl-C, which a run could call upon here.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if alone:
            confine.end_with(0)  # again, since becoming another user takes that back
        else:
            confine.leave_when_alone(os.getppid(), end)
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
        end()
    os._exit(0)


def _take_no_heritage() -> None:
    """Undo what the grader may have been started with and hands down: runs are the same wherever they are played."""
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # these two Python ignores itself
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if resource.getrlimit(resource.RLIMIT_STACK)[0] != playing.STACK:
        threading.stack_size(playing.STACK)  # the C library's own idea of it was made when this process began


def _harden() -> None:
    """Not dumpable: other processes of this user cannot read this one's memory; orphans come here."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_dumpable, pr_set_child_subreaper, pr_set_no_new_privs = 4, 36, 38
    libc.prctl(pr_set_dumpable, 0, 0, 0, 0)
    libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0)
    libc.prctl(pr_set_no_new_privs, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
