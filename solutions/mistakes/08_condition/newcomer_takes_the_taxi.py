"""Your passengers pass round nothing but a count of taxis, so whoever looks first takes one: a
newcomer is off before somebody who was sent has woken.

Hint: `send` says *who* goes, so tell those: give each passenger something of its own to wait for,
such as a future: https://docs.python.org/3/library/asyncio-future.html#asyncio.Future

Violates: ordering
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


class Warehouse:
    """A stock of goods; `take` waits until there is enough."""

    def __init__(self, stock: int = 0) -> None:
        self._stock = stock
        self._changed = asyncio.Condition()

    @property
    def stock(self) -> int:
        """How many pieces are in stock now."""
        return self._stock

    async def take(self, n: int) -> None:
        """Wait until at least `n` pieces are in stock, and take them."""
        _check(n)
        async with self._changed:
            await self._changed.wait_for(lambda: self._stock >= n)
            self._stock -= n

    async def restock(self, n: int) -> None:
        """Add `n` pieces and let everybody look again: who can be served, only they know."""
        _check(n)
        async with self._changed:
            self._stock += n
            self._changed.notify_all()


def _check(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n!r}")


class TaxiRank:
    """Passengers wait in a line, and are sent off from its front."""

    def __init__(self) -> None:
        self._line: dict[object, str] = {}  # longest wait first
        self._taxis = 0
        self._came = asyncio.Condition()

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when sent off."""
        place = object()
        self._line[place] = name
        try:
            async with self._came:
                await self._came.wait_for(lambda: self._taxis > 0)
                self._taxis -= 1
        finally:
            self._line.pop(place, None)

    async def send(self, n: int) -> list[str]:
        """Send off the `n` who have waited longest; their names in that order."""
        async with self._came:
            first = list(self._line)[: max(n, 0)]
            self._taxis += len(first)
            self._came.notify(len(first))
        return [self._line.pop(place) for place in first]

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now; their names in that order."""
        return await self.send(len(self._line))


async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Let the players' tasks take turns, in order, `rounds` times round; the answers as played."""
    answers: list[Any] = []
    moved = asyncio.Condition()

    async def play(seat: int, player: Callable[[], Awaitable[Any]]) -> None:
        for turn in range(seat, rounds * len(players), len(players)):
            async with moved:
                while len(answers) < turn:
                    await moved.wait()
                answers.append(await player())
                moved.notify_all()

    try:
        async with asyncio.TaskGroup() as group:
            for seat, player in enumerate(players):
                group.create_task(play(seat, player))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return answers
