"""Style: no lock of its own; every deposit waits for the end of the one before it, a future."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    votes: dict[str, int] = {}
    tasks = [asyncio.create_task(voter()) for voter in voters]
    try:
        for vote in asyncio.as_completed(tasks):
            choice = await vote
            votes[choice] = votes.get(choice, 0) + 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return votes


class Account:
    def __init__(self, store: Any) -> None:
        self._store = store
        self._last: asyncio.Future[None] | None = None

    async def deposit(self, amount: int) -> int:
        before = self._last
        mine = self._last = asyncio.get_running_loop().create_future()
        try:
            if before is not None:
                await asyncio.wait([before])  # leaves `before` alone if we are cancelled
            balance: int = await self._store.read()
            balance += amount
            await self._store.write(balance)
            return balance
        finally:
            # Cancelled while still waiting: whoever is next has to wait for the one before us.
            if before is None or before.done():
                mine.set_result(None)
            else:
                before.add_done_callback(lambda _: mine.set_result(None))


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    async def locked(job: Job) -> Any:
        async with lock:
            return await job()

    if not jobs:
        return []
    tasks = [asyncio.create_task(locked(job)) for job in jobs]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            _outcome(task)
        raise
    return [_outcome(task) for task in tasks]


def _outcome(task: asyncio.Task[Any]) -> Any:
    try:
        return task.result()
    except (Exception, asyncio.CancelledError) as error:
        return error
