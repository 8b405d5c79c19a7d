"""Style: a small class with `__await__` around task and callback; the results come by queue."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    return {url: asyncio.Task(visit(url), name=url) for url in urls}


class _Reported:
    """One visit under way; awaiting it gives what the visit brings."""

    def __init__(self, visit: Visit, url: str, report: Report) -> None:
        self._url = url
        self._report = report
        self.task = asyncio.create_task(visit(url))
        self.task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[Any]) -> None:
        try:
            task.result()
        except asyncio.CancelledError:
            outcome = "cancelled"
        except BaseException:
            outcome = "error"
        else:
            outcome = "ok"
        self._report(self._url, outcome)

    def __await__(self) -> Generator[Any, None, Any]:
        return self.task.__await__()


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    return await _Reported(visit, url, report)


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    visits = [_Reported(visit, url, report) for url in urls]
    for under_way in visits:
        under_way.task.add_done_callback(ended.put_nowait)
    places = {under_way.task: place for place, under_way in enumerate(visits)}
    results: list[Any] = [None] * len(visits)
    cancelled: asyncio.CancelledError | None = None
    while places:
        try:
            task = await ended.get()
        except asyncio.CancelledError as error:
            cancelled = error
            for left in places:
                left.cancel()
            continue
        place = places.pop(task)
        if not task.cancelled():
            failure = task.exception()
            results[place] = task.result() if failure is None else failure
    if cancelled is not None:
        raise cancelled
    return results
