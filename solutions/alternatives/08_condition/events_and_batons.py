"""Events that are used once and replaced; a ring of semaphores passes the turn like a baton."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


class Warehouse:
    """A stock of goods; each change sets the event of the day and hangs up a new one."""

    def __init__(self, stock: int = 0) -> None:
        self._stock = stock
        self._news = asyncio.Event()

    @property
    def stock(self) -> int:
        """How many pieces are in stock now."""
        return self._stock

    async def take(self, n: int) -> None:
        """Wait until at least `n` pieces are in stock, and take them."""
        if n < 1:
            raise ValueError(f"n is {n}, must be 1 or more")
        while self._stock < n:
            await self._news.wait()
        self._stock -= n  # nobody else runs between the look and this line

    async def restock(self, n: int) -> None:
        """Add `n` pieces and wake everybody."""
        if n < 1:
            raise ValueError(f"n is {n}, must be 1 or more")
        self._stock += n
        news, self._news = self._news, asyncio.Event()
        news.set()


class _Passenger:
    def __init__(self, name: str) -> None:
        self.name = name
        self.sent = asyncio.Event()


class TaxiRank:
    """A list of passengers, each with an event of its own."""

    def __init__(self) -> None:
        self._line: list[_Passenger] = []

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when sent off."""
        passenger = _Passenger(name)
        self._line.append(passenger)
        try:
            await passenger.sent.wait()
        finally:
            if passenger in self._line:
                self._line.remove(passenger)

    async def send(self, n: int) -> list[str]:
        """Send off the `n` who have waited longest."""
        n = max(n, 0)
        first, self._line = self._line[:n], self._line[n:]
        for passenger in first:
            passenger.sent.set()
        return [passenger.name for passenger in first]

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now."""
        return await self.send(len(self._line))


async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Let the players' tasks take turns: each waits for the baton and hands it to the next."""
    batons = [asyncio.Semaphore(0) for _ in players]

    answers: list[Any] = []

    async def play(seat: int) -> None:
        for _ in range(rounds):
            await batons[seat].acquire()
            answers.append(await players[seat]())
            batons[(seat + 1) % len(players)].release()

    try:
        async with asyncio.TaskGroup() as group:
            for seat in range(len(players)):
                group.create_task(play(seat))
            for baton in batons[:1]:
                baton.release()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return answers
