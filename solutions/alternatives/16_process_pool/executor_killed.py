"""A `ProcessPoolExecutor` for everything; its processes are killed where it cannot stop them."""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    return await _in_processes([partial(_attempt, function, item) for item in items], workers)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    starts = range(0, len(items), chunk)
    calls = [partial(_attempt_all, function, items[start : start + chunk]) for start in starts]
    return [outcome for outcomes in await _in_processes(calls, workers) for outcome in outcomes]


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    count = min(processes, len(items))
    calls = [partial(_run_share, job, items[first::count]) for first in range(count)]
    results: list[Any] = [None] * len(items)
    for first, share in enumerate(await _in_processes(calls, count)):
        results[first::count] = share
    return results


async def _in_processes(calls: list[Callable[[], Any]], workers: int) -> list[Any]:
    """The results of the calls, in order; the first failure ends them all."""
    if not calls:
        return []
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(min(workers, len(calls)))
    # `wait` leaves the futures alone when it is cancelled: the executor of 3.11 cannot
    # lose its processes while a future is cancelled.
    futures = [loop.run_in_executor(pool, call) for call in calls]
    try:
        done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_EXCEPTION)
        for future in done:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        for process in list(pool._processes.values()):
            process.kill()
        pool._result_queue._writer.close()  # else half a result would be waited for
        raise
    finally:
        closing = loop.run_in_executor(None, pool.shutdown)
        ended = asyncio.gather(closing, *futures, return_exceptions=True)
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise


def _attempt(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        result = function(item)
        pickle.dumps(result)
        return result
    except Exception as error:
        return error


def _attempt_all(function: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    return [_attempt(function, item) for item in items]


def _run_share(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    return asyncio.run(_share(job, share))


async def _share(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    slots = asyncio.Semaphore(16)

    async def run(item: Any) -> Any:
        async with slots:
            return await job(item)

    return await asyncio.gather(*map(run, share))
