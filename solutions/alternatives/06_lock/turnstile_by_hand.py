"""Style: a turnstile made by hand, with a deque of futures, for the accounts; callbacks count."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    tally: dict[str, int] = {}

    def counted(vote: asyncio.Task[str]) -> None:
        if not vote.cancelled() and vote.exception() is None:
            tally.setdefault(vote.result(), 0)
            tally[vote.result()] += 1

    votes = [asyncio.ensure_future(voter()) for voter in voters]
    for vote in votes:
        vote.add_done_callback(counted)
    if votes:
        try:
            done, _ = await asyncio.wait(votes, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            late = [vote for vote in votes if not vote.done()]
            for vote in late:
                vote.cancel()
            if late:
                await asyncio.wait(late)
        for vote in votes:
            if vote in done:
                vote.result()
    return tally


class _Turnstile:
    """Lets one task through at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._busy = False
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def pass_through(self) -> AsyncIterator[None]:
        if self._busy:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._next()  # it was our turn already: hand it on
                raise  # otherwise our place in the queue is passed over later
        self._busy = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)  # stays busy: the turn is handed over
                return
        self._busy = False


class Account:
    def __init__(self, store: Any) -> None:
        self._store = store
        self._turnstile = _Turnstile()

    async def deposit(self, amount: int) -> int:
        async with self._turnstile.pass_through():
            balance: int = await self._store.read() + amount
            await self._store.write(balance)
        return balance


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    async def under_lock(job: Job) -> Any:
        async with lock:
            return await job()

    return await asyncio.gather(*map(under_lock, jobs), return_exceptions=True)
