"""Your `drive` still sleeps when the light is green already, a whole red phase for instance, so
drivers start late.

Hint: Do not reckon with the light's times; wait for the light: `await event.wait()`:
https://docs.python.org/3/library/asyncio-sync.html#asyncio.Event.wait

Violates: timing
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
        self._go = asyncio.Event()
        self._go.set()

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        return self._go.is_set()

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            self._go.set()
            await asyncio.sleep(self._green)
            self._go.clear()
            await asyncio.sleep(self._red)

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if not self.is_green:
            await asyncio.sleep(self._red)


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop's own thread set the event, and wake the loop for it."""
    loop.call_soon_threadsafe(event.set)
