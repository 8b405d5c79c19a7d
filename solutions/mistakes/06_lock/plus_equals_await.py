"""Your `count_votes` says `votes += ... await ...`: the old votes are read before the await and
written after it, so all that was counted in between is lost.

Hint: First await into a variable, then update without an await in the same statement. See
https://docs.python.org/3/reference/simple_stmts.html#augmented-assignment-statements

Violates: result
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    """Tally the choices of all voters, who vote at the same time."""
    votes: tuple[str, ...] = ()

    async def count(voter: Voter) -> None:
        nonlocal votes
        votes += (await voter(),)

    try:
        async with asyncio.TaskGroup() as group:
            for voter in voters:
                group.create_task(count(voter))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {choice: votes.count(choice) for choice in votes}


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
        async with lock:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs), return_exceptions=True)
