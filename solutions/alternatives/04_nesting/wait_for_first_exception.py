"""Style: `asyncio.wait(FIRST_EXCEPTION)` on tasks; also the fallback watches a task."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    remaining = iter(numbers)
    result = next(remaining, 0)
    for number in remaining:
        result = await asyncio.create_task(add(result, number))
    return result


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    level = numbers[:]
    while len(level) >= 2:
        tasks = [
            asyncio.create_task(add(left, right))
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        leftover = level[len(tasks) * 2 :]
        await _complete(tasks)
        level = [task.result() for task in tasks] + leftover
    return level[0] if level else 0


async def _complete(tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for all; at the first failure, or when cancelled, end the rest before going on."""
    ended: set[asyncio.Task[Any]] = set()
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        pending = [task for task in tasks if not task.done()]
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
        for task in tasks:
            if not task.cancelled():
                task.exception()
    for task in tasks:
        if task in ended:
            task.result()


async def with_fallback(primary: Source, backup: Source) -> Any:
    attempt = asyncio.create_task(primary())
    try:
        return await attempt
    except LookupError:
        return await asyncio.create_task(backup())
