"""Style: a queue that holds one token is the lock; exit stacks give back what was taken."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    ballots: asyncio.Queue[str] = asyncio.Queue()

    async def vote(voter: Voter) -> None:
        ballots.put_nowait(await voter())

    async with asyncio.TaskGroup() as group:
        for voter in voters:
            group.create_task(vote(voter))
    choices = [ballots.get_nowait() for _ in voters]
    return {choice: choices.count(choice) for choice in choices}


class Account:
    def __init__(self, store: Any) -> None:
        self._store = store
        self._token: asyncio.Queue[None] = asyncio.Queue()
        self._token.put_nowait(None)

    async def deposit(self, amount: int) -> int:
        with ExitStack() as give_back:
            await self._token.get()
            give_back.callback(self._token.put_nowait, None)
            balance: int = await self._store.read()
            await self._store.write(balance + amount)
            return balance + amount


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    async def settled(job: Job) -> Any:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(lock)
            try:
                return await job()
            except Exception as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(settled(job)) for job in jobs]
    return [task.result() for task in tasks]
