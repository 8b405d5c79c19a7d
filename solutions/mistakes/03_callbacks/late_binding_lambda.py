"""Your `report_each` makes its callbacks in a loop, and each of them looks up `url` only when
it runs: by then the name stands for the last url, and that is what all of them report.

Hint: A lambda remembers the variable, not its value. `functools.partial` takes the value when
you make it. See https://docs.python.org/3/library/functools.html#functools.partial

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
    return {url: asyncio.create_task(visit(url), name=url) for url in urls}


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
    tasks = []
    for url in urls:
        task = asyncio.create_task(visit(url))
        task.add_done_callback(lambda task: _report_end(report, url, task))
        tasks.append(task)
    return await asyncio.gather(*tasks, return_exceptions=True)
