"""Your `tree_total` raises the first error that `gather` brings, while the other additions of
that round are still running.

Hint: The first failure comes out of `gather` at once, and ends nobody else. To cancel the others
only asks them to end; wait until they have. A TaskGroup does both. See
https://docs.python.org/3/library/asyncio-task.html#task-groups

Violates: cancellation
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    """Sum `numbers` from left to right, one call at a time."""
    if not numbers:
        return 0
    result, *rest = numbers
    for number in rest:
        result = await add(result, number)
    return result


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    """Sum `numbers` pairwise, round by round; all pairs of a round at the same time."""
    if not numbers:
        return 0
    level = list(numbers)
    while len(level) > 1:
        odd_one = level[-1:] if len(level) % 2 else []
        level = await _add_pairs(add, level) + odd_one
    return level[0]


async def _add_pairs(add: Add, level: list[Any]) -> list[Any]:
    pairs = zip(level[::2], level[1::2], strict=False)  # an odd last number has no partner
    return await asyncio.gather(*(add(left, right) for left, right in pairs))


async def with_fallback(primary: Source, backup: Source) -> Any:
    """Return what `primary` brings or, where it finds nothing, what `backup` brings."""
    try:
        return await primary()
    except LookupError:
        return await backup()
