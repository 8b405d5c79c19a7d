"""Plays scenarios: one sandbox for a submission, one run in it for each scenario, one trace for each run."""

from __future__ import annotations

import errno
import os
import random
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from checker import messages, sandbox
from checker.sandbox import inherited
from checker.trace import Trace
from checker.values import MAX_KEPT, Allowance, Malformed, TooMuch, printable
from checker.world.channel import Channel, Silence
from checker.world.pulse import Pulse
from checker.world.script import World
from checker.world.world import SPOKE_ON, Ledger

START_LIMIT = 30.0
"""Real seconds within which a sandbox must be up."""
GRACE = 5.0
"""Real seconds that a run gets to end by itself once its own limit has passed."""
PATIENCE = 2
"""Runs that may take long and come to no end; later ones get less, so that nobody waits twenty times for the same."""
HURRIED = 5.0
"""Real seconds that these later ones get. Longer than that is long."""
MAX_PRINTED = 64 * 1024
DEFAULT_BUDGET = 120.0
"""Real seconds that all runs of a submission in one kata may take together."""
NO_UNIX_SOCKETS = (
    "This answer uses a manager of multiprocessing, as aiomultiprocess does, or the start method `forkserver`: both"
    " need unix sockets, and Landlock cannot keep a run from those of others. Install bubblewrap, or use --sandbox none"
    " with code that you trust."
)
WALL_CLOCK = 1_893_456_000.0
"""`time.time()` at the start of a run: 2030-01-01 00:00 UTC."""


class GraderFault(RuntimeError):
    """The grader itself could not do its work; the submission is not to blame."""


@dataclass(frozen=True)
class Performance:
    """What is to be played: a submission's source, its kata, and one scenario by value."""

    kata: str
    source: bytes
    signatures: Sequence[messages.Signature]
    scenario: bytes
    wall_clock: float = WALL_CLOCK
    strike: int | None = None
    importable: bool = False
    network: bool = True


