"""You call `pool.map` on the loop's thread: it returns only when all items are done, and nothing
else runs on the loop meanwhile.

Hint: Hand each message to `run_in_executor` and await the futures:
https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_in_executor

Violates: timing
"""

import asyncio
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable
from functools import partial
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
    with multiprocessing.Pool(min(workers, len(messages))) as pool:
        answers = pool.map(partial(_work, function), messages, chunksize=1)
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
