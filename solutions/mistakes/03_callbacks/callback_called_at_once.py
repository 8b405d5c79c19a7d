"""You call the callback where you mean to hand it over, so the report is made before the visit
has even begun.

Hint: `add_done_callback(f(x))` runs `f` now. Pass something that can be called later, such as
`functools.partial(f, x)`. See
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
    task.add_done_callback(report(url, "ok"))
    return await task


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    """Visit and report all urls at the same time; a failure takes its own place in the list."""
    visits = (visit_and_report(visit, url, report) for url in urls)
    return await asyncio.gather(*visits, return_exceptions=True)
