"""Your `start_together` looks for exceptions among the results: one that a runner returns, and nobody
raised, is taken for a failure.

Hint: Only what is raised is a failure; ask the task, not the result:
https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.exception

Violates: result
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

    tasks = [asyncio.create_task(run(runner)) for runner in runners]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


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
        await self._go.wait()


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop's own thread set the event, and wake the loop for it."""
    loop.call_soon_threadsafe(event.set)
