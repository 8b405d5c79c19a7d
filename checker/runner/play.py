"""Plays one scenario with one submission, and tells the grader everything about it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import inspect
import io
import math
import os
import pickle
import random
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from checker import messages
from checker.runner import confine, encode, observer, surroundings
from checker.runner.clock import Clock, Onlooker
from checker.runner.link import Link
from checker.runner.loop import VirtualEventLoop
from checker.runner.stage import Stage
from checker.runner.submission import CannotPlay, Kata, load
from checker.runner.witness import Witness
from checker.values import Alien

MOST_CPU = 0.5
"""Processor seconds that a process may have used to be good for another run."""
MOST_MEMORY = 200 << 10
"""KiB that it may have used at most."""
PATIENCE = 0.5
"""Real seconds that the clock's driver may take to go, in a process that is good for another run."""

_HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2)

STACK = 8 << 20
"""Bytes of stack for a thread, as nearly all machines have it. With much more, few threads fit into memory."""

START = 1000.0
"""What the loop's clock shows at the start of a run: not 0, so that a delay given as a moment shows."""


class PipeOnlooker:
    """The sandbox's first process, asked over two pipes; see `checker.runner.observer`."""

    def __init__(self, ask: int, answer: int) -> None:
        self._ask = ask
        self._answer = answer

    def wait_until_quiet(self, patience: int = 0) -> bool:
        """See `Onlooker`."""
        os.write(self._ask, bytes([min(patience, 255)]))
        return os.read(self._answer, 1) == b"q"


