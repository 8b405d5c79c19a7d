"""concurrent.futures with done-callbacks that count down to a future of the loop."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

Progress = Callable[[float], None]

_START = re.compile(r"<title(\s[^>]*)?>", re.IGNORECASE)
_END = re.compile(r"</title\s*>", re.IGNORECASE)


def _title(html: str) -> str | None:
    _, *parts = _START.split(html, maxsplit=1)
    if not parts or not _END.search(parts[-1]):
        return None
    return _END.split(parts[-1], maxsplit=1)[0].strip()


class _AllEnded:
    """Awaitable: over when every call has ended. A cancel is kept until then, and told at once."""

    def __init__(self, calls: Iterable[Future[Any]], on_cancel: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_cancel = on_cancel
        self._waiter: asyncio.Future[None] | None = None
        calls = list(calls)
        self._open = len(calls)
        for call in calls:
            call.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._count_down))

    def _count_down(self) -> None:
        self._open -= 1
        if not self._open and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __await__(self) -> Any:
        cancel: asyncio.CancelledError | None = None
        while self._open:
            self._waiter = self._loop.create_future()
            try:
                yield from self._waiter
            except asyncio.CancelledError as error:
                self._on_cancel()
                cancel = error
        if cancel is not None:
            raise cancel


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    def outcome(call: Future[str]) -> str | Exception | None:
        try:
            return _title(call.result())
        except Exception as error:
            return error

    def drop_the_rest() -> None:
        for call in calls:
            call.cancel()  # which spares those that have begun

    pool = ThreadPoolExecutor(workers)
    calls = [pool.submit(fetch, url) for url in urls]
    try:
        await _AllEnded(calls, drop_the_rest)
    finally:
        pool.shutdown()
    return [outcome(call) for call in calls]


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    loop = asyncio.get_running_loop()

    def progress(fraction: float) -> None:
        loop.call_soon_threadsafe(report, fraction)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(job, progress)
        await _AllEnded([call], lambda: None)
        return call.result()


async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    stop = threading.Event()
    late = False

    def expire() -> None:
        nonlocal late
        if not call.done():
            late = True
            stop.set()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(job, stop)
        timer = asyncio.get_running_loop().call_later(timeout, expire)
        try:
            await _AllEnded([call], stop.set)
        finally:
            timer.cancel()
        if late:
            raise TimeoutError
        return call.result()
