"""Each task's done-callback starts the next job; seats are futures handed from one to the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self

import aiohttp

Job = Callable[[], Awaitable[Any]]


class _Run:
    """Runs jobs, at most `limit` at once, without a task that looks after them."""

    def __init__(self, jobs: list[Job], limit: int, stop_on_failure: bool) -> None:
        self._todo = deque(enumerate(jobs))
        self._limit = limit
        self._stop_on_failure = stop_on_failure
        self._outcomes: list[Any] = [None] * len(jobs)
        self._running: set[asyncio.Task[Any]] = set()
        self._idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: BaseException | None = None

    async def outcomes(self) -> list[Any]:
        self._refill()
        interrupted = None
        while self._todo or self._running:
            self._idle = asyncio.get_running_loop().create_future()
            try:
                await self._idle
            except asyncio.CancelledError as error:
                interrupted = error
                self._stop()
        if interrupted or self._failure:
            raise interrupted or self._failure
        return self._outcomes

    def _refill(self) -> None:
        while self._todo and len(self._running) < self._limit:
            position, job = self._todo.popleft()
            task = asyncio.ensure_future(_call(job))
            self._running.add(task)
            task.add_done_callback(partial(self._ended, position))

    def _ended(self, position: int, task: asyncio.Task[Any]) -> None:
        self._running.remove(task)
        if not task.cancelled():
            error = task.exception()
            self._outcomes[position] = error or task.result()
            if error and self._stop_on_failure and not self._failure:
                self._failure = error
                self._stop()
        self._refill()
        if not self._running and not self._idle.done():
            self._idle.set_result(None)

    def _stop(self) -> None:
        self._todo.clear()
        for task in self._running:
            if not task.cancelling():
                task.cancel()


async def _call(job: Job) -> Any:
    return await job()


async def run_limited(jobs: list[Job], limit: int) -> list[Any]:
    return await _Run(jobs, limit, stop_on_failure=False).outcomes()


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    async def fetch(session: aiohttp.ClientSession, url: str) -> str:
        response = await session.get(url)
        try:
            response.raise_for_status()
            return await response.text()
        finally:
            response.release()

    async with aiohttp.ClientSession() as session:
        jobs = [partial(fetch, session, url) for url in urls]
        return await _Run(jobs, limit, stop_on_failure=True).outcomes()


class Seats:
    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a room needs at least one seat")
        self._free = count
        self._taken_by: list[asyncio.Task[Any] | None] = []
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        return self._free

    async def __aenter__(self) -> Self:
        if self._free:
            self._free -= 1
        else:
            turn = asyncio.get_running_loop().create_future()
            self._line.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # the seat came together with the cancellation
                    self._hand_on()
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
        self._hand_on()

    def _hand_on(self) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():  # those that were cancelled have left the line
                turn.set_result(None)
                return
        self._free += 1