class Play:
    """One run, from the order to the last message: `prepare`, then `run`."""

    def __init__(
        self, order: messages.Play, channel: socket.socket, onlooker: Onlooker | None, folder: str | None = None
    ) -> None:
        self._order = order
        self._folder = folder
        self._link = Link(channel)
        self._clock = Clock(self._link, start=START, onlooker=onlooker, turns=order.limits.turns)
        self._link.clock = self._clock
        self._link.on_halt = self._halt
        self._stage = Stage(self._clock, self._link)
        self._witness = Witness(self._clock)
        self._main: asyncio.Task[Any] | None = None
        self._ended = False
        self._signals: list[Any] = []

    def run(self) -> bool:
        """Play and tell; leave the process where the run did not come to its ordinary end.

        Returns whether nothing is left of the run that another one in this process could notice.
        """
        try:
            self._perform()
        except CannotPlay as refusal:
            self._refuse(refusal)
        except MemoryError:
            self._stop("memory")
        self._tell()
        clean = self._is_clean()
        self._link.close()
        return clean

    # --- before ------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make this process ready for a run: limits, signals, clocks; nothing of the submission is loaded yet.

        Raises:
            ValueError, OSError, MemoryError: this machine does not allow it.
        """
        limits = self._order.limits
        signal.signal(signal.SIGXCPU, lambda *_: self._link.between_messages(lambda: self._stop("cpu")))
        signal.signal(signal.SIGALRM, self._alarm)
        signal.signal(signal.SIGURG, self._seen_waiting)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        # The zygote ignores Ctrl-C, and so would its children; a run must hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 1))
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits.files, limits.files))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
        # One byte: the kernel passes a dump on to the machine's crash reporter also where none at all is allowed.
        _limit(resource.RLIMIT_CORE, 1)
        _limit(resource.RLIMIT_NPROC, limits.processes)
        _limit(resource.RLIMIT_STACK, STACK)
        signal.setitimer(signal.ITIMER_REAL, limits.wall)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), write_through=True, errors="backslashreplace")
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "wb", closefd=False), write_through=True, errors="backslashreplace")
        surroundings.install(self._clock, self._link, self._order.wall_clock)
        self._link.has_target, self._link.on_strike = self._has_target, self._strike
        asked = observer.asked
        if asked is not None:
            # Who waits for that answer does not sleep, though it looks like it from outside.
            observer.elsewhere = lambda: list(self._clock.exchange(asked))
        self._signals = _signals()
        random.seed(0)  # whatever an answer draws, it draws in every grading
        self._witness.install()
        if self._order.importable and confine.shut_in:
            self._do_without_unix_sockets()

    def _do_without_unix_sockets(self) -> None:
        """Landlock cannot keep anybody from others', so a run has none; whoever needs one is not to blame for that."""
        from multiprocessing import context, managers

        run = os.getpid()

        def refuse(*_: object, **__: object) -> NoReturn:
            if os.getpid() != run:  # a child has no say in how the run ends
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            self._refuse(CannotPlay(messages.Refused("sandbox", "There are no unix sockets here.")))

        managers.BaseManager.start = refuse  # type: ignore[method-assign]
        context.ForkServerProcess._Popen = staticmethod(refuse)  # type: ignore[method-assign]

    # --- the scenario ------------------------------------------------------------------------------

    def _perform(self) -> None:
        module = load(self._order.kata, self._order.source, self._folder)
        self._begin()
        try:
            scenario, keywords = pickle.loads(self._order.scenario)
        except Exception as error:  # it needs a module that is not there
            why = f"The scenario of this test cannot be loaded here: {type(error).__name__}: {error}."
            raise CannotPlay(messages.Refused("scenario", why)) from None
        encode.scenario_file = scenario.__code__.co_filename
        kata = Kata(module, self._order.signatures)
        if inspect.iscoroutinefunction(scenario):
            self._perform_on_loop(scenario(kata, self._stage, **keywords))
        else:
            self._answer(lambda: scenario(kata, self._stage, **keywords))

    def _begin(self) -> None:
        """From here on time counts: a file that plays something while it is imported is none the worse for that."""
        if self._clock.now > self._clock.start:
            self._clock.block(math.ceil(self._clock.now))  # a whole second, so that sums of moments stay exact
            self._clock.restart()
        self._witness.forget()
        self._link.send(messages.Loaded())

    def _perform_on_loop(self, coroutine: Any) -> None:
        loop = VirtualEventLoop(self._clock)
        asyncio.set_event_loop(loop)
        self._witness.own_loop = loop
        self._main = loop.create_task(self._async_answer(coroutine), name="the caller")
        self._stage.target_task = self._main
        try:
            loop.run_until_complete(self._main)
        except (SystemExit, KeyboardInterrupt) as error:
            self._break_off(error)
        except asyncio.CancelledError:
            if not self._ended:
                raise
            self._witness.complain("A cancellation of the calling task was left behind, to come after the answer.")
        if not self._witness.leaks:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
        asyncio.set_event_loop(None)
        self._main = self._stage.target_task = None

    async def _async_answer(self, coroutine: Any) -> None:
        """Send the answer at the very moment it is there, and look at what is left."""
        try:
            value = await coroutine
        except CannotPlay:
            raise
        except MemoryError:
            self._stop("memory")
        except BaseException as error:
            self._send_error(error)
        else:
            self._send_value(value)
            value = None
        self._witness.look_for_leaks(self._main)

    def _answer(self, call: Callable[[], Any]) -> None:
        try:
            value = call()
        except (CannotPlay, MemoryError):
            raise
        except BaseException as error:
            self._send_error(error)
        else:
            self._send_value(value)

    def _send_value(self, value: Any) -> None:
        self._ended = True
        try:
            self._link.send(messages.Returned(encode.encode(value)))
        except (ValueError, RecursionError, MemoryError):
            self._link.send(messages.Returned(Alien("something too large")))

    def _send_error(self, error: BaseException) -> None:
        refusal = _refusal_in(error)
        if refusal is not None:
            raise refusal
        self._ended = True
        self._link.send(messages.Raised(encode.encode_error(error)))
        # A kept traceback keeps everything alive that ought to be found abandoned.
        error.__traceback__ = None

    def _break_off(self, error: BaseException) -> NoReturn:
        """What asyncio lets out of any task, through the loop, ends the run: the scenario cannot go on.

        That is no way to end in an error that a test asks for, with the scenario left in the middle.
        """
        if self._ended or isinstance(error, Exception | asyncio.CancelledError):
            raise error
        self._send_error(error)
        self._link.send(self._witness.told(final=False))
        _leave(0)

    def _alarm(self, *_: object) -> None:
        self._link.between_messages(lambda: self._stop("wall"))

    def _seen_waiting(self, *_: object) -> None:
        """The zygote has seen the only thread wait for ever, unless an alarm of its own is to wake it."""
        if signal.getsignal(signal.SIGALRM) == self._alarm:
            self._clock.expect_deadlock()

    def _has_target(self) -> bool:
        target = self._stage.target_task
        return not (self._ended or target is None or target.done())

    def _strike(self) -> None:
        """The world cancels, from its next turn on: whoever hears of it here stands in the middle of a wait."""
        target = self._stage.target_task
        assert target is not None
        loop = target.get_loop()
        (loop.call_soon_threadsafe if self._clock.crowded else loop.call_soon)(target.cancel)

    # --- the end -----------------------------------------------------------------------------------

    def _refuse(self, refusal: CannotPlay) -> NoReturn:
        self._link.send(refusal.told)
        self._link.send(self._witness.told(final=False))
        _leave(0)

    def _tell(self) -> None:
        gc.collect()
        self._witness.look_at_loops()
        self._link.send(self._witness.told(final=True))

    def _is_clean(self) -> bool:
        signal.setitimer(signal.ITIMER_REAL, 0)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return not (
            self._clock.threads
            or self._clock.has_children()
            or self._witness.has_something_to_say
            or self._folder is not None
            or used.ru_utime + used.ru_stime > MOST_CPU
            or used.ru_maxrss > MOST_MEMORY
            or _signals() != self._signals
        ) and self._clock.dismiss_driver(PATIENCE)

    def forget(self, kata: str) -> None:
        """Let go of everything that the run has made, so that the next one does not meet it."""
        signal.signal(signal.SIGURG, signal.SIG_IGN)
        sys.modules.pop(kata, None)
        sys.settrace(None)
        sys.setprofile(None)
        socket.setdefaulttimeout(None)
        asyncio.set_event_loop_policy(None)  # it remembers that there has been a current loop
        VirtualEventLoop.opened.clear()
        VirtualEventLoop.task_hook = VirtualEventLoop.complain = VirtualEventLoop.blocked_hook = None
        del self._main, self._stage, self._witness
        gc.collect()

    def _halt(self, reason: str) -> None:
        """The world ends the run."""
        if reason == "gone":
            _leave(0)
        self._stop("turns" if reason == "turns" else "halt")

    def _stop(self, reason: str) -> NoReturn:
        """End the run from within, from wherever the process stands: say what waits, and leave."""
        try:
            self._link.send(messages.Stopped(reason, self._witness.waiting()))
            self._link.send(self._witness.told(final=False))
        finally:
            _leave(0)


def _limit(what: int, most: int) -> None:
    """Allow this process so much of something, or less where it may not have as much."""
    allowed = resource.getrlimit(what)[1]
    if allowed != resource.RLIM_INFINITY:
        most = min(most, allowed)
    resource.setrlimit(what, (most, most))


def _signals() -> list[Any]:
    return [signal.getsignal(number) for number in _HEARD]


def _refusal_in(error: BaseException) -> CannotPlay | None:
    if isinstance(error, CannotPlay):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for found in map(_refusal_in, error.exceptions) if found), None)
    return None


def _leave(code: int) -> NoReturn:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
