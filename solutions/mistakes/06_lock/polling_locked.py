"""Your `in_turn` looks again and again whether the lock is free instead of waiting in its
queue, so whoever comes later and does wait gets it first.

Hint: `await lock.acquire()` puts you in line and wakes you when it is your turn; `async with`
does that. See https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock

Violates: ordering
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
        self._lock = asyncio.Lock()

    async def deposit(self, amount: int) -> int:
        """Add `amount` to the balance and return the new one."""
        async with self._lock:
            balance: int = await self._store.read() + amount
            await self._store.write(balance)
            return balance


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    """Run the jobs one by one under the caller's lock, each in its place in the lock's queue."""

    async def run(job: Job) -> Any:
        while lock.locked():
            await asyncio.sleep(0.05)
        async with lock:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs), return_exceptions=True)
