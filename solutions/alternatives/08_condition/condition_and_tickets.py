"""One Condition everywhere: `while not mine: await wait()`, and notify_all after each change."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any


class Warehouse:
    """A stock of goods; `take` looks again after every change."""

    def __init__(self, stock: int = 0) -> None:
        self.stock = stock
        self._lock = asyncio.Lock()
        self._more = asyncio.Condition(self._lock)

    async def take(self, n: int) -> None:
        """Wait until at least `n` pieces are in stock, and take them."""
        if n < 1:
            raise ValueError("take at least one piece")
        async with self._more:
            while self.stock < n:
                await self._more.wait()
            self.stock -= n

    async def restock(self, n: int) -> None:
        """Add `n` pieces."""
        if n < 1:
            raise ValueError("add at least one piece")
        async with self._more:
            self.stock += n
            self._more.notify_all()


class TaxiRank:
    """Each passenger draws a number; a number that is no longer in the line has been sent off."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._line: dict[int, str] = {}
        self._moved = asyncio.Condition()

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when sent off."""
        async with self._moved:
            number = next(self._numbers)
            self._line[number] = name
            try:
                await self._moved.wait_for(lambda: number not in self._line)
            finally:
                self._line.pop(number, None)

    async def send(self, n: int) -> list[str]:
        """Send off the `n` who have waited longest."""
        async with self._moved:
            return self._leave(n)

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now."""
        async with self._moved:
            return self._leave(len(self._line))

    def _leave(self, n: int) -> list[str]:
        numbers = list(self._line)[: max(n, 0)]
        self._moved.notify_all()
        return [self._line.pop(number) for number in numbers]


async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Let the players' tasks take turns: each waits until the count of answers is its own."""
    answers: list[Any] = []
    moved = asyncio.Condition()
    playing = False

    async def play(seat: int, player: Callable[[], Awaitable[Any]]) -> None:
        nonlocal playing
        for _ in range(rounds):
            async with moved:
                await moved.wait_for(lambda: not playing and len(answers) % len(players) == seat)
                playing = True
            answer = await player()  # nobody holds the lock meanwhile
            async with moved:
                answers.append(answer)
                playing = False
                moved.notify_all()

    tasks = [asyncio.create_task(play(seat, player)) for seat, player in enumerate(players)]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()  # raises the failure, if there was one
    return answers
