"""Style: tasks of a group, gathered within it: it holds a failure twice; a list that shrinks."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import reduce
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    async def itself(number: Any) -> Any:
        return number

    async def sum_of(left: Coroutine[Any, Any, Any], right: Any) -> Any:
        return await add(await left, right)

    first, *others = numbers or [0]
    return await reduce(sum_of, others, itself(first))


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    level = list(numbers)
    while len(level) > 1:
        left_over = [level.pop()] if len(level) % 2 else []
        async with asyncio.TaskGroup() as together:
            pairs = zip(level[::2], level[1::2], strict=True)
            sums = await asyncio.gather(
                *[together.create_task(add(left, right)) for left, right in pairs]
            )
        level = sums + left_over
    return level.pop() if level else 0


async def with_fallback(primary: Source, backup: Source) -> Any:
    try:
        found = await primary()
    except LookupError:
        return await backup()
    return found
