"""All ticks set in advance; a `Debounce` that swaps closures; a SimpleQueue to the thread."""

import asyncio
import datetime as dt
import queue
from collections.abc import Callable
from typing import Any


async def every(interval: float, count: int, tick: Callable[[int], object]) -> None:
    """Set every timer at the start, and wait for the last one or for an error."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    ended: asyncio.Future[None] = loop.create_future()

    def fire(i: int) -> None:
        if ended.done():
            return
        try:
            tick(i)
        except Exception as error:
            ended.set_exception(error)
        else:
            if i == count - 1:
                ended.set_result(None)

    timers = [loop.call_at(start + (i + 1) * interval, fire, i) for i in range(count)]
    try:
        if timers:
            await ended
    finally:
        for timer in timers:
            timer.cancel()


def _nothing() -> None:
    pass


class Debounce:
    """Holds the way to drop the pending call as a function."""

    def __init__(self, delay: float, callback: Callable[..., object]) -> None:
        self._set_timer = asyncio.get_running_loop().call_later
        self._delay = delay
        self._callback = callback
        self._drop: Callable[[], None] = _nothing

    def poke(self, *args: Any) -> None:
        """Drop the pending call and set a new one."""
        self._drop()
        self._drop = self._set_timer(self._delay, lambda: self._callback(*args)).cancel

    def cancel(self) -> None:
        """Drop the pending call, if there is one."""
        self._drop()
        self._drop = _nothing


def run_at(when: dt.datetime, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
    """Make a naive moment aware first; then the two zones do not matter."""
    if when.utcoffset() is None:
        when = when.astimezone()
    delay = (when.astimezone(dt.UTC) - dt.datetime.now(dt.UTC)) / dt.timedelta(seconds=1)
    return asyncio.get_running_loop().call_later(max(0, delay), callback, *args)


def call_from_thread(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any
) -> Any:
    """Hand the outcome to the thread through a thread-safe queue."""
    outcomes: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def call() -> None:
        try:
            outcomes.put((callback(*args), None))
        except BaseException as error:
            outcomes.put((None, error))

    loop.call_soon_threadsafe(call)
    result, error = outcomes.get()
    if error is not None:
        raise error
    return result
