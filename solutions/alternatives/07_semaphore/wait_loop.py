"""A loop around `asyncio.wait(…, FIRST_COMPLETED)`; seats with an `asyncio.Event` a waiter."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Self

import aiohttp

Job = Callable[[], Awaitable[Any]]


async def run_limited(jobs: list[Job], limit: int) -> list[Any]:
    async def settled(job: Job) -> Any:
        try:
            return await job()
        except Exception as error:
            return error

    return await _run([partial(settled, job) for job in jobs], limit)


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    async def fetch(session: aiohttp.ClientSession, url: str) -> str:
        async with session.get(url) as response:
            response.raise_for_status()
            return await response.text()

    async with aiohttp.ClientSession() as session:
        return await _run([partial(fetch, session, url) for url in urls], limit)


async def _run(jobs: list[Job], limit: int) -> list[Any]:
    """Run the jobs, at most `limit` at once; the first failure cancels the others."""
    tasks: list[asyncio.Future[Any]] = []
    running: set[asyncio.Future[Any]] = set()
    try:
        for job in jobs:
            if len(running) == limit:
                running = await _wait_for_one(running)
            tasks.append(asyncio.ensure_future(job()))
            running.add(tasks[-1])
        while running:
            running = await _wait_for_one(running)
    finally:
        try:
            await _cancel(task for task in tasks if not task.done())
        finally:
            for task in tasks:
                _ = task.cancelled() or task.exception()  # another failure has been seen to
    return [task.result() for task in tasks]


async def _wait_for_one(running: set[asyncio.Future[Any]]) -> set[asyncio.Future[Any]]:
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return pending


async def _cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel each task once and wait for all of them, whatever comes."""
    pending = set(tasks)
    for task in pending:
        task.cancel()
    interrupted = None
    while pending:
        try:
            _, pending = await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            interrupted = error
            pending = {task for task in pending if not task.done()}
    if interrupted:
        raise interrupted


class Seats:
    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a room needs at least one seat")
        self.free = count
        self._taken_by: list[asyncio.Task[Any] | None] = []
        self._line: OrderedDict[object, asyncio.Event] = OrderedDict()

    async def __aenter__(self) -> Self:
        if self.free:
            self.free -= 1
        else:
            ticket, called = object(), asyncio.Event()
            self._line[ticket] = called
            try:
                await called.wait()
            except asyncio.CancelledError:
                if called.is_set():  # the seat came together with the cancellation
                    self._pass_on()
                else:
                    del self._line[ticket]
                raise
        self._taken_by.append(asyncio.current_task())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if asyncio.current_task() in self._taken_by:
            self.leave()

    def leave(self) -> None:
        try:
            me = asyncio.current_task()
        except RuntimeError:
            me = None
        if me not in self._taken_by:
            raise ValueError("no seat to leave")
        self._taken_by.remove(me)
        self._pass_on()

    def _pass_on(self) -> None:
        """Give a seat straight to whoever waits longest; only without a line is it free."""
        if self._line:
            _, called = self._line.popitem(last=False)
            called.set()
        else:
            self.free += 1
