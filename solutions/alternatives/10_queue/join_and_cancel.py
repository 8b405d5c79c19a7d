"""The classic: workers in an endless loop, `join` to see that all is done, then cancel them."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any


async def pump(
    items: AsyncIterator[Any],
    consume: Callable[[Any], Awaitable[Any]],
    *,
    size: int,
    workers: int,
) -> list[Any]:
    """Feed endless workers through a queue, and dismiss them when it has been worked off."""
    queue: asyncio.Queue[tuple[int, Any]] = asyncio.Queue(maxsize=size)
    results: dict[int, Any] = {}
    stopping = False

    async def work() -> None:
        while not stopping:
            place, item = await queue.get()
            try:
                results[place] = await consume(item)
            except Exception as error:
                results[place] = error
            finally:
                queue.task_done()

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    place = 0
    try:
        async for item in items:
            await queue.put((place, item))
            place += 1
        await queue.join()
    finally:
        stopping = True
        await _stop(tasks)
    return [results[place] for place in sorted(results)]


async def drain(
    queue: asyncio.Queue[Any], consumers: list[Callable[[Any], Awaitable[Any]]], stop: object
) -> list[list[Any]]:
    """Take a consumer that is idle, then an item, and start a task for the two."""
    results: list[list[Any]] = [[] for _ in consumers]
    if not consumers:
        return results
    idle: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(consumers)):
        idle.put_nowait(number)

    async def call(number: int, item: Any) -> None:
        results[number].append(await consumers[number](item))
        idle.put_nowait(number)

    try:
        async with asyncio.TaskGroup() as group:
            while True:
                number = await idle.get()
                item = await queue.get()
                if item is stop:
                    break
                group.create_task(call(number, item))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return results


async def merge(*sources: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """One bounded queue for all: each reader waits in `put` until there is room."""
    queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(maxsize=1)
    iterators = [aiter(source) for source in sources]
    stopping = False

    async def read(iterator: AsyncIterator[Any]) -> None:
        last: tuple[str, Any] = ("end", None)
        try:
            async for item in iterator:
                await queue.put(("item", item))
        except Exception as error:
            last = ("error", error)
        if not stopping:
            await queue.put(last)

    tasks = [asyncio.create_task(read(iterator)) for iterator in iterators]
    left = len(tasks)
    try:
        while left:
            kind, value = await queue.get()
            if kind == "item":
                yield value
            elif kind == "error":
                raise value
            else:
                left -= 1
    finally:
        stopping = True
        try:
            await _stop(tasks)
        finally:
            closings = [iterator.aclose() for iterator in iterators if hasattr(iterator, "aclose")]
            await _ended([asyncio.ensure_future(closing) for closing in closings])


async def _stop(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until all have ended, through cancellations; raise one of those afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while waiting := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(waiting)
        except asyncio.CancelledError as error:
            cancelled = error
    await asyncio.gather(*tasks, return_exceptions=True)  # all done: this only fetches the errors
    if cancelled:
        raise cancelled
