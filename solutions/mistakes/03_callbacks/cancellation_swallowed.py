"""You catch the CancelledError to report it and do not raise it again, so whoever cancelled you
gets an ordinary return instead.

Hint: Clean up and report on the way, then let the error go on: a bare `raise` at the end. See
https://docs.python.org/3/library/asyncio-task.html#task-cancellation

Violates: cancellation
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a task named after its url; the tasks are the caller's."""
    return {url: asyncio.create_task(visit(url), name=url) for url in urls}


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task that reports its own end, and pass on what it brings."""
    task = asyncio.create_task(visit(url))
    # Callbacks run in the order in which they were added: this one before the `await` wakes up.
    # What `report` raises ends up in the loop's exception handler.
    task.add_done_callback(partial(_report_end, report, url))
    try:
        return await task
    except asyncio.CancelledError:
        return None


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
