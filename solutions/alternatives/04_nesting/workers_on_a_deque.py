"""Style: as many workers as there are pairs take them from a deque and put the sums in place."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def _running_totals(add: Add, numbers: list[Any]) -> AsyncGenerator[Any, None]:
    result = 0
    for place, number in enumerate(numbers):
        result = await add(result, number) if place else number
        yield result


async def total(add: Add, numbers: list[Any]) -> Any:
    result = 0
    async with aclosing(_running_totals(add, numbers)) as totals:
        async for result in totals:
            pass
    return result


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    level = list(numbers) or [0]
    while len(level) > 1:
        pairs = deque(range(0, len(level) - 1, 2))
        sums: list[Any] = [None] * len(pairs) + level[len(pairs) * 2 :]

        async def work(
            level: list[Any] = level, pairs: deque[int] = pairs, sums: list[Any] = sums
        ) -> None:
            while pairs:
                place = pairs.popleft()
                sums[place // 2] = await add(level[place], level[place + 1])

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(len(pairs)):
                    group.create_task(work())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        level = sums
    return level[0]


async def with_fallback(primary: Source, backup: Source) -> Any:
    sources = [backup, primary]

    async def next_source() -> Any:
        source = sources.pop()
        try:
            return await source()
        except LookupError:
            if not sources:
                raise
            return await next_source()

    return await next_source()
