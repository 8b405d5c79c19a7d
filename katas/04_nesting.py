"""Coroutines that await coroutines.

Awaiting a coroutine is like calling a function: one step after the other, with the result and
the errors coming back. Only where you start tasks do steps overlap. Here you do both.
"""

from collections.abc import Callable, Coroutine
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    """Sum `numbers` from left to right with `await add(x, y)`, one call at a time.

    n numbers take n - 1 calls, each with the sum so far on the left. No numbers give 0, a single
    one gives itself; both without a call.
    """
    # TODO: await each sum before you add the next number to it
    raise NotImplementedError


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    """Sum `numbers` in rounds: neighbours are added pairwise, all pairs of a round together.

    The sums are the next round's numbers, in the same order; an odd last number moves up
    unchanged as the last. A round begins when the one before is complete, so n numbers take
    ceil(log2 n) rounds. `add(left, right)` keeps left on the left. None give 0, one gives itself.
    If a call fails, the others of its round are cancelled, and the error is raised.
    """
    # TODO: within a round all calls overlap, between rounds none do
    raise NotImplementedError


async def with_fallback(primary: Source, backup: Source) -> Any:
    """Return the result of `primary()`; if that raises LookupError, the result of `backup()`.

    Subclasses of LookupError count too. Any other error comes through unchanged, also an
    ExceptionGroup that holds a LookupError, and so does cancellation; `backup` is not called then.
    If both fail, the backup's error is raised, with the primary's as its `__context__`.
    """
    raise NotImplementedError
