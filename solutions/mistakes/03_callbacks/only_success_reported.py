"""You report after the `await`, and an error or a cancellation never gets that far: only visits
that go well are reported.

Hint: Put the report where every end of the task passes: in a done-callback, or in `finally`.
See https://docs.python.org/3/library/asyncio-future.html#asyncio.Future.add_done_callback

Violates: result
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a task named after its url; the tasks are the caller's."""
    return {url: asyncio.create_task(visit(url), name=url) for url in urls}


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task that reports its own end, and pass on what it brings."""
    task = asyncio.create_task(visit(url))
    result = await task
    with suppress(Exception):
        report(url, "ok")
    return result


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    """Visit and report all urls at the same time; a failure takes its own place in the list."""
    visits = (visit_and_report(visit, url, report) for url in urls)
    return await asyncio.gather(*visits, return_exceptions=True)
