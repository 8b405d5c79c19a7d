"""Your `launch` makes the tasks without naming them, so they are called Task-1, Task-2 and so
on, and nobody can tell them apart.

Hint: `create_task` takes a `name`, and `set_name` gives one later. See
https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task

Violates: result
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a task named after its url; the tasks are the caller's."""
    return {url: asyncio.create_task(visit(url)) for url in urls}


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task that reports its own end, and pass on what it brings."""
    task = asyncio.create_task(visit(url))
    # Callbacks run in the order in which they were added: this one before the `await` wakes up.
    # What `report` raises ends up in the loop's exception handler.
    task.add_done_callback(partial(_report_end, report, url))
    return await task


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
