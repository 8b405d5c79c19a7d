"""All your drivers await one shared future, so cancelling a single driver cancels the future and
with it everybody else.

Hint: Awaiting a future passes a cancellation on to it: put `asyncio.shield` between, or use an
Event: https://docs.python.org/3/library/asyncio-task.html#shielding-from-cancellation

Violates: cancellation
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
        self._next_green: asyncio.Future[None] | None = None  # None: it is green

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        return self._next_green is None

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            if self._next_green is not None and not self._next_green.done():
                self._next_green.set_result(None)
            self._next_green = None
            await asyncio.sleep(self._green)
            self._next_green = asyncio.get_running_loop().create_future()
            await asyncio.sleep(self._red)

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if self._next_green is not None:
            await self._next_green


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop's own thread set the event, and wake the loop for it."""
    loop.call_soon_threadsafe(event.set)
