"""Futures made by hand: whoever changes something decides who is served, and tells just those."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any


class Warehouse:
    """A stock of goods and a list of open orders, served by whoever brings more."""

    def __init__(self, stock: int = 0) -> None:
        self._stock = stock
        self._orders: dict[asyncio.Future[None], int] = {}

    @property
    def stock(self) -> int:
        """How many pieces are in stock now."""
        return self._stock

    async def take(self, n: int) -> None:
        """Take `n` pieces now, or leave an order and wait until it is served."""
        if n < 1:
            raise ValueError(f"cannot take {n}")
        if n <= self._stock:
            self._stock -= n
            return
        served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders[served] = n
        try:
            await served
        except asyncio.CancelledError:
            if served.cancelled():
                self._orders.pop(served, None)
            else:  # served and cancelled in the same turn: the pieces go to somebody else
                self._add(n)
            raise

    async def restock(self, n: int) -> None:
        """Add `n` pieces and serve every order that can be served."""
        if n < 1:
            raise ValueError(f"cannot add {n}")
        self._add(n)

    def _add(self, n: int) -> None:
        self._stock += n
        for served, wanted in list(self._orders.items()):
            if wanted <= self._stock and not served.done():
                self._stock -= wanted
                del self._orders[served]
                served.set_result(None)


class TaxiRank:
    """A deque of passengers, each with a future."""

    def __init__(self) -> None:
        self._line: deque[tuple[str, asyncio.Future[None]]] = deque()

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when sent off."""
        passenger = (name, asyncio.get_running_loop().create_future())
        self._line.append(passenger)
        try:
            await passenger[1]
        except asyncio.CancelledError:
            if passenger in self._line:
                self._line.remove(passenger)
            raise

    async def send(self, n: int) -> list[str]:
        """Send off the `n` who have waited longest."""
        names: list[str] = []
        while self._line and len(names) < n:
            name, sent = self._line.popleft()
            if not sent.done():  # not just cancelled
                sent.set_result(None)
                names.append(name)
        return names

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now."""
        return await self.send(len(self._line))


async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Let the players' tasks take turns: every turn is a future that the turn before it sets."""
    loop = asyncio.get_running_loop()
    count = len(players) * rounds
    turns: list[asyncio.Future[None]] = [loop.create_future() for _ in range(count + 1)]
    answers: list[Any] = []
    failures: list[BaseException] = []

    async def play(seat: int, player: Callable[[], Awaitable[Any]]) -> None:
        for turn in range(seat, count, len(players)):
            await turns[turn]
            answers.append(await player())
            turns[turn + 1].set_result(None)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()):
            failures.append(failure)
            if len(failures) == 1:
                stop()

    def stop() -> None:
        for task in tasks:
            task.cancel()

    tasks = [asyncio.create_task(play(seat, player)) for seat, player in enumerate(players)]
    if not tasks:
        return []
    for task in tasks:
        task.add_done_callback(ended)
    turns[0].set_result(None)
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        if not failures:
            stop()
        await asyncio.wait(tasks)
        raise
    if failures:
        raise failures[0]
    return answers
