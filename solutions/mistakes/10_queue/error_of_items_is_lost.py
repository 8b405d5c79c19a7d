"""When `items` fails your pump returns the results it has, as if the items had simply come to an
end.

Hint: A failing source is not an exhausted one. Let its error pass on, after the workers have
ended: https://docs.python.org/3/library/asyncio-task.html#task-groups

Violates: result
"""

import asyncio
import contextlib
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
    queue: asyncio.Queue[tuple[int, Any]] = asyncio.Queue(size)
    results: list[Any] = []
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
    try:
        with contextlib.suppress(Exception):
            async for item in items:
                results.append(None)
                await queue.put((len(results) - 1, item))
        await queue.join()
    finally:
        stopping = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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
        closings = (iterator.aclose() for iterator in iterators if hasattr(iterator, "aclose"))
        await asyncio.gather(*closings, return_exceptions=True)

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
