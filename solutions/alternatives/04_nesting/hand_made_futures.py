"""Style: a class counts a round down with done-callbacks and wakes one hand-made future."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Add = Callable[[Any, Any], Coroutine[Any, Any, Any]]
Source = Callable[[], Coroutine[Any, Any, Any]]


async def total(add: Add, numbers: list[Any]) -> Any:
    to_do = list(reversed(numbers))
    while len(to_do) > 1:
        to_do.append(await add(to_do.pop(), to_do.pop()))
    return to_do[0] if to_do else 0


class _Round:
    """The additions of one round, all under way."""

    def __init__(self, add: Add, numbers: list[Any]) -> None:
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = loop.create_future()
        self._failure: BaseException | None = None
        half = len(numbers) // 2
        self._odd = numbers[half * 2 :]
        self._tasks = [
            loop.create_task(add(numbers[2 * place], numbers[2 * place + 1]))
            for place in range(half)
        ]
        self._left = half
        for task in self._tasks:
            task.add_done_callback(self._count_down)

    def _count_down(self, task: asyncio.Task[Any]) -> None:
        self._left -= 1
        if not task.cancelled() and task.exception() is not None and self._failure is None:
            self._failure = task.exception()
            self._stop()
        if self._left == 0 and not self._over.done():
            self._over.set_result(None)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def next_level(self) -> list[Any]:
        try:
            await self._over
        except asyncio.CancelledError:
            self._stop()
            await asyncio.wait(self._tasks)
            raise
        if self._failure is not None:
            raise self._failure
        return [task.result() for task in self._tasks] + self._odd


async def tree_total(add: Add, numbers: list[Any]) -> Any:
    if not numbers:
        return 0
    while len(numbers) > 1:
        numbers = await _Round(add, numbers).next_level()
    return numbers[0]


class _Fallback:
    """`async with` this: a LookupError in the block is answered by the backup's result."""

    result: Any

    def __init__(self, backup: Source) -> None:
        self._backup = backup

    async def __aenter__(self) -> "_Fallback":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        missing = kind is not None and issubclass(kind, LookupError)
        if missing:
            self.result = await self._backup()
        return missing


async def with_fallback(primary: Source, backup: Source) -> Any:
    async with _Fallback(backup) as fallback:
        fallback.result = await primary()
    return fallback.result
