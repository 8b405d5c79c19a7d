"""Timers change the light at fixed times; drivers share one future, each behind a shield."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def start_together(
    starter: asyncio.Event, runners: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """Open a task group only after the start; each task puts its result in its own place."""
    if not runners:
        return []
    await starter.wait()
    results: list[Any] = [None] * len(runners)

    async def run(place: int) -> None:
        results[place] = await runners[place]()

    try:
        async with asyncio.TaskGroup() as group:
            for place in range(len(runners)):
                group.create_task(run(place))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return results


class TrafficLight:
    """No sleeping: each change is a timer that sets the next one."""

    def __init__(self, green: float, red: float) -> None:
        self._green = green
        self._red = red
        self._next_green: asyncio.Future[None] | None = None  # None: it is green

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        return self._next_green is None

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def turn_green(moment: float) -> None:
            nonlocal timer
            if self._next_green is not None:
                self._next_green.set_result(None)
                self._next_green = None
            timer = loop.call_at(moment + self._green, turn_red, moment + self._green)

        def turn_red(moment: float) -> None:
            nonlocal timer
            self._next_green = loop.create_future()
            timer = loop.call_at(moment + self._red, turn_green, moment + self._red)

        turn_green(loop.time())
        try:
            await loop.create_future()  # for ever: only a cancellation ends a run
        finally:
            timer.cancel()

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if self._next_green is not None:
            await asyncio.shield(self._next_green)  # a cancelled driver leaves it to the others


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Run a callback in the loop's thread."""

    def in_the_loop() -> None:
        if not event.is_set():
            event.set()

    loop.call_soon_threadsafe(in_the_loop)
