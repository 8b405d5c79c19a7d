"""Condition: wait until something is true.

A condition lets somebody sleep until what they wait for has come true. You keep a warehouse, send
off passengers from a taxi rank, and let players take turns.
"""

from collections.abc import Awaitable, Callable
from typing import Any


class Warehouse:
    """Goods in stock, never below 0. A cancelled waiter takes none and costs nobody their turn."""

    # TODO: what exactly does somebody wait for, and who can make it true?
    def __init__(self, stock: int = 0) -> None:
        raise NotImplementedError

    @property
    def stock(self) -> int:
        """How many pieces are in stock now."""
        raise NotImplementedError

    async def take(self, n: int) -> None:
        """Wait until at least `n` pieces are in stock, and take them; `n` < 1: `ValueError`."""
        raise NotImplementedError

    async def restock(self, n: int) -> None:
        """Add `n` pieces; nobody waits on who can be served now. `n` < 1: `ValueError`."""
        raise NotImplementedError


class TaxiRank:
    """A line of passengers. Whoever starts waiting later never profits from an earlier send."""

    def __init__(self) -> None:
        raise NotImplementedError

    async def wait(self, name: str) -> None:
        """Join the line; return when sent off. Cancelled, a passenger leaves the line."""
        raise NotImplementedError

    async def send(self, n: int) -> list[str]:
        """Send off exactly the `n` who waited longest (all, if fewer); returns names in order."""
        raise NotImplementedError

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now; returns their names in the same order."""
        raise NotImplementedError


# TODO: all tasks are there from the start; what does each wait for before it calls its player?
async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Call the async players strictly one after another, in order, `rounds` times round.

    Each player is called by a task of its own, the same in every round; all tasks exist from the
    start. Returns the answers in the order played. If a player fails, the others stop and its
    error is raised; cancelled, no player is called any more.
    """
    raise NotImplementedError
