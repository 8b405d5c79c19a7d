"""A task for every page in a TaskGroup, a Semaphore to hold them back, to_thread for the rest."""

import asyncio
import contextlib
import html.parser
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Progress = Callable[[float], None]


class _FirstTitle(html.parser.HTMLParser):
    """Collects what stands between the first <title> and its end."""

    text: str | None = None
    _inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and self.text is None:
            self.text, self._inside = "", True

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.text = f"{self.text}{data}"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "title"


def _title(page: str) -> str | None:
    parser = _FirstTitle()
    parser.feed(page)
    parser.close()
    return None if parser.text is None else parser.text.strip()


async def _persist(task: asyncio.Future[Any]) -> Any:
    """The outcome of `task`, which is not left alone before it has ended."""
    cancels = 0
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancels += 1
    if cancels:
        task.exception()
        raise asyncio.CancelledError
    return task.result()


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    semaphore = asyncio.Semaphore(workers)
    loop = asyncio.get_running_loop()

    def attempt(url: str) -> str | Exception | None:
        try:
            return _title(fetch(url))
        except Exception as error:
            return error

    async def one(url: str) -> str | Exception | None:
        async with semaphore:
            return await _persist(loop.run_in_executor(pool, attempt, url))

    with ThreadPoolExecutor(workers) as pool:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(url)) for url in urls]
        return [task.result() for task in tasks]


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    loop = asyncio.get_running_loop()

    def progress(fraction: float) -> None:
        loop.call_soon_threadsafe(report, fraction)

    return await _persist(asyncio.create_task(asyncio.to_thread(job, progress)))


async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    stop = threading.Event()
    task = asyncio.create_task(asyncio.to_thread(job, stop))
    try:
        _, at_work = await asyncio.wait([task], timeout=timeout)
    except asyncio.CancelledError:
        stop.set()
        with contextlib.suppress(BaseException):
            await _persist(task)
        raise
    if at_work:
        stop.set()
        with contextlib.suppress(Exception):
            await _persist(task)
        raise TimeoutError("the job was told to stop")
    return task.result()
