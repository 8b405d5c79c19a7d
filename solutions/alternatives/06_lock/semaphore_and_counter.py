"""Style: a Counter over one gather, a semaphore of one as the lock, acquire and release by hand."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    tasks = [asyncio.create_task(voter()) for voter in voters]
    try:
        return dict(Counter(await asyncio.gather(*tasks)))
    finally:
        for task in tasks:
            if not task.cancelling():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Account:
    def __init__(self, store: Any) -> None:
        self._store = store
        self._one_at_a_time = asyncio.Semaphore(1)

    async def deposit(self, amount: int) -> int:
        await self._one_at_a_time.acquire()
        try:
            new: int = amount + await self._store.read()
            await self._store.write(new)
        finally:
            self._one_at_a_time.release()
        return new


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    results: list[Any] = [None] * len(jobs)

    async def wait_and_run(place: int) -> None:
        await lock.acquire()
        try:
            results[place] = await jobs[place]()
        except Exception as error:
            results[place] = error
        finally:
            lock.release()

    async with asyncio.TaskGroup() as group:
        for place in range(len(jobs)):
            group.create_task(wait_and_run(place))
    return results