class Session:
    """A submission's sandbox, started when it is needed and started again when a run has broken it.

    Args:
        kind: the kind of sandbox, one of `sandbox.KINDS`.
        preload: modules that the runner loads before it forks.
        limits: real limits of one run.
        budget: real seconds that all runs may take together, up to the next `forget_use`.
    """

    def __init__(
        self,
        kind: str = "auto",
        preload: Sequence[str] = (),
        limits: messages.Limits | None = None,
        budget: float = DEFAULT_BUDGET,
    ) -> None:
        self._kind = kind
        self._preload = preload
        self._limits = limits or messages.Limits()
        self._budget = budget
        self._sandbox: sandbox.Sandbox | None = None
        self._up = False
        self._new = True
        """Whether the sandbox has not played anything yet."""
        self.used = 0.0
        self.alone = False
        """Whether every run gets a process in which nothing has run before."""
        self.shared = False
        """Whether a run since this was last set to False had a process that had played before."""
        self.stalled = False
        """Whether the grader stood still during a run since this was last set to False."""
        self._vain = 0

    @property
    def kind(self) -> str:
        """The kind of sandbox in use."""
        return self._sandbox.kind if self._sandbox is not None else self._kind

    def forget_use(self) -> None:
        """What runs of an earlier submission, or kata, have used up does not count for the next one."""
        self.used, self._vain = 0.0, 0

    def start(self) -> None:
        """Start the sandbox, so that it loads while the grader does other things."""
        if self._sandbox is None:
            inherited.check(self._limits)
            self._sandbox = sandbox.launch(self._kind, self._preload)
            self._up, self._new = False, True

    def probe(self) -> str:
        """Start the sandbox and wait until it is up; returns its kind.

        Raises:
            GraderFault, Unavailable: there is none of the kind that was asked for.
        """
        return self._ready().kind

    def close(self) -> None:
        """End the sandbox and everything in it."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def play(self, performance: Performance, world: World, rng: random.Random, room: int = MAX_KEPT) -> Trace:
        """Play one scenario and return its trace.

        Args:
            room: bytes of memory that what the run sends may take up here.

        Raises:
            GraderFault: no sandbox could be started.
        """
        if self.used >= self._budget:
            trace = Trace(ended="timed out")
            trace.problem = f"Its runs have taken {self._budget:.0f} s of real time together, which is the limit."
            return trace
        began, pulse = time.monotonic(), Pulse()
        try:
            return self._play(performance, world, rng, room, pulse)
        finally:
            self.used += time.monotonic() - began - pulse.lost
            self.stalled |= pulse.lost > 0

    # --- the sandbox ---------------------------------------------------------------------------------

    def _ready(self) -> sandbox.Sandbox:
        """The sandbox, up; where `auto` may choose, one that is refused here is replaced by the next best."""
        while True:
            self.start()
            assert self._sandbox is not None
            box = self._sandbox
            if self._up or self._comes_up(box):
                return box
            reason = box.failure()
            self.close()
            if self._kind != "auto" or box.kind == "none":
                raise GraderFault(f"The {box.kind} sandbox did not start{reason}; `kata doctor` says what is missing.")
            sandbox.refuse(box.kind)

    def _comes_up(self, box: sandbox.Sandbox) -> bool:
        """Whether a sandbox says that it is up; False if it has ended instead.

        Raises:
            GraderFault: it does neither; that is no reason to take a weaker one.
        """
        channel = Channel(box.control, time.monotonic() + START_LIMIT, Pulse())
        try:
            body = channel.receive()
            self._up = body is not None and isinstance(messages.decode_from_zygote(body), messages.Up)
        except Silence:
            self.close()
            raise GraderFault(f"The {box.kind} sandbox was not up after {START_LIMIT:.0f} s; try again.") from None
        except (Malformed, ValueError, OSError):
            self._up = False
        return self._up

    # --- a run -----------------------------------------------------------------------------------------

    def _play(self, performance: Performance, world: World, rng: random.Random, room: int, pulse: Pulse) -> Trace:
        while True:
            box = self._ready()
            pulse.skip()
            new, self._new = self._new, False
            try:
                return self._play_in(box, performance, Ledger(world, rng, performance.strike, Allowance(room)), pulse)
            except GraderFault:
                if new:
                    raise
                self.close()  # something that an earlier run has used up may be what is missing

    def _play_in(self, box: sandbox.Sandbox, performance: Performance, ledger: Ledger, pulse: Pulse) -> Trace:
        began = time.monotonic()
        limits = self._run_limits()
        ours, theirs = socket.socketpair()
        output = os.memfd_create("output")
        try:
            with theirs:
                self._order(box, performance, limits, theirs.fileno(), output)
            channel = Channel(ours, time.monotonic() + limits.wall + GRACE, pulse)
            silent = _converse(channel, ledger)
            gone = self._await_end(box, pulse, kill=silent)
            ledger.trace.printed = _printed(output)
            ledger.trace.kept += ledger.kept + sys.getsizeof(ledger.trace.printed)
        except BaseException:
            self.close()  # what the zygote has still to say of this run would be taken for the next one's
            raise
        finally:
            ours.close()
            os.close(output)
        if gone is not None and gone.fault:
            raise GraderFault(f"A process for a run could not be made ready here: {gone.fault}.")
        if ledger.lacks and performance.importable and box.kind == "landlock":
            raise GraderFault(NO_UNIX_SOCKETS)
        _judge_ending(ledger, gone, silent, limits)
        ended = ledger.trace.ended
        long = ended == "timed out" or time.monotonic() - began > HURRIED
        self._vain += long and ended != "finished" and not pulse.lost
        return ledger.trace

    def _run_limits(self) -> messages.Limits:
        wall, cpu = min(self._limits.wall, max(1.0, self._budget - self.used)), self._limits.cpu
        if self._vain >= PATIENCE:
            wall, cpu = min(wall, HURRIED), 1
        return replace_limits(self._limits, wall=wall, cpu=cpu)

    def _order(
        self, box: sandbox.Sandbox, performance: Performance, limits: messages.Limits, channel: int, output: int
    ) -> None:
        order = messages.Play(
            kata=performance.kata,
            source=performance.source,
            signatures=list(performance.signatures),
            scenario=performance.scenario,
            wall_clock=performance.wall_clock,
            limits=limits,
            importable=performance.importable,
            alone=self.alone,
            network=performance.network,
        )
        data = messages.frame(order)
        box.control.settimeout(START_LIMIT)
        with suppress(OSError):  # a sandbox that has gone is noticed when its end is awaited
            sent = socket.send_fds(box.control, [data], [channel, output])
            box.control.sendall(data[sent:])

    def _await_end(self, box: sandbox.Sandbox, pulse: Pulse, *, kill: bool) -> messages.Gone | None:
        """Wait until nothing is left of the run; None if the sandbox broke."""
        control = Channel(box.control, time.monotonic() + GRACE, pulse)
        if kill:
            with suppress(OSError):
                box.control.sendall(messages.frame(messages.Kill()))
        with suppress(Silence, Malformed, ValueError):
            body = control.receive()
            if body is not None:
                gone = messages.decode_from_zygote(body)
                if isinstance(gone, messages.Gone):
                    self.shared |= gone.shared
                    if not gone.clean:
                        self.close()
                    return gone
        self.close()
        return None


def replace_limits(limits: messages.Limits, **changes: float) -> messages.Limits:
    """The limits with some of them changed."""
    import msgspec

    return msgspec.structs.replace(limits, **changes)


def _converse(channel: Channel, ledger: Ledger) -> bool:
    """Exchange messages until the run's last one, or the end of its stream; True if it fell silent."""
    try:
        while not ledger.closed:
            body = channel.receive()
            if body is None:
                return False
            reply = ledger.answer(messages.decode_untrusted(body))
            if reply is not None:
                channel.send(reply)
        # The last word has been said: whatever follows it is forged.
        if channel.receive() is not None:
            raise Malformed(SPOKE_ON)
    except Silence:
        return True
    except TooMuch as error:
        _void(ledger, f"Your code gave the grader too much to keep ({error}); that earns nothing.")
        return True
    except (Malformed, RecursionError) as error:
        _void(
            ledger, f"Your code spoke to the grader in its own way ({error or 'nested too deep'}); that earns nothing."
        )
        return True
    return False


