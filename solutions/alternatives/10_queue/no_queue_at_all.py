"""No queue: workers share the iterator under a lock; `merge` waits for one `anext` a source."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

_END = object()


async def pump(
    items: AsyncIterator[Any],
    consume: Callable[[Any], Awaitable[Any]],
    *,
    size: int,
    workers: int,
) -> list[Any]:
    """Let every worker fetch its next item itself, one at a time; nothing is read ahead.

    When `items` fails, the calls under way come to their end first.
    """
    results: list[Any] = []
    reading = asyncio.Lock()
    exhausted = False

    async def fetch() -> Any:
        nonlocal exhausted
        if exhausted:
            return _END
        exhausted = True  # unless the next line gives an item
        item = await anext(items, _END)
        exhausted = item is _END
        return item

    async def work() -> None:
        while True:
            async with reading:
                item = await fetch()
                if item is _END:
                    return
                place = len(results)
                results.append(None)
            try:
                results[place] = await consume(item)
            except Exception as error:
                results[place] = error

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        exhausted = True  # also for a worker whose `consume` answers the cancel with an error
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    for task in tasks:
        task.result()  # raises the error of `items`, if there was one
    return results


async def drain(
    queue: asyncio.Queue[Any], consumers: list[Callable[[Any], Awaitable[Any]]], stop: object
) -> list[list[Any]]:
    """Let one consumer at a time stand at the queue; the one who meets `stop` closes it."""
    door = asyncio.Lock()
    closed = False

    async def feed(consumer: Callable[[Any], Awaitable[Any]]) -> list[Any]:
        nonlocal closed
        results: list[Any] = []
        while True:
            async with door:
                item = stop if closed else await queue.get()
                if item is stop:
                    closed = True
                    return results
            results.append(await consumer(item))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feed(consumer)) for consumer in consumers]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def merge(*sources: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Keep one task a source that fetches its next item; hand out in the order they end."""
    iterators = [aiter(source) for source in sources]
    fetching: dict[asyncio.Task[Any], AsyncIterator[Any]] = {}
    fetched: deque[asyncio.Task[Any]] = deque()

    def fetch(iterator: AsyncIterator[Any]) -> None:
        task = asyncio.create_task(_next(iterator))
        task.add_done_callback(fetched.append)
        fetching[task] = iterator

    async def close() -> None:
        for task in fetching:
            task.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)
        for iterator in iterators:
            if aclose := getattr(iterator, "aclose", None):
                await asyncio.gather(aclose(), return_exceptions=True)

    for iterator in iterators:
        fetch(iterator)
    try:
        while fetching:
            while not fetched:
                await asyncio.wait(fetching, return_when=asyncio.FIRST_COMPLETED)
            task = fetched.popleft()
            iterator = fetching.pop(task)
            if (item := task.result()) is not _END:
                fetch(iterator)
                yield item
    finally:
        closing = asyncio.create_task(close())
        try:
            await asyncio.shield(closing)
        finally:
            while not closing.done():
                await asyncio.wait([closing])


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator, _END)
