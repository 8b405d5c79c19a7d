"""Threads made by hand, without a pool: each settles a future of the loop as its last act."""

import asyncio
import re
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

Progress = Callable[[float], None]
Outcome = tuple[Any, BaseException | None]


def _in_thread(function: Callable[..., Any], *args: Any) -> asyncio.Future[Outcome]:
    """Call `function(*args)` in a new thread; the future gets (result, error) and never fails."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Outcome] = loop.create_future()

    def run() -> None:
        try:
            outcome: Outcome = function(*args), None
        except BaseException as error:
            outcome = None, error
        loop.call_soon_threadsafe(leave, outcome)

    def leave(outcome: Outcome) -> None:
        thread.join()  # it has nothing left to do
        ended.set_result(outcome)

    thread = threading.Thread(target=run)
    thread.start()
    return ended


async def _wait_for_end(*ended: asyncio.Future[Outcome], cancelled: Callable[[], object]) -> None:
    """Wait for all; every cancel calls `cancelled` and is raised when all have ended."""
    swallowed = False
    for future in ended:
        while not future.done():
            try:
                await asyncio.shield(future)
            except asyncio.CancelledError:
                swallowed = True
                cancelled()
    if swallowed:
        raise asyncio.CancelledError


def _value(outcome: Outcome) -> Any:
    result, error = outcome
    if error is not None:
        raise error
    return result


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    results: list[Any] = [None] * len(urls)
    lock = threading.Lock()
    todo = iter(enumerate(urls))
    stopped = False

    def work() -> None:
        while True:
            with lock:
                place, url = next(todo, (None, "")) if not stopped else (None, "")
            if place is None:
                return
            try:
                html = fetch(url)
                title = re.search(r"<title(?:\s[^>]*)?>([\s\S]*?)</title\s*>", html, re.IGNORECASE)
                results[place] = title.group(1).strip() if title else None
            except Exception as error:
                results[place] = error

    def drop_the_rest() -> None:
        nonlocal stopped
        with lock:
            stopped = True

    crew = [_in_thread(work) for _ in islice(urls, workers)]
    await _wait_for_end(*crew, cancelled=drop_the_rest)
    return results


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    loop = asyncio.get_running_loop()

    def progress(fraction: float) -> None:
        loop.call_soon_threadsafe(report, fraction)

    ended = _in_thread(job, progress)
    await _wait_for_end(ended, cancelled=lambda: None)
    return _value(ended.result())


async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    stop = threading.Event()
    ended = _in_thread(job, stop)
    try:
        async with asyncio.timeout(timeout):
            await asyncio.shield(ended)
    except (TimeoutError, asyncio.CancelledError):
        stop.set()
        await _wait_for_end(ended, cancelled=lambda: None)
        raise
    return _value(ended.result())
