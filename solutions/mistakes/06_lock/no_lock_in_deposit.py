"""Your `deposit` reads, waits and writes without a lock, so two deposits that overlap start
from the same balance and one of them is lost.

Hint: Others run at every `await`. Hold a lock from before the read until after the write. See
https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock

Violates: result
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    """Tally the choices of all voters, who vote at the same time."""
    tally: dict[str, int] = {}

    async def count(voter: Voter) -> None:
        choice = await voter()
        tally[choice] = tally.get(choice, 0) + 1  # no await in here, so no lock needed

    try:
        async with asyncio.TaskGroup() as group:
            for voter in voters:
                group.create_task(count(voter))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tally


class Account:
    """An account whose balance lies in `store`."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def deposit(self, amount: int) -> int:
        """Add `amount` to the balance and return the new one."""
        balance: int = await self._store.read() + amount
        await self._store.write(balance)
        return balance


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    """Run the jobs one by one under the caller's lock, each in its place in the lock's queue."""

    async def run(job: Job) -> Any:
        async with lock:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs), return_exceptions=True)
