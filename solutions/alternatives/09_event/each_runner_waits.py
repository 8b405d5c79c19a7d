"""Every runner has a task that waits for the start; the light is a Condition with a flag."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def start_together(
    starter: asyncio.Event, runners: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """Put every runner on its mark; results in order."""

    async def on_your_mark(runner: Callable[[], Awaitable[Any]]) -> Any:
        await starter.wait()
        return await runner()

    tasks = [asyncio.create_task(on_your_mark(runner)) for runner in runners]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()  # raises the failure, if there was one
    return [task.result() for task in tasks]


class TrafficLight:
    """A flag under a condition; drivers look at it whenever it changes."""

    def __init__(self, green: float, red: float) -> None:
        self._green = green
        self._red = red
        self._changed = asyncio.Condition()
        self.is_green = True

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            await self._show(True)
            await asyncio.sleep(self._green)
            await self._show(False)
            await asyncio.sleep(self._red)

    async def _show(self, green: bool) -> None:
        async with self._changed:
            self.is_green = green
            self._changed.notify_all()

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if self.is_green:
            return
        async with self._changed:
            await self._changed.wait_for(lambda: self.is_green)


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Run a coroutine that sets the event in the loop's own thread."""

    async def fire() -> None:
        event.set()

    asyncio.run_coroutine_threadsafe(fire(), loop)
