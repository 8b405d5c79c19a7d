"""Timers all the way: each tick sets the next one; a deadline moves instead of a timer."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


async def every(interval: float, count: int, tick: Callable[[int], object]) -> None:
    """Let each tick set the timer of the next one; a future tells of the end."""
    if count < 1:
        return
    loop = asyncio.get_running_loop()
    start = loop.time()
    ended: asyncio.Future[None] = loop.create_future()

    def fire(i: int) -> None:
        nonlocal timer
        if ended.done():  # cancelled in this very turn
            return
        try:
            tick(i)
        except Exception as error:
            ended.set_exception(error)
        else:
            if i + 1 == count:
                ended.set_result(None)
            else:
                timer = loop.call_at(start + (i + 2) * interval, fire, i + 1)

    timer = loop.call_at(start + interval, fire, 0)
    try:
        await ended
    finally:
        timer.cancel()


class Debounce:
    """At most one timer: when it goes off too early, it goes to sleep again for the rest."""

    def __init__(self, delay: float, callback: Callable[..., object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay = delay
        self._callback = callback
        self._pending: tuple[float, tuple[Any, ...]] | None = None  # deadline, arguments
        self._timer: asyncio.TimerHandle | None = None

    def poke(self, *args: Any) -> None:
        """Move the deadline."""
        deadline = self._loop.time() + self._delay
        self._pending = (deadline, args)
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._look)

    def cancel(self) -> None:
        """Forget the deadline."""
        self._pending = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        timer, self._timer = self._timer, None
        if timer is None or self._pending is None:
            return
        deadline, args = self._pending
        if timer.when() < deadline:  # there was another poke
            self._timer = self._loop.call_at(deadline, self._look)
        else:
            self._pending = None
            self._callback(*args)


def run_at(when: datetime, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
    """Compare two moments in UTC, and aim at the loop's own clock."""
    delay = (when.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    loop = asyncio.get_running_loop()
    return loop.call_at(loop.time() + delay, callback, *args)


def call_from_thread(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any
) -> Any:
    """Wait on a threading.Event for the callback's outcome."""
    results: list[Any] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def call() -> None:
        try:
            results.append(callback(*args))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    loop.call_soon_threadsafe(call)
    ended.wait()
    if errors:
        raise errors[0]
    return results[0]
