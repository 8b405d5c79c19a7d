"""Style: no callback at all; the task runs a wrapper that reports in its `finally`."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    loop = asyncio.get_running_loop()
    tasks = {}
    for url in urls:
        tasks[url] = loop.create_task(visit(url))
        tasks[url].set_name(url)
    return tasks


async def _observed(visit: Visit, url: str, report: Report) -> Any:
    outcome = "error"
    try:
        result = await visit(url)
        outcome = "ok"
        return result
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    finally:
        with contextlib.suppress(Exception):
            report(url, outcome)


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    return await asyncio.create_task(_observed(visit, url, report))


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    tasks = [asyncio.create_task(_observed(visit, url, report)) for url in urls]
    return await asyncio.gather(*tasks, return_exceptions=True)
