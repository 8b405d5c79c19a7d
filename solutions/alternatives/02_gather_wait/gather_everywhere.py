"""Style: `asyncio.gather` for everything, with a shielded gather to wait for the cleanup."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Tasks = list[asyncio.Task[Any]]


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    return await _all_or_nothing(_start(visit, urls))


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    results = await _all_or_nothing(
        [asyncio.create_task(visit_all(visit, urls)) for urls in groups.values()]
    )
    return dict(zip(groups, results, strict=True))


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    return await asyncio.gather(*map(visit, urls), return_exceptions=True)


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    return await _all_or_nothing(_start(visit, urls))


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    tasks = _start(visit, urls)
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _wind_up(tasks)
    return next(task for task in tasks if task in done).result()


async def split_at(
    visit: Visit, urls: list[str], deadline: float
) -> tuple[dict[str, Any], list[str]]:
    tasks = _start(visit, urls)
    everything = asyncio.gather(*tasks, return_exceptions=True)
    late = set(urls)
    try:
        async with asyncio.timeout(deadline):
            await asyncio.shield(everything)
    except TimeoutError:
        pass
    finally:
        late = {url for url, task in zip(urls, tasks, strict=True) if not task.done()}
        await _wind_up(tasks)
    outcomes = dict(zip(urls, await everything, strict=True))
    return (
        {url: outcome for url, outcome in outcomes.items() if url not in late},
        [url for url in urls if url in late],
    )


def _start(visit: Visit, urls: list[str]) -> Tasks:
    return [asyncio.create_task(visit(url)) for url in urls]


async def _all_or_nothing(tasks: Tasks) -> list[Any]:
    everything = asyncio.gather(*tasks)
    everything.add_done_callback(asyncio.Future.exception)  # retrieved, if we are cancelled too
    try:
        await asyncio.wait([everything])  # a cancel of ours must not reach it, so no plain await
    finally:
        await _wind_up(tasks)
    return everything.result()


async def _wind_up(tasks: Tasks) -> None:
    """Cancel whoever still runs, and see all of them off."""
    for task in tasks:
        task.cancel()
    the_end = asyncio.gather(*tasks, return_exceptions=True)
    interrupted = False
    while not the_end.done():
        try:
            await asyncio.shield(the_end)
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        raise asyncio.CancelledError
