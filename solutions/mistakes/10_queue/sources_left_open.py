"""When your merge is closed, or a source fails, you stop the readers but leave sources open, so
their own cleanup does not run.

Hint: A generator that waits at a `yield` cleans up when its `aclose` is awaited; do so in a
`finally` for each source that has one, generator or not:
https://docs.python.org/3/reference/expressions.html#agen.aclose

Violates: cancellation, result
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any


async def pump(
    items: AsyncIterator[Any],
    consume: Callable[[Any], Awaitable[Any]],
    *,
    size: int,
    workers: int,
) -> list[Any]:
    """Call `consume` for each item, by `workers` consumers at once; results in order."""
    queue: asyncio.Queue[tuple[int, Any] | None] = asyncio.Queue(size)
    results: list[Any] = []

    async def produce() -> None:
        async for item in items:
            results.append(None)
            await queue.put((len(results) - 1, item))
        for _ in range(workers):
            await queue.put(None)  # one for each worker: nothing more will come

    async def work() -> None:
        worker = asyncio.current_task()
        while entry := await queue.get():
            place, item = entry
            try:
                results[place] = await consume(item)
            except Exception as error:
                results[place] = error
            if worker and worker.cancelling():
                return  # `consume` answered the cancellation with a result or an error

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            for _ in range(workers):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return results


async def drain(
    queue: asyncio.Queue[Any], consumers: list[Callable[[Any], Awaitable[Any]]], stop: object
) -> list[list[Any]]:
    """Let all consumers work off `queue` until `stop` arrives; a list of results for each."""

    async def feed(consumer: Callable[[Any], Awaitable[Any]]) -> list[Any]:
        results = []
        while (item := await queue.get()) is not stop:
            results.append(await consumer(item))
        queue.put_nowait(stop)  # the next one waits for it too
        return results

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feed(consumer)) for consumer in consumers]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def merge(*sources: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Yield the items of all sources as they come, each source read by a task of its own.

    No task group: it would cancel whoever holds the merge at its `yield` when a source fails.
    """
    iterators = [aiter(source) for source in sources]
    arrivals: asyncio.Queue[tuple[asyncio.Event, Any] | asyncio.Task[None]] = asyncio.Queue()

    async def read(iterator: AsyncIterator[Any]) -> None:
        taken = asyncio.Event()
        async for item in iterator:
            taken.clear()
            arrivals.put_nowait((taken, item))
            await taken.wait()  # so that a source is never more than an item ahead

    async def close() -> None:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    readers = [asyncio.create_task(read(iterator)) for iterator in iterators]
    for reader in readers:
        reader.add_done_callback(arrivals.put_nowait)
    reading = len(readers)
    try:
        while reading:
            arrival = await arrivals.get()
            if isinstance(arrival, asyncio.Task):
                arrival.result()  # raises the error of a source that failed
                reading -= 1
            else:
                taken, item = arrival
                taken.set()
                yield item
    finally:
        await _to_the_end(close())


async def _to_the_end(cleanup: Coroutine[Any, Any, None]) -> None:
    """Run `cleanup` undisturbed; a cancellation that arrives meanwhile is raised afterwards."""
    task = asyncio.create_task(cleanup)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])  # unlike `await task`, this does not pass a cancel on
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
