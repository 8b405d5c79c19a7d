"""One `gather` that always waits for everybody; seats as a subclass of `asyncio.Semaphore`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp


async def run_limited(jobs: list[Callable[[], Awaitable[Any]]], limit: int) -> list[Any]:
    semaphore = asyncio.Semaphore(limit)

    async def run(job: Callable[[], Awaitable[Any]]) -> Any:
        async with semaphore:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs), return_exceptions=True)


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    semaphore = asyncio.Semaphore(limit)
    tasks: list[asyncio.Task[str]] = []
    failures: list[Exception] = []

    async def fetch(session: aiohttp.ClientSession, url: str) -> str:
        try:
            async with semaphore, session.get(url) as response:
                response.raise_for_status()
                return await response.text()
        except Exception as error:
            if not failures:
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()
            failures.append(error)
            raise

    async with aiohttp.ClientSession() as session:
        tasks += [asyncio.create_task(fetch(session, url)) for url in urls]
        await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise failures[0]
    return [task.result() for task in tasks]


class Seats(asyncio.Semaphore):
    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a room needs at least one seat")
        super().__init__(count)
        self.free = count
        self._taken_by: dict[asyncio.Task[Any] | None, int] = {}

    async def __aenter__(self) -> Self:
        await self.acquire()
        self.free -= 1
        me = asyncio.current_task()
        self._taken_by[me] = self._taken_by.get(me, 0) + 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if asyncio.current_task() in self._taken_by:
            self.leave()

    def leave(self) -> None:
        try:
            me = asyncio.current_task()
        except RuntimeError:
            me = None
        if me not in self._taken_by:
            raise ValueError("no seat to leave")
        self._taken_by[me] -= 1
        if not self._taken_by[me]:
            del self._taken_by[me]
        self.free += 1
        self.release()
