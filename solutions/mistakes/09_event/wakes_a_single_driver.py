"""At green you wake a single driver of all who wait (`notify()`), so the others stay where they are
until some later green.

Hint: Wake them all, with `notify_all()`; or take an Event, which never wakes only one:
https://docs.python.org/3/library/asyncio-sync.html#asyncio.Condition.notify_all

Violates: timing, cancellation
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def start_together(
    starter: asyncio.Event, runners: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """Wait for `starter`, then run all runners at the same time; results in order."""
    if not runners:
        return []
    await starter.wait()

    async def run(runner: Callable[[], Awaitable[Any]]) -> Any:
        return await runner()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(runner)) for runner in runners]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


class TrafficLight:
    """Green for `green` seconds, red for `red` seconds, and so on, while it runs."""

    def __init__(self, green: float, red: float) -> None:
        self._green = green
        self._red = red
        self._green_now = True
        self._changed = asyncio.Condition()

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        return self._green_now

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            async with self._changed:
                self._green_now = True
                self._changed.notify()
            await asyncio.sleep(self._green)
            self._green_now = False
            await asyncio.sleep(self._red)

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.is_green)


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop's own thread set the event, and wake the loop for it."""
    loop.call_soon_threadsafe(event.set)
