"""Condition: wait until something is true.

A lock lets one in after another; a condition lets somebody sleep until what they wait for has
come true. You keep a warehouse, send off passengers from a taxi rank, and let players take turns.
"""

from collections.abc import Awaitable, Callable
from typing import Any

# TODO: for each class, say first what exactly somebody waits for, and who can make it true.


class Warehouse:
    """A stock of goods, `stock` pieces at first; it is never negative.

    Nobody waits who could be served: a small order passes a big one that has to wait. A waiter
    that is cancelled takes nothing and costs nobody else their turn.
    """

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
        """Add `n` pieces; all who now can, take theirs at once. `n` < 1: `ValueError`."""
        raise NotImplementedError


class TaxiRank:
    """Passengers wait in a line, and are sent off from its front.

    Whoever starts waiting later never profits from an earlier `send`: with nobody in the line,
    nothing is kept for the next. A passenger that is cancelled has left the line.
    """

    async def wait(self, name: str) -> None:
        """Join the end of the line; return when this passenger, and nobody else, is sent off."""
        raise NotImplementedError

    async def send(self, n: int) -> list[str]:
        """Send off exactly the `n` who have waited longest (all, if fewer); their names in order."""
        raise NotImplementedError

    async def send_all(self) -> list[str]:
        """Send off everybody who waits now; their names, longest wait first."""
        raise NotImplementedError


# TODO: all tasks are there from the start; what does each wait for before it calls its player?
async def take_turns(players: list[Callable[[], Awaitable[Any]]], rounds: int) -> list[Any]:
    """Call the async players strictly one after another, in order, `rounds` times round.

    Each player is called by a task of its own, the same in every round; all the tasks exist from
    the start. Returns the answers in the order played. If a player fails, the others stop and its
    error is raised; cancelled, no player is called any more.
    """
    raise NotImplementedError
