"""The wire to the grader, and the calls under way on it."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from checker import messages
from checker.runner import encode
from checker.runner.clock import Clock
from checker.runner.loop import running_loop
from checker.values import ErrorValue, Value, plain


class Call:
    """One call of a collaborator that the world decides about."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.loop: asyncio.AbstractEventLoop | None = None
        self.future: asyncio.Future[Any] | None = None
        self.gate: Any = None
        self.value: Any = None
        self.on_end: Callable[[Any, bool], None] | None = None
        self.interrupts = False

    def deliver(self, value: Any, failed: bool) -> None:
        """Hand the end to whoever waits for it, in whatever thread; on its loop, if it has one."""
        if self.gate is not None:
            self.value = (value, failed)
            self.gate.release()
        elif self.loop is not None and self.loop is not running_loop():
            with contextlib.suppress(RuntimeError):  # a closed loop: nobody waits there any more
                self.loop.call_soon_threadsafe(self._settle, value, failed)
        else:
            self._settle(value, failed)

    def _settle(self, value: Any, failed: bool) -> None:
        if self.on_end is not None:
            self.on_end(value, failed)
            return
        if self.future is None or self.future.done():
            return
        if failed:
            self.future.set_exception(value)
        else:
            self.future.set_result(value)


class Link:
    """The run's channel; also the clock's source of time.

    Args:
        channel: a connected stream socket; closed at the end of the run.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._send_lock = _thread.RLock()
        self._afterwards: Callable[[], object] | None = None
        self._calls: dict[int, Call] = {}
        self._next_call = 0
        self._over = False
        self.clock: Clock | None = None
        self.on_halt: Callable[[str], None] = lambda _reason: None
        self.has_target: Callable[[], bool] = lambda: False
        """Whether there is a task that a sweep might cancel."""
        self.on_strike: Callable[[], None] = lambda: None

    def close(self) -> None:
        """The run has said its last word."""
        self._channel.close()

    # --- messages ------------------------------------------------------------------------------

    def send(self, message: Any) -> None:
        """Send one message; raises `ValueError` where it is too long to be read on the other side."""
        data = messages.frame(message)
        if len(data) > messages.MAX_FRAME:
            raise ValueError(f"A message of {len(data)} bytes cannot be sent.")
        with self._send_lock:
            if not self._over:  # else a thread that does not know yet; nothing may follow the last word
                self._over = isinstance(message, messages.Told)
                self._send(data)
        action, self._afterwards = self._afterwards, None
        if action is not None:
            action()

    def _send(self, data: bytes) -> None:
        if self.clock is None:
            self._channel.sendall(data)
            return
        self.clock.talking = True
        try:
            self._channel.sendall(data)
        finally:
            self.clock.talking = False

    def between_messages(self, action: Callable[[], object]) -> None:
        """Do something that a signal asks for: at once, or when the message is out that this thread is sending."""
        if self._send_lock._is_owned():  # type: ignore[attr-defined]
            self._afterwards = action
        else:
            action()

    def _receive(self) -> Any:
        header = self._exactly(messages.HEADER)
        return messages.decode_to_runner(self._exactly(messages.frame_length(header)))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._channel.recv(size - len(data))
            if not part:
                self.on_halt("gone")
                raise ConnectionError("The grader has closed the run's channel.")
            data += part
        return data

    # --- time ----------------------------------------------------------------------------------

    def wait(self, until: float | None, point: bool = False, /) -> tuple[float, list[Callable[[], object]]]:
        """Ask the world to move time on; see `TimeSource.wait`."""
        self.send(messages.Wait(until, point and self.has_target()))
        answer = self._receive()
        if isinstance(answer, messages.Strike):
            assert self.clock is not None
            return self.clock.now, [self.on_strike]
        if isinstance(answer, messages.Halt):
            self.on_halt(answer.reason)
            raise SystemExit
        ended = [(self._calls[end.call], end) for end in answer.ended if end.call in self._calls]
        # What interrupts comes last: a KeyboardInterrupt leaves no room for further deliveries.
        ended.sort(key=lambda pair: pair[0].interrupts)
        return answer.time, [self._delivery(call, end.value, end.failed) for call, end in ended]

    def _delivery(self, call: Call, value: Value, failed: bool) -> Callable[[], object]:
        self._calls.pop(call.number, None)
        living = revive(value)
        return lambda: call.deliver(living, failed)

    def spinning(self) -> None:
        """End the run: see `TimeSource.spinning`."""
        self.on_halt("turns")

    # --- calls ---------------------------------------------------------------------------------

    def open(self, label: str, args: tuple[Any, ...], keywords: dict[str, Any], parent: int | None = None) -> Call:
        """Tell the world that a collaborator was called, from this task and thread."""
        with self._send_lock:
            number = self._next_call
            self._next_call += 1
        call = Call(number)
        self._calls[number] = call
        loop = running_loop()
        task = asyncio.current_task(loop) if loop is not None else None
        self.send(
            messages.Start(
                number,
                label,
                [encode.encode(arg) for arg in args],
                {str(key): encode.encode(value) for key, value in keywords.items()},
                None if task is None else str(task.get_name())[:200],
                thread_name(),
                parent=parent,
            )
        )
        return call

    def cancelled(self, call: Call) -> str:
        """Tell the world that a call was cancelled; returns `now`, `later` or `ignore`."""
        assert self.clock is not None

        def talk() -> str:
            self.send(messages.Cancelled(call.number))
            answer = self._receive()
            if isinstance(answer, messages.Halt):
                self.on_halt(answer.reason)
                raise SystemExit
            return str(answer.how)

        how = self.clock.exchange(talk)
        if how == "now":
            self._calls.pop(call.number, None)
        return str(how)

    def dropped(self, call: Call) -> None:
        """Tell the world that a call was thrown away."""
        if self._calls.pop(call.number, None) is not None:
            self.send(messages.Dropped(call.number))


def revive(value: Value) -> Any:
    """What the world gave out, as a living object: an error as an exception of its class."""
    if isinstance(value, ErrorValue):
        return encode.known_class(value.classes[0])(*[plain(arg) for arg in value.args])
    return plain(value)


def thread_name() -> str | None:
    """The calling thread's name; None for the main thread."""
    if _thread.get_ident() == threading.main_thread().ident:
        return None
    return threading.current_thread().name[:200]
