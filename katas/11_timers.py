"""Timers: things that happen at a certain time.

The loop keeps a clock and a list of callbacks with their times. You tick without drift, wait until
somebody has stopped typing, aim at a moment of the wall clock, and call in from another thread.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any


# TODO: two clocks are at work here, the loop's and the wall's. Which one does each task need?
async def every(interval: float, count: int, tick: Callable[[int], object]) -> None:
    """Call the plain `tick(i)` for i in 0..count-1 at start + (i+1) * `interval` seconds.

    Start is when the coroutine begins to run. The ticks do not drift, even when they block for a
    while (less than an interval). Returns with the last tick, at once for count 0. An error of
    `tick` ends it and is raised; cancelled, it ticks no more.
    """
    raise NotImplementedError


class Debounce:
    """Calls the plain `callback` once, `delay` seconds after the last of several pokes.

    Made and used inside a running loop. The callback may poke.
    """

    def __init__(self, delay: float, callback: Callable[..., object]) -> None:
        raise NotImplementedError

    def poke(self, *args: Any) -> None:
        """Have `callback(*args)` called in `delay` seconds, instead of what was pending."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Drop the pending call, if there is one; later pokes work again."""
        raise NotImplementedError


def run_at(when: datetime, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
    """Run `callback(*args)` at the wall-clock moment `when`; plain, inside a running loop.

    `when` is aware, of any zone (its offset at `when` counts), or naive, which means local time. A
    moment already past gives a TimerHandle too, and runs on the next turn of the loop, never
    inline.
    """
    raise NotImplementedError


def call_from_thread(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any
) -> Any:
    """Run the plain `callback(*args)` in the loop's thread; plain, called in another thread.

    Waits for it and returns its result, or raises its error in the calling thread.
    """
    # TODO: how does the result come back to a thread that has no loop?
    raise NotImplementedError
