"""All your lights share one list of waiting drivers, since it stands in the class body: when any
light turns green, the drivers at all of them go.

Hint: What is made in the class body exists once, for every instance. Make what belongs to one
light in `__init__`: https://docs.python.org/3/tutorial/classes.html#class-and-instance-variables

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

    _waiting: list[asyncio.Event] = []

    def __init__(self, green: float, red: float) -> None:
        self._green = green
        self._red = red
        self.is_green = True

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            self.is_green = True
            while self._waiting:
                self._waiting.pop(0).set()
            await asyncio.sleep(self._green)
            self.is_green = False
            await asyncio.sleep(self._red)

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if not self.is_green:
            go = asyncio.Event()
            self._waiting.append(go)
            await go.wait()


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop's own thread set the event, and wake the loop for it."""
    loop.call_soon_threadsafe(event.set)
