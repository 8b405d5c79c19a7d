"""aiomultiprocess's `Pool` for everything: a process gets one plain call, or up to sixteen jobs."""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aiomultiprocess


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    return await crunch_chunks(function, items, workers, 1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    messages = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    answers = await _map(partial(_attempt_each, function), messages, workers, overlapping=1)
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


async def _attempt_each(function: Callable[[Any], Any], message: list[Any]) -> list[bytes]:
    return [_attempt(function, item) for item in message]


def _attempt(function: Callable[[Any], Any], item: Any) -> bytes:
    try:
        return pickle.dumps(function(item))
    except Exception as error:
        return pickle.dumps(error)


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    return await _map(job, items, processes, overlapping=16)


async def _map(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int, overlapping: int
) -> list[Any]:
    if not items:
        return []
    pool = aiomultiprocess.Pool(min(processes, len(items)), childconcurrency=overlapping)
    try:
        return list(await pool.map(job, items))
    finally:
        pool.terminate()
        for waiting_items, _ in pool.queues.values():
            waiting_items.cancel_join_thread()  # nobody reads them now; Python's end must not wait
        # `async with pool` would not do: a cancellation now would leave processes behind.
        ended = asyncio.ensure_future(pool.join())
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise
