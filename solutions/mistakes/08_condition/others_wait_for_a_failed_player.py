"""When a player fails, your `take_turns` raises the error while the other players' tasks have not
ended yet, so they are still there when the game is over.

Hint: `gather` does not cancel its other tasks when one fails; a `TaskGroup` does, and waits for
them: https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup

Violates: cancellation, result
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
    """Passengers wait in a line, and are sent off from its front.

    `Condition.notify` does not tell whom it woke, so each passenger holds a future of its own.
    """

    def __init__(self) -> None:
        self._line: dict[asyncio.Future[None], str] = {}  # longest wait first

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when sent off."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[sent] = name
        try:
            await sent
        finally:
            self._line.pop(sent, None)  # still there if cancelled

    async def send(self, n: int) -> list[str]:
        """Send off the `n` who have waited longest; their names in that order."""
        waiting = [sent for sent in self._line if not sent.done()]  # done: just cancelled
        first = waiting[: max(n, 0)]
        for sent in first:
            sent.set_result(None)
        return [self._line.pop(sent) for sent in first]

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

    await asyncio.gather(*(play(seat, player) for seat, player in enumerate(players)))
    return answers
