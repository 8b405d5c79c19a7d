"""`leave()` gives back a seat without asking whether the caller has one, so a room of two soon
seats three.

Hint: A plain `Semaphore` counts up as often as you like. Remember who sits, and raise
`ValueError` for anybody else:
https://docs.python.org/3/library/asyncio-sync.html#asyncio.BoundedSemaphore

Violates: result
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp


async def run_limited(jobs: list[Callable[[], Awaitable[Any]]], limit: int) -> list[Any]:
    """Run every `job()`, at most `limit` at once; results, or exceptions, in order."""
    semaphore = asyncio.Semaphore(limit)

    async def run(job: Callable[[], Awaitable[Any]]) -> Any:
        async with semaphore:
            try:
                return await job()
            except Exception as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(job)) for job in jobs]
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
        self._semaphore = asyncio.Semaphore(count)
        self._free = count

    @property
    def free(self) -> int:
        """How many seats nobody sits on."""
        return self._free

    async def __aenter__(self) -> Self:
        await self._semaphore.acquire()
        self._free -= 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the caller's seat back."""
        self._free += 1
        self._semaphore.release()
