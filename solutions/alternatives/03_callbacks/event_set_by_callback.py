"""Style: done-callbacks that count down and set an `asyncio.Event`; nothing awaits a task."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    loop = asyncio.get_running_loop()
    return dict(zip(urls, (loop.create_task(visit(url), name=url) for url in urls), strict=True))


class _Reporter:
    """Starts visits, reports each as it ends, and knows when the last one has ended."""

    def __init__(self, visit: Visit, urls: list[str], report: Report) -> None:
        self._report = report
        self._left = len(urls)
        self._all_ended = asyncio.Event()
        self.tasks = [self._start(visit, url) for url in urls]

    def _start(self, visit: Visit, url: str) -> asyncio.Task[Any]:
        def ended(task: asyncio.Task[Any]) -> None:
            self._left -= 1
            if self._left == 0:
                self._all_ended.set()
            failed = not task.cancelled() and task.exception() is not None
            with suppress(Exception):
                self._report(url, "cancelled" if task.cancelled() else "error" if failed else "ok")

        task = asyncio.get_running_loop().create_task(visit(url))
        task.add_done_callback(ended)
        return task

    async def finished(self) -> None:
        """Wait for the last one; if cancelled, cancel all of them and wait all the same."""
        if not self.tasks:
            return
        try:
            await self._all_ended.wait()
        except asyncio.CancelledError:
            for task in self.tasks:
                task.cancel()
            await self._all_ended.wait()
            raise


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    reporter = _Reporter(visit, [url], report)
    await reporter.finished()
    return reporter.tasks[0].result()


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    reporter = _Reporter(visit, urls, report)
    await reporter.finished()
    errors = [task.exception() for task in reporter.tasks]
    return [
        task.result() if error is None else error
        for task, error in zip(reporter.tasks, errors, strict=True)
    ]
