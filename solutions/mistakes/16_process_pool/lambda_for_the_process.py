"""You send a lambda to the pool, but what goes to another process must be pickled, and a lambda
cannot be: it has no name to be imported by.

Hint: Pass a function of the module, and its arguments after it:
https://docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled

Violates: result
"""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import aiomultiprocess


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run `function` on every item in other processes; results, or exceptions, in order."""
    return await crunch_chunks(function, items, workers, chunk=1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    """As `crunch`, with `chunk` items a message."""
    messages = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    if not messages:
        return []
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(min(workers, len(messages)))
    futures = [
        loop.run_in_executor(pool, lambda part=message: [_attempt(function, item) for item in part])
        for message in messages
    ]
    try:
        await asyncio.wait(futures)
        answers = [future.result() for future in futures]
    except BaseException:
        for process in list(pool._processes.values()):
            process.kill()
        raise
    finally:
        closing = loop.run_in_executor(None, pool.shutdown)
        ended = asyncio.gather(closing, *futures, return_exceptions=True)
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


def _attempt(function: Callable[[Any], Any], item: Any) -> bytes:
    """The outcome, pickled at once: what cannot travel is then the failure of this item alone."""
    try:
        return pickle.dumps(function(item))
    except Exception as error:
        return pickle.dumps(error)


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    """Run the async `job` on every item, on the loops of at most `processes` processes."""
    if not items:
        return []
    pool = aiomultiprocess.Pool(min(processes, len(items)))
    try:
        return list(await pool.map(job, items))
    finally:
        pool.terminate()
        for waiting_items, _ in pool.queues.values():
            waiting_items.cancel_join_thread()  # nobody reads them now; Python's end must not wait
        ended = asyncio.ensure_future(pool.join())
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise
