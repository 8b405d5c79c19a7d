"""Style: every task drops itself into a queue when it ends; the coordinator reads the queue."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]


class _Crowd:
    """Tasks in the order of their urls, and a queue of those that have ended."""

    def __init__(self, visit: Visit, urls: Iterable[str]) -> None:
        self.ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
        self.tasks = [asyncio.create_task(visit(url)) for url in urls]
        for task in self.tasks:
            task.add_done_callback(self.ended.put_nowait)

    async def __aenter__(self) -> "_Crowd":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the rest and wait for it, whatever else happens."""
        for task in self.tasks:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while not all(task.done() for task in self.tasks):
            try:
                await self.ended.get()
            except asyncio.CancelledError as error:
                cancelled = error
        for task in self.tasks:
            _outcome(task)
        if cancelled is not None:
            raise cancelled


def _outcome(task: asyncio.Task[Any]) -> Any:
    if task.cancelled():
        return None
    error = task.exception()
    return task.result() if error is None else error


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    async with _Crowd(visit, urls) as crowd:
        for _ in urls:
            ended = await crowd.ended.get()
            ended.result()
    return [task.result() for task in crowd.tasks]


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    names = list(groups)
    found = await visit_all(lambda name: visit_all(visit, groups[name]), names)
    return dict(zip(names, found, strict=True))


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    async with _Crowd(visit, urls) as crowd:
        for _ in urls:
            await crowd.ended.get()
    return [_outcome(task) for task in crowd.tasks]


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    return await visit_all(visit, urls)


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    async with _Crowd(visit, urls) as crowd:
        winner = await crowd.ended.get()
    return winner.result()


async def split_at(
    visit: Visit, urls: list[str], deadline: float
) -> tuple[dict[str, Any], list[str]]:
    finished: list[str] = []
    async with _Crowd(visit, urls) as crowd:
        try:
            async with asyncio.timeout(deadline):
                for _ in urls:
                    await crowd.ended.get()
        except TimeoutError:
            pass
        finished = [url for url, task in zip(urls, crowd.tasks, strict=True) if task.done()]
    outcomes = dict(zip(urls, map(_outcome, crowd.tasks), strict=True))
    return (
        {url: outcomes[url] for url in finished},
        [url for url in urls if url not in finished],
    )