def _void(ledger: Ledger, problem: str) -> None:
    """Nothing that this run has said counts."""
    trace = ledger.trace
    ledger.let_go()
    trace.ended, trace.problem = "refused", problem
    trace.elapsed = ledger.now


def _judge_ending(ledger: Ledger, gone: messages.Gone | None, silent: bool, limits: messages.Limits) -> None:
    """Say why a run did not finish, in one sentence."""
    trace = ledger.trace
    excess = gone is not None and gone.excess
    if trace.ended == "finished" and not trace.problem and (excess or not ledger.closed):
        answered = ledger.answered
        trace.ended, trace.problem = _broken_off(gone, silent, limits)
        trace.elapsed = ledger.now
        if answered:
            trace.problem = f"After its answer: {trace.problem[:1].lower()}{trace.problem[1:]}"
    elif not trace.problem and trace.ended != "finished":
        trace.problem = _sentence(trace, ledger.stopped, limits)
    elif trace.error is not None and trace.error.is_a(OSError) and trace.error.args[:1] == (errno.EFBIG,):
        trace.ended = "crashed"
        trace.problem = f"It printed, or wrote into a file, more than {limits.file_size >> 20} MiB, which is the limit."
    if trace.ended not in ("finished", "refused") and not ledger.loaded:
        trace.decides = True
        trace.problem = f"Importing your file does not come to its end: {trace.problem[:1].lower()}{trace.problem[1:]}"


def _broken_off(gone: messages.Gone | None, silent: bool, limits: messages.Limits) -> tuple[str, str]:
    if gone is not None and gone.excess:
        return _exceeded(gone)
    if silent:
        return "timed out", f"It was still busy after {limits.wall:.0f} s of real time and was stopped."
    if gone is None:
        return "crashed", "It broke its whole sandbox."
    # SIGXCPU; who does not hear it, or is in the middle of a long step, is killed a second later.
    if gone.code == -24 or (gone.code == -9 and gone.cpu >= limits.cpu):
        return "timed out", f"It used more than {limits.cpu} s of processor time and was stopped."
    if gone.code == -9:
        return "crashed", "Its process was killed (SIGKILL): by itself, or for using too much."
    if gone.code < 0:
        return "crashed", f"Its process died of signal {-gone.code}."
    return "crashed", f"It ended its own process (exit status {gone.code}) before giving an answer."


def _exceeded(gone: messages.Gone) -> tuple[str, str]:
    """What a run was killed for using too much of, with the numbers."""
    if gone.excess == "memory":
        return "out of memory", (
            f"It used {gone.used >> 20} MiB of memory, all its processes and files together, and was stopped:"
            f" {gone.limit >> 20} MiB are allowed."
        )
    if gone.excess == "disk":
        return "crashed", (
            f"It wrote {gone.used >> 20} MiB into files and was stopped: {gone.limit >> 20} MiB are allowed."
        )
    what = "processes and threads" if gone.excess == "processes" else "files and folders"
    return "crashed", f"It made more than {gone.limit} {what}, and was stopped."


def _sentence(trace: Trace, stopped: str, limits: messages.Limits) -> str:
    where = "; ".join(
        f"{printable(each.name)} in line {each.frames[-1].line} of {printable(each.frames[-1].function)}"
        for each in trace.waiting[:6]
        if each.frames
    )
    at = f" ({where})" if where else ""
    # Whoever waits may well wait for a thread that is there no more.
    died = next((f" {printable(each)}." for each in trace.complaints if messages.THREAD_DIED in each), "")
    if trace.ended == "timed out" and stopped == "cpu":
        return f"It used more than {limits.cpu} s of processor time and was stopped{at}."
    return {
        "deadlock": f"Deadlock: everything waits, and nothing can ever wake it{at}.{died}",
        "never ends": f"It never ends: it goes on and on without getting anywhere{at}.",
        "timed out": f"It was still busy after its limit of {limits.wall:.0f} s of real time and was stopped{at}.",
        "out of memory": f"It used more than {limits.memory >> 20} MiB of memory{at}.",
    }.get(trace.ended, "It broke off.")


def _printed(output: int) -> str:
    size = os.fstat(output).st_size
    os.lseek(output, 0, os.SEEK_SET)
    text = os.read(output, MAX_PRINTED).decode("utf-8", "backslashreplace")
    return text + (f"\n… {size - MAX_PRINTED} bytes more" if size > MAX_PRINTED else "")
