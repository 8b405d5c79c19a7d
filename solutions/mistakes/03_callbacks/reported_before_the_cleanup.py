"""Cancelled, you report the visit as cancelled before it has ended: it may still be cleaning up.

Hint: To cancel a task is to ask it to end. Report from a callback of the task, which is called
when it has: https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.add_done_callback

Violates: cancellation
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a task named after its url; the tasks are the caller's."""
    return {url: asyncio.create_task(visit(url), name=url) for url in urls}


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task, report how it ended, and pass on what it brings."""
    task = asyncio.create_task(visit(url))
    try:
        result = await asyncio.shield(task)
    except asyncio.CancelledError:
        _tell(report, url, "cancelled")
        task.cancel()
        await asyncio.wait([task])
        raise
    except Exception:
        _tell(report, url, "error")
        raise
    _tell(report, url, "ok")
    return result


def _tell(report: Report, url: str, outcome: str) -> None:
    with contextlib.suppress(Exception):
        report(url, outcome)


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    """Visit and report all urls at the same time; a failure takes its own place in the list."""
    visits = (visit_and_report(visit, url, report) for url in urls)
    return await asyncio.gather(*visits, return_exceptions=True)
