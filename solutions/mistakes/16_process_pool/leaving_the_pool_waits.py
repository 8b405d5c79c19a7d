"""You await inside `with ProcessPoolExecutor(...)`: when you are cancelled, leaving the block
waits for the items under way, and blocks the loop meanwhile.

Hint: End the pool yourself, and kill its processes on a cancellation:
https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown

Violates: cancellation
"""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

OVERLAPPING = 16
"""How many jobs of `map_async` wait together in one process."""


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run `function` on every item in other processes; results, or exceptions, in order."""
    return await crunch_chunks(function, items, workers, chunk=1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    """As `crunch`, with `chunk` items a message."""
    messages = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    answers = await _in_processes(partial(_attempt_each, function), messages, workers)
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    """Run the async `job` on every item, on the loops of at most `processes` processes."""
    count = min(processes, len(items))
    shares = [items[first::count] for first in range(count)]
    results: list[Any] = [None] * len(items)
    for first, answer in enumerate(await _in_processes(partial(_run_jobs, job), shares, count)):
        results[first::count] = answer
    return results


async def _in_processes(
    function: Callable[[list[Any]], Any], messages: list[list[Any]], workers: int
) -> list[Any]:
    """`function(message)` for every message, in order; the first failure is raised."""
    if not messages:
        return []
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(min(workers, len(messages))) as pool:
        futures = [loop.run_in_executor(pool, function, message) for message in messages]
        return await asyncio.gather(*futures)


# What follows runs in the processes.


def _attempt_each(function: Callable[[Any], Any], message: list[Any]) -> list[bytes]:
    return [_attempt(function, item) for item in message]


def _attempt(function: Callable[[Any], Any], item: Any) -> bytes:
    """The outcome, pickled at once: what cannot travel is then the failure of this item alone."""
    try:
        return pickle.dumps(function(item))
    except Exception as error:
        return pickle.dumps(error)


def _run_jobs(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    return asyncio.run(_overlap(job, share))


async def _overlap(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    slots = asyncio.Semaphore(OVERLAPPING)

    async def run(item: Any) -> Any:
        async with slots:
            return await job(item)

    return await asyncio.gather(*map(run, share))
