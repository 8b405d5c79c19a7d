"""Style: `asyncio.wait` for the task, then report from the waiting coroutine; TaskGroup for all."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    tasks = [asyncio.create_task(visit(url), name=url) for url in urls]
    return {task.get_name(): task for task in tasks}


def _outcome(task: asyncio.Task[Any]) -> str:
    if task.cancelled():
        return "cancelled"
    return "ok" if task.exception() is None else "error"


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    task = asyncio.create_task(visit(url))
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    finally:
        try:
            report(url, _outcome(task))
        except Exception:
            logging.getLogger(__name__).debug("The report of %s failed", url, exc_info=True)
    return task.result()


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    async def settled(url: str) -> Any:
        try:
            return await visit_and_report(visit, url, report)
        except Exception as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(settled(url)) for url in urls]
    return [task.result() for task in tasks]
