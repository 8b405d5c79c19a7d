"""What a scenario is handed beside the submission: collaborators that the world decides about."""

from __future__ import annotations

import _thread
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from checker import messages
from checker.runner import encode, observer
from checker.runner.clock import Clock
from checker.runner.link import Call, Link, thread_name
from checker.runner.loop import running_loop


class Stage:
    """The collaborators of one scenario.  How long a call takes and what comes of it, the world says."""

    def __init__(self, clock: Clock, link: Link) -> None:
        self._clock = clock
        self._link = link
        self.target_task: asyncio.Task[Any] | None = None

    # --- collaborators ---------------------------------------------------------------------------

    def calls(self, label: str) -> Callable[..., Awaitable[Any]]:
        """An async callable whose calls are recorded as spans under `label`."""

        async def call(*args: Any, **keywords: Any) -> Any:
            return await self._play(self._link.open(label, args, keywords))

        call.__name__ = call.__qualname__ = label
        return call

    async def _play(self, call: Call) -> Any:
        call.loop = asyncio.get_running_loop()
        call.future = call.loop.create_future()
        try:
            return await call.future
        except asyncio.CancelledError:
            if call.future.done() and not call.future.cancelled():
                call.future.exception()  # it had ended by the world's clock already; nobody need ask why
                raise
            return await self._clean_up(call)
        except GeneratorExit:
            self._link.dropped(call)
            raise

    async def _clean_up(self, call: Call) -> Any:
        """Live through a cancellation as the world says: raise at once, take some time, or ignore it."""
        while True:
            if self._link.cancelled(call) == "now":
                raise asyncio.CancelledError
            assert call.loop is not None
            call.future = call.loop.create_future()
            try:
                return await call.future
            except asyncio.CancelledError:
                if call.future.done() and not call.future.cancelled():
                    call.future.exception()
                    raise  # the cleanup itself has ended, in cancellation
            except GeneratorExit:
                self._link.dropped(call)
                raise

    def blocking(self, label: str) -> Callable[..., Any]:
        """A plain callable that blocks its thread until the world ends the call."""

        def call(*args: Any, **keywords: Any) -> Any:
            opened = self._link.open(label, args, keywords)
            opened.gate = _thread.allocate_lock()
            opened.gate.acquire()
            with self.block_recorded():
                self._clock.block_on(opened.gate)
            value, failed = opened.value
            if failed:
                raise value
            return value

        call.__name__ = call.__qualname__ = label
        return call

    def callback(self, label: str) -> Callable[..., None]:
        """A plain callable that only notes, under `label`, the list of its arguments, and when."""

        def call(*args: Any) -> None:
            self.note(label, list(args))

        call.__name__ = call.__qualname__ = label
        return call

    def note(self, label: str, value: Any = None) -> None:
        """Note a value, at this moment of virtual time."""
        self._link.send(messages.Note(label, encode.encode(value), thread_name()))

    def web(self) -> Any:
        """A context in which aiohttp's client meets the world's web instead of the real one (aioresponses)."""
        from checker.runner.web import Web

        return Web(self._link, self._play)

    def server(self, name: str = "server") -> Any:
        """A context that serves HTTP on the loopback as the world says; `with stage.server() as (host, port):`."""
        from checker.runner.server import serving

        return serving(self._link, self, name)

    # --- events ----------------------------------------------------------------------------------

    def interrupt(self, label: str = "interrupt") -> None:
        """Let Ctrl-C (SIGINT) arrive when the world ends this call."""
        call = self._link.open(label, (), {})
        call.interrupts = True
        call.on_end = lambda _value, _failed: _raise_interrupt()

    def target(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Name the task that a sweep cancels; without it, the scenario's own."""
        self.target_task = task
        return task

    # --- what a scenario needs of its surroundings --------------------------------------------------

    def block_recorded(self) -> BlockRecord:
        """Within it the thread blocks; that is told where a loop runs in that thread."""
        return BlockRecord(self._clock, self._link)

    def children(self) -> list[int]:
        """The process ids of the run's living child processes, multiprocessing's own helpers left out."""
        me = os.getpid()
        return [pid for pid in observer.descendants(me) if pid != me and observer.is_working(pid)]

    @property
    def threads(self) -> int:
        """How many threads there are beside the main one, the harness's own left out."""
        return self._clock.threads

    @property
    def threads_begun(self) -> int:
        """How many threads have been started by now, whether or not they have ended."""
        return self._clock.threads_begun

    @property
    def now(self) -> float:
        """Virtual seconds since the start of the run."""
        return self._clock.now - self._clock.start


class BlockRecord:
    """Tells the world when the thread of a running loop was blocked, and by which line."""

    def __init__(self, clock: Clock, link: Link) -> None:
        self._clock = clock
        self._link = link

    def __enter__(self) -> None:
        self._since = self._clock.now
        self._loop: Any = running_loop()

    def __exit__(self, *exc: object) -> None:
        if self._loop is not None and self._clock.now > self._since:
            self._link.send(messages.Blocked(self._since, submission_line()))
            self._loop.woke_at = self._clock.now  # told with its line, so the loop need not tell again


def submission_line() -> int | None:
    """The line of the submission that is being run in this thread, the innermost one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == encode.submission_file:
            return frame.f_lineno
        frame = frame.f_back
    return None


def _raise_interrupt() -> None:
    if threading.current_thread() is threading.main_thread():
        signal.raise_signal(signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
