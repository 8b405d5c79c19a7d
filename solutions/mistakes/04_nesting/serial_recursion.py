"""Your `tree_total` recurses into the left part, waits, and then into the right part, so only
one addition runs at a time and the tree takes as long as the chain.

Hint: `await` waits. Start all additions of a round as tasks before you await the first of them.
See https://docs.python.org/3/library/asyncio-task.html#running-tasks-concurrently

Violates: timing
"""

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
    if len(numbers) == 1:
        return numbers[0]
    middle = 1 << (len(numbers) - 1).bit_length() - 1
    left = await tree_total(add, numbers[:middle])
    right = await tree_total(add, numbers[middle:])
    return await add(left, right)


async def with_fallback(primary: Source, backup: Source) -> Any:
    """Return what `primary` brings or, where it finds nothing, what `backup` brings."""
    try:
        return await primary()
    except LookupError:
        return await backup()
