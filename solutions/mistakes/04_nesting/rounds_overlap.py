"""Your `tree_total` makes each addition wait only for its own two operands, so fast pairs begin
the next round while slow ones are still in this one.

Hint: A round begins when the one before is complete: wait for all of its tasks, for example at
the end of a TaskGroup, then pair again. See
https://docs.python.org/3/library/asyncio-task.html#task-groups

Violates: timing
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

    async def given(number: Any) -> Any:
        return number

    async def sum_of(left: asyncio.Task[Any], right: asyncio.Task[Any]) -> Any:
        return await add(await left, await right)

    try:
        async with asyncio.TaskGroup() as group:
            level = [group.create_task(given(number)) for number in numbers]
            while len(level) > 1:
                odd_one = level[-1:] if len(level) % 2 else []
                pairs = zip(level[::2], level[1::2], strict=False)
                level = [group.create_task(sum_of(*pair)) for pair in pairs] + odd_one
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return level[0].result()


async def with_fallback(primary: Source, backup: Source) -> Any:
    """Return what `primary` brings or, where it finds nothing, what `backup` brings."""
    try:
        return await primary()
    except LookupError:
        return await backup()
