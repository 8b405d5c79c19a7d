"""Style: one gather a round; recursion from round to round; a pair of flags for the fallback."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import islice
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    so_far = numbers[0] if numbers else 0
    for number in islice(numbers, 1, None):
        so_far = await add(so_far, number)
    return so_far


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    if len(numbers) < 2:
        return numbers[0] if numbers else 0
    even = len(numbers) // 2 * 2
    pairs = [
        asyncio.create_task(add(numbers[place], numbers[place + 1])) for place in range(0, even, 2)
    ]
    sums = asyncio.gather(*pairs)
    sums.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        next_level = await sums
    finally:
        for pair in pairs:
            if not pair.cancelling():
                pair.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)
    return await tree_total(add, next_level + numbers[even:])


async def with_fallback(primary: Source, backup: Source) -> Any:
    try:
        result = await primary()
    except Exception as error:
        if not isinstance(error, LookupError):
            raise
        result = await backup()
    return result
