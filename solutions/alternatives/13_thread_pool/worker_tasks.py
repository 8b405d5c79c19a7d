"""As many worker tasks as threads, fed from a deque; progress goes through an asyncio.Queue."""

import asyncio
import re
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Progress = Callable[[float], None]


def _title(html: str) -> str | None:
    start = re.search(r"""<title(\s("[^"]*"|'[^']*'|[^>"'])*)?>""", html, re.IGNORECASE)
    if not start:
        return None
    end = re.compile(r"</title\s*>", re.IGNORECASE).search(html, start.end())
    return html[start.end() : end.start()].strip() if end else None


async def _see_out(waiting: Any, on_cancel: Callable[[], object]) -> None:
    """Wait for all of `waiting`; the first cancel calls `on_cancel` and comes out at the end."""
    waiting = set(waiting)
    cancel = None
    while waiting:
        try:
            _, waiting = await asyncio.wait(waiting)
        except asyncio.CancelledError as error:
            if cancel is None:
                cancel = error
                on_cancel()
    if cancel is not None:
        raise cancel


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    loop = asyncio.get_running_loop()
    results: list[str | Exception | None] = [None] * len(urls)
    todo = deque(enumerate(urls))

    def attempt(url: str) -> str | Exception | None:
        try:
            return _title(fetch(url))
        except Exception as error:
            return error

    async def work() -> None:
        while todo:
            place, url = todo.popleft()
            results[place] = await loop.run_in_executor(pool, attempt, url)

    pool = ThreadPoolExecutor(workers)
    try:
        tasks = [asyncio.create_task(work()) for _ in range(min(workers, len(urls)))]
        await _see_out(tasks, todo.clear)  # nothing left to do: the workers end by themselves
        return results
    finally:
        pool.shutdown()


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    loop = asyncio.get_running_loop()
    fractions: asyncio.Queue[tuple[float] | None] = asyncio.Queue()

    def progress(fraction: float) -> None:
        loop.call_soon_threadsafe(fractions.put_nowait, (fraction,))

    def run() -> Any:
        try:
            return job(progress)
        finally:
            loop.call_soon_threadsafe(fractions.put_nowait, None)

    async def pass_on() -> None:
        while item := await fractions.get():
            report(*item)

    with ThreadPoolExecutor(1) as pool:
        done = loop.run_in_executor(pool, run)
        try:
            await _see_out([done, asyncio.create_task(pass_on())], lambda: None)
        except asyncio.CancelledError:
            done.exception()
            raise
        return done.result()


async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    late = False

    def expire() -> None:
        nonlocal late
        if not done.done():
            late = True
            stop.set()

    with ThreadPoolExecutor(1) as pool:
        done = loop.run_in_executor(pool, job, stop)
        timer = loop.call_later(timeout, expire)
        try:
            await _see_out([done], stop.set)
            if late:
                raise TimeoutError(timeout)
        except (asyncio.CancelledError, TimeoutError):
            done.exception()
            raise
        finally:
            timer.cancel()
        return done.result()
