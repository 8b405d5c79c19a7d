"""Sleeping to a list of deadlines, pokes with numbers, run_coroutine_threadsafe."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any


async def every(interval: float, count: int, tick: Callable[[int], object]) -> None:
    """Sleep to the next multiple of the interval after the start."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    deadlines = (start + number * interval for number in range(1, count + 1))
    for i, deadline in enumerate(deadlines):
        if (rest := deadline - loop.time()) > 0:
            await asyncio.sleep(rest)
        tick(i)


class Debounce:
    """Every poke sets a timer of its own; only that of the last poke finds its own number."""

    def __init__(self, delay: float, callback: Callable[..., object]) -> None:
        self._delay = delay
        self._callback = callback
        self._last = 0

    def poke(self, *args: Any) -> None:
        """Draw the next number, and call back if it is still the last in `delay` seconds."""
        self._last += 1
        number = self._last

        def call() -> None:
            if number == self._last:
                self._callback(*args)

        asyncio.get_running_loop().call_later(self._delay, call)

    def cancel(self) -> None:
        """Make all numbers that have been drawn too old."""
        self._last += 1


def run_at(when: datetime, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
    """Turn the moment into a time of the loop's clock."""
    loop = asyncio.get_running_loop()
    moment = loop.time() + (when.timestamp() - time.time())
    return loop.call_at(max(moment, loop.time()), callback, *args)


def call_from_thread(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any
) -> Any:
    """Wrap the callback in a coroutine for the loop."""

    async def call() -> Any:
        return callback(*args)

    return asyncio.run_coroutine_threadsafe(call(), loop).result()
