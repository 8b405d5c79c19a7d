"""Your `tree_total` cuts the numbers in halves and sums up each half, so, unless there are 4, 8 or
16 of them, some are not added to their neighbours; nor does one half wait for the other.

Hint: Go round by round, not half by half: add the first to the second, the third to the fourth,
and so on. See https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup

Violates: ordering
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
    if len(numbers) == 1:
        return numbers[0]
    middle = (len(numbers) + 1) // 2
    try:
        async with asyncio.TaskGroup() as group:
            left = group.create_task(tree_total(add, numbers[:middle]))
            right = group.create_task(tree_total(add, numbers[middle:]))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return await add(left.result(), right.result())


async def with_fallback(primary: Source, backup: Source) -> Any:
    """Return what `primary` brings or, where it finds nothing, what `backup` brings."""
    try:
        return await primary()
    except LookupError:
        return await backup()
