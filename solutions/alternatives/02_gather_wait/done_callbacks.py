"""Style: done-callbacks, a timer handle and one hand-made future, without gather or wait."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]


class _Watch:
    """Counts its tasks off as they end."""

    def __init__(self, visit: Visit, urls: list[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell: asyncio.Future[None] | None = None
        self.time_is_up = False
        self.ended: list[asyncio.Task[Any]] = []
        self.tasks = [self._loop.create_task(visit(url)) for url in urls]
        for task in self.tasks:
            task.add_done_callback(self._count_off)

    def _count_off(self, task: asyncio.Task[Any]) -> None:
        self.ended.append(task)
        self._ring()

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def ring_at(self, delay: float) -> asyncio.TimerHandle:
        def up() -> None:
            self.time_is_up = True
            self._ring()

        return self._loop.call_later(delay, up)

    def all_ended(self) -> bool:
        return len(self.ended) == len(self.tasks)

    def failure(self) -> BaseException | None:
        """Return the error of the first task that failed, if any did."""
        for task in self.ended:
            if not task.cancelled() and (error := task.exception()) is not None:
                return error
        return None

    async def until(self, enough: Callable[[], object]) -> None:
        """Wait until `enough` or until nobody is left; leave nobody behind if cancelled."""
        try:
            while not (enough() or self.all_ended()):
                self._bell = self._loop.create_future()
                await self._bell
        except asyncio.CancelledError:
            await self.dismiss()
            raise

    async def dismiss(self) -> None:
        """Cancel whoever is left, and hold on until the last one has ended."""
        for task in self.tasks:
            task.cancel()
        interrupted = False
        while not self.all_ended():
            self._bell = self._loop.create_future()
            try:
                await self._bell
            except asyncio.CancelledError:
                interrupted = True
        for task in self.tasks:
            if not task.cancelled():
                task.exception()
        if interrupted:
            raise asyncio.CancelledError


def _outcome(task: asyncio.Task[Any]) -> Any:
    error = task.exception()
    return task.result() if error is None else error


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    watch = _Watch(visit, urls)
    await watch.until(watch.failure)
    failure = watch.failure()
    await watch.dismiss()
    if failure is not None:
        raise failure
    return [task.result() for task in watch.tasks]


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    results = await visit_all(visit, [url for urls in groups.values() for url in urls])
    found: dict[str, list[Any]] = {}
    for name, urls in groups.items():
        found[name], results = results[: len(urls)], results[len(urls) :]
    return found


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    watch = _Watch(visit, urls)
    await watch.until(watch.all_ended)
    return [_outcome(task) for task in watch.tasks]


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    return await visit_all(visit, urls)


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    watch = _Watch(visit, urls)
    await watch.until(lambda: watch.ended)
    winner = watch.ended[0]
    await watch.dismiss()
    return winner.result()


async def split_at(
    visit: Visit, urls: list[str], deadline: float
) -> tuple[dict[str, Any], list[str]]:
    watch = _Watch(visit, urls)
    timer = watch.ring_at(deadline)
    try:
        await watch.until(lambda: watch.time_is_up)
    finally:
        timer.cancel()
    finished = {url for url, task in zip(urls, watch.tasks, strict=True) if task.done()}
    await watch.dismiss()
    outcomes = {
        url: _outcome(task) for url, task in zip(urls, watch.tasks, strict=True) if url in finished
    }
    return outcomes, [url for url in urls if url not in finished]
