"""Your poke leaves the timer of an earlier poke as it is and changes only its arguments: while pokes go on
the callback is called again and again, and too soon after the last one.

Hint: Each poke cancels the timer that is pending and sets a new one:
https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.TimerHandle.cancel

Violates: timing
"""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any


async def every(interval: float, count: int, tick: Callable[[int], object]) -> None:
    """Call `tick(i)` for i in 0..count-1 at start + (i+1) * `interval`, without drift."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for i in range(count):
        await asyncio.sleep(start + (i + 1) * interval - loop.time())
        tick(i)


class Debounce:
    """Calls `callback` once, `delay` seconds after the last of several pokes."""

    def __init__(self, delay: float, callback: Callable[..., object]) -> None:
        self._delay = delay
        self._callback = callback
        self._timer: asyncio.TimerHandle | None = None
        self._args: tuple[Any, ...] = ()

    def poke(self, *args: Any) -> None:
        """Have `callback(*args)` called in `delay` seconds, instead of what was pending."""
        self._args = args
        if self._timer:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._delay, self._call)

    def _call(self) -> None:
        self._timer = None
        self._callback(*self._args)

    def cancel(self) -> None:
        """Drop the pending call, if there is one."""
        if self._timer:
            self._timer.cancel()  # no harm if it has already run
            self._timer = None


def run_at(when: datetime, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
    """Run `callback(*args)` at the moment `when`, or on the next turn if that is past."""
    delay = when.timestamp() - time.time()  # timestamps know about zones and summer time
    return asyncio.get_running_loop().call_later(max(0.0, delay), callback, *args)


def call_from_thread(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any
) -> Any:
    """Run `callback(*args)` in the loop's thread; its result, or its error, in this one."""
    answer: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def call() -> None:
        try:
            answer.set_result(callback(*args))
        except BaseException as error:  # whatever it is, the thread must not wait for ever
            answer.set_exception(error)

    loop.call_soon_threadsafe(call)
    return answer.result()
