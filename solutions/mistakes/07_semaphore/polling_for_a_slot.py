"""Your `run_limited` looks again and again, with a short sleep in between, whether there is room
for the next job, so a job starts some time after the one before it has ended.

Hint: Let the waiting be done by something that wakes you: a semaphore, or a worker that takes the
next job when its own is done. See
https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore

Violates: timing
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp


async def run_limited(jobs: list[Callable[[], Awaitable[Any]]], limit: int) -> list[Any]:
    """Run every `job()`, at most `limit` at once; results, or exceptions, in order."""
    running = 0
    begun: list[int] = []

    async def run(place: int, job: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal running
        while running >= limit or place > len(begun):
            await asyncio.sleep(0.25)
        running += 1
        begun.append(place)
        try:
            return await job()
        except Exception as error:
            return error
        finally:
            running -= 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(place, job)) for place, job in enumerate(jobs)]
    return [task.result() for task in tasks]


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    """GET every url in one session, at most `limit` at once; bodies in order."""
    semaphore = asyncio.Semaphore(limit)

    async def fetch(url: str) -> str:
        async with semaphore, session.get(url) as response:
            return await response.text()

    try:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(fetch(url)) for url in urls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


class Seats:
    """`count` seats, taken with `async with`, first come first served."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count!r}")
        self._count = count
        self._semaphore = asyncio.Semaphore(count)
        self._holders: list[asyncio.Task[Any] | None] = []

    @property
    def free(self) -> int:
        """How many seats nobody sits on."""
        return self._count - len(self._holders)

    async def __aenter__(self) -> Self:
        await self._semaphore.acquire()
        self._holders.append(_current_task())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if _current_task() in self._holders:  # else it has left before the end of the block
            self.leave()

    def leave(self) -> None:
        """Give the caller's seat back."""
        if (task := _current_task()) not in self._holders:
            raise ValueError("You hold no seat; take one with `async with seats:` first")
        self._holders.remove(task)
        self._semaphore.release()


def _current_task() -> asyncio.Task[Any] | None:
    """The running task; None in a callback or in plain code, where nobody can hold a seat."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
