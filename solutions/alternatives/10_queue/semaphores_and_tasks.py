"""A task for each item behind a semaphore; `drain` hands over through a queue of its own."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any


async def pump(
    items: AsyncIterator[Any],
    consume: Callable[[Any], Awaitable[Any]],
    *,
    size: int,
    workers: int,
) -> list[Any]:
    """Read an item, wait for a free place, start a task for it."""
    places = asyncio.Semaphore(workers)
    tasks: list[asyncio.Task[Any]] = []

    async def settle(item: Any) -> Any:
        try:
            return await consume(item)
        except Exception as error:
            return error

    try:
        async with asyncio.TaskGroup() as group:
            async for item in items:
                await places.acquire()
                task = group.create_task(settle(item))
                task.add_done_callback(lambda _: places.release())
                tasks.append(task)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def drain(
    queue: asyncio.Queue[Any], consumers: list[Callable[[Any], Awaitable[Any]]], stop: object
) -> list[list[Any]]:
    """Pass the items on, and then a `stop` for every consumer."""
    if not consumers:
        return []
    handed: asyncio.Queue[Any] = asyncio.Queue(1)
    results: list[list[Any]] = [[] for _ in consumers]

    async def hand_over() -> None:
        while (item := await queue.get()) is not stop:
            await handed.put(item)
        for _ in consumers:
            await handed.put(stop)

    async def feed(number: int) -> None:
        while (item := await handed.get()) is not stop:
            results[number].append(await consumers[number](item))

    tasks = [asyncio.create_task(hand_over())]
    tasks += [asyncio.create_task(feed(number)) for number in range(len(consumers))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()  # raises the failure, if there was one
    return results


async def merge(*sources: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Give each source two permits: one is back when its item has been handed out."""
    iterators = [aiter(source) for source in sources]
    ready: deque[tuple[asyncio.Semaphore | None, Any]] = deque()
    news = asyncio.Event()

    def tell(permits: asyncio.Semaphore | None, item: Any) -> None:
        ready.append((permits, item))
        news.set()

    async def read(iterator: AsyncIterator[Any]) -> None:
        permits = asyncio.Semaphore(2)
        await permits.acquire()
        async for item in iterator:
            tell(permits, item)
            await permits.acquire()

    readers = [asyncio.create_task(read(iterator)) for iterator in iterators]
    for reader in readers:
        reader.add_done_callback(lambda reader: tell(None, reader))
    left = len(readers)
    try:
        while left:
            while not ready:
                news.clear()
                await news.wait()
            permits, item = ready.popleft()
            if permits is None:
                item.result()  # raises the error of a source that failed
                left -= 1
            else:
                permits.release()
                yield item
    finally:
        endings = [
            asyncio.create_task(_close(reader, iterator))
            for reader, iterator in zip(readers, iterators, strict=True)
        ]
        cancelled = False
        while not all(ending.done() for ending in endings):
            try:
                await asyncio.wait(endings)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError


async def _close(reader: asyncio.Task[None], iterator: AsyncIterator[Any]) -> None:
    """Stop the reader, wait for it, and close its source; what fails in that is dropped."""
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    if aclose := getattr(iterator, "aclose", None):
        await asyncio.gather(aclose(), return_exceptions=True)
