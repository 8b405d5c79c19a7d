"""You run the function in threads of this process: they share one interpreter lock with your loop,
and nobody can kill them.

Hint: Work that computes belongs in processes:
https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor

Violates: result
"""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
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
    pool = ThreadPoolExecutor(min(workers, len(messages)))
    try:
        answers = await asyncio.gather(
            *(loop.run_in_executor(pool, _work, function, message) for message in messages)
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


def _work(function: Callable[[Any], Any], message: list[Any]) -> list[bytes]:
    return [_attempt(function, item) for item in message]


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
