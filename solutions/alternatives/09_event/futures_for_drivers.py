"""Plain futures: the light holds one for each waiting driver; runners report by callback."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def start_together(
    starter: asyncio.Event, runners: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """Wait for the starter, start a task each, and stop them all when one fails."""
    if not runners:
        return []
    await starter.wait()
    failures: list[BaseException] = []

    def stop() -> None:
        for task in tasks:
            task.cancel()

    def ended(task: asyncio.Future[Any]) -> None:
        if not task.cancelled() and (failure := task.exception()):
            failures.append(failure)
            if len(failures) == 1:
                stop()

    tasks = [asyncio.ensure_future(runner()) for runner in runners]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        if not failures:
            stop()
        await asyncio.wait(tasks)
        raise
    if failures:
        raise failures[0]
    return [task.result() for task in tasks]


class TrafficLight:
    """A light that keeps a list of those who wait in front of it."""

    def __init__(self, green: float, red: float) -> None:
        self._green = green
        self._red = red
        self._is_green = True
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        return self._is_green

    async def run(self) -> None:
        """Change the light until cancelled, starting green."""
        while True:
            self._is_green = True
            waiting, self._waiting = self._waiting, []
            for driver in waiting:
                if not driver.done():
                    driver.set_result(None)
            await asyncio.sleep(self._green)
            self._is_green = False
            await asyncio.sleep(self._red)

    async def drive(self) -> None:
        """Return at once on green, else at the next green."""
        if not self._is_green:
            driver: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(driver)
            await driver


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Ask the loop to set the event."""
    loop.call_soon_threadsafe(lambda: event.set())
