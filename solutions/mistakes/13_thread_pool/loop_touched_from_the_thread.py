"""Your progress() uses `call_soon` from the job's thread: the loop is not woken, so reports come
only when it happens to wake up, and its insides were never made for two threads.

Hint: There is one door into a loop for other threads; it takes the same arguments:
https://docs.python.org/3/library/asyncio-dev.html#concurrency-and-multithreading

Violates: timing
"""

import asyncio
import re
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Progress = Callable[[float], None]

_TITLE = re.compile(
    r"""<title(?:\s(?:[^>"']|"[^"]*"|'[^']*')*)?>(.*?)</title\s*>""",
    re.IGNORECASE | re.DOTALL,
)


async def _outlast(calls: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all calls have ended, whatever cancels come; then let the first cancel out."""
    cancelled: asyncio.CancelledError | None = None
    while not all(call.done() for call in calls):
        try:
            await asyncio.wait(calls)
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    for call in calls:
        if not call.cancelled():
            call.exception()  # looked at, should nobody ask for it later
    if cancelled is not None:
        raise cancelled


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    """The title of each page, or the failure in its place; at most `workers` fetches at once."""

    def title(url: str) -> str | Exception | None:
        try:
            found = _TITLE.search(fetch(url))
        except Exception as error:
            return error
        return found[1].strip() if found else None

    if not urls:
        return []
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(workers)
    calls = [loop.run_in_executor(pool, title, url) for url in urls]
    try:
        await asyncio.wait(calls)
    except asyncio.CancelledError:
        pool.shutdown(wait=False, cancel_futures=True)  # drops what has not begun
        await _outlast(calls)
        raise
    finally:
        pool.shutdown()  # no call is under way any more: this blocks nobody
    return [call.result() for call in calls]


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    """Run `job(progress)` in a thread, with every `report(fraction)` on the loop's thread."""
    loop = asyncio.get_running_loop()

    def progress(fraction: float) -> None:
        loop.call_soon(report, fraction)

    with ThreadPoolExecutor(max_workers=1) as pool:  # idle by the time it is left
        call = loop.run_in_executor(pool, job, progress)
        await _outlast([call])  # it ends through the same queue as the reports, so behind them
        return call.result()


async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    """Run `job(stop)` in a thread; at `timeout` or on a cancel set `stop` and see the job out."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        call = asyncio.get_running_loop().run_in_executor(pool, job, stop)
        try:
            await asyncio.wait([call], timeout=timeout)
        finally:
            in_time = call.done()
            if not in_time:
                stop.set()
            await _outlast([call])
        if not in_time:
            raise TimeoutError(f"The job was still at work after {timeout} s")
        return call.result()
