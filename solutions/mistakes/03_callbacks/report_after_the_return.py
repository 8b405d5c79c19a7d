"""You pass the report to `call_soon` when the visit is over, so `visit_and_report` returns
before its report has been made.

Hint: `call_soon` means the next turn of the loop. A done-callback that you add before you await
runs before the `await` wakes up. See
https://docs.python.org/3/library/asyncio-future.html#asyncio.Future.add_done_callback

Violates: ordering
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a task named after its url; the tasks are the caller's."""
    return {url: asyncio.create_task(visit(url), name=url) for url in urls}


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task that reports its own end, and pass on what it brings."""
    task = asyncio.create_task(visit(url))
    try:
        return await task
    finally:
        asyncio.get_running_loop().call_soon(_report_end, report, url, task)


def _report_end(report: Report, url: str, task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        report(url, "cancelled")
    elif task.exception() is not None:
        report(url, "error")
    else:
        report(url, "ok")


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    """Visit and report all urls at the same time; a failure takes its own place in the list."""
    visits = (visit_and_report(visit, url, report) for url in urls)
    return await asyncio.gather(*visits, return_exceptions=True)
