"""`limit` workers that share one list of things to do; seats are tokens in an `asyncio.Queue`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp


async def run_limited(jobs: list[Callable[[], Awaitable[Any]]], limit: int) -> list[Any]:
    results: list[Any] = [None] * len(jobs)
    todo = deque(enumerate(jobs))

    async def worker() -> None:
        me = asyncio.current_task()
        while todo and not me.cancelling():  # a job may turn a cancellation into a result
            position, job = todo.popleft()
            try:
                results[position] = await job()
            except Exception as error:
                results[position] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit, len(jobs))):
            group.create_task(worker())
    return results


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    bodies: list[str] = [""] * len(urls)
    todo = deque(enumerate(urls))

    async def worker(session: aiohttp.ClientSession) -> None:
        while todo:
            position, url = todo.popleft()
            async with session.get(url, raise_for_status=True) as response:
                bodies[position] = await response.text()

    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(limit, len(urls))):
                    group.create_task(worker(session))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
    return bodies


class Seats:
    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a room needs at least one seat")
        self._door = asyncio.Lock()  # whoever waits longest stands in it
        self._chairs: asyncio.Queue[int] = asyncio.Queue()
        for chair in range(count):
            self._chairs.put_nowait(chair)
        self._sitting: dict[int, asyncio.Task[Any] | None] = {}

    @property
    def free(self) -> int:
        return self._chairs.qsize()

    async def __aenter__(self) -> Self:
        async with self._door:
            self._sitting[await self._chairs.get()] = asyncio.current_task()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if asyncio.current_task() in self._sitting.values():
            self.leave()

    def leave(self) -> None:
        try:
            me = asyncio.current_task()
        except RuntimeError:
            me = None
        for chair, task in self._sitting.items():
            if task is me:
                del self._sitting[chair]
                self._chairs.put_nowait(chair)
                return
        raise ValueError("no seat to leave")
