"""Your guest gives its seat back twice when it calls `leave()` inside its block: the end of the
block gives back one more, and the room grows.

Hint: The end of the block must know whether there is still something to give back; ask who sits
before you release: https://docs.python.org/3/reference/datamodel.html#object.__aexit__

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
        self._give_back()

    def leave(self) -> None:
        """Give the caller's seat back."""
        if _current_task() not in self._holders:
            raise ValueError("You hold no seat; take one with `async with seats:` first")
        self._give_back()

    def _give_back(self) -> None:
        self._holders = [holder for holder in self._holders if holder is not _current_task()]
        self._semaphore.release()


def _current_task() -> asyncio.Task[Any] | None:
    """The running task; None in a callback or in plain code, where nobody can hold a seat."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
