"""You look again and again whether the visits have ended, so you go on only at the look that comes
after the end.

Hint: Wait for the tasks themselves: the loop wakes you the moment that they have ended, or that
one has failed. See https://docs.python.org/3/library/asyncio-task.html#asyncio.wait

Violates: timing
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    """Visit every url at the same time; a failure cancels the others and is raised."""
    tasks = [asyncio.create_task(visit(url)) for url in urls]
    try:
        while not all(task.done() for task in tasks) and not _failed(tasks):
            await asyncio.sleep(0.1)
    finally:
        await _put_away(tasks)
    for task in _failed(tasks):
        task.result()
    return [task.result() for task in tasks]


def _failed(tasks: Collection[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    return [task for task in ended if task.exception() is not None]


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Visit all groups at the same time, and deal the results out to their groups."""
    results = iter(await visit_all(visit, [url for urls in groups.values() for url in urls]))
    return {name: [next(results) for _ in urls] for name, urls in groups.items()}


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    """Visit every url at the same time; a failure takes its own place in the list."""
    return await asyncio.gather(*(visit(url) for url in urls), return_exceptions=True)


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    """Visit every url; at the first failure abandon the rest, then raise it."""
    tasks = [asyncio.create_task(visit(url)) for url in urls]
    try:
        for ended in asyncio.as_completed(tasks):
            await ended
    finally:
        await _put_away(tasks)
    return [task.result() for task in tasks]


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    """Return, or raise, what the first visit to finish brings."""
    tasks = [asyncio.create_task(visit(url)) for url in urls]
    try:
        return await next(asyncio.as_completed(tasks))
    finally:
        await _put_away(tasks)


async def split_at(
    visit: Visit, urls: list[str], deadline: float
) -> tuple[dict[str, Any], list[str]]:
    """Part the urls into those finished at the deadline and those not."""
    tasks = {url: asyncio.create_task(visit(url)) for url in urls}
    in_time: set[asyncio.Task[Any]] = set()
    try:
        if tasks:
            in_time, _ = await asyncio.wait(tasks.values(), timeout=deadline)
    finally:
        await _put_away(tasks.values())
    finished = {url: _outcome(task) for url, task in tasks.items() if task in in_time}
    return finished, [url for url in urls if url not in finished]


def _outcome(task: asyncio.Task[Any]) -> Any:
    """Return the result of a task that has ended, or the error with which it failed."""
    try:
        return task.result()
    except Exception as error:
        return error


async def _put_away(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel what still runs, once, and wait for its cleanup, even if cancelled meanwhile."""
    for task in tasks:
        task.cancel()
    interruption: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            interruption = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # retrieved, so that nobody complains about it later
    if interruption is not None:
        raise interruption
