"""A Runner for each function; LoopThread is itself a Thread, whose run() drives the loop."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]


async def _cancel_and_settle(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        with contextlib.suppress(Exception, asyncio.CancelledError):
            task.result()


async def _first_failure_or_all(jobs: list[Job]) -> list[Any]:
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    tasks = [asyncio.create_task(job()) for job in jobs]
    for task in tasks:
        task.add_done_callback(ended.put_nowait)
    for _ in tasks:
        first = await ended.get()  # in the order in which they end
        if first.cancelled() or first.exception():
            await _cancel_and_settle(set(tasks) - {first})
            first.result()  # raises
    return [task.result() for task in tasks]


def run_all(jobs: list[Job]) -> list[Any]:
    with asyncio.Runner() as runner:
        return runner.run(_first_failure_or_all(jobs))


async def _guard(name: str, job: Job, returned: list[str]) -> None:
    with contextlib.suppress(Exception):
        await job()
        returned.append(name)


async def _names(seconds: float, jobs: dict[str, Job]) -> list[str]:
    returned: list[str] = []
    tasks = {asyncio.create_task(_guard(name, job, returned)) for name, job in jobs.items()}
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    in_time = sorted(returned)  # before a cancelled job can still return something
    await _cancel_and_settle(tasks)
    return in_time


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    with asyncio.Runner() as runner:
        return runner.run(_names(seconds, jobs))


class LoopThread(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="LoopThread", daemon=True)
        self._gate = threading.Lock()
        self._accepting = False
        self._loop: asyncio.AbstractEventLoop  # set by run()
        self._up = threading.Event()

    def start(self) -> None:
        with self._gate:
            super().start()  # a Thread starts once: a second time raises RuntimeError
            self._up.wait()
            self._accepting = True

    def run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._up.set()
            self._loop.run_forever()
            runner.run(_cancel_and_settle(asyncio.all_tasks(self._loop)))

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        with self._gate:
            if not self._accepting:
                coro.close()
                raise RuntimeError("the loop takes no coroutines now")
            return asyncio.run_coroutine_threadsafe(coro, self._loop)

    def stop(self) -> None:
        with self._gate:
            if self._accepting:
                self._accepting = False
                self._loop.call_soon_threadsafe(self._loop.stop)
        if self.ident is not None:  # it has been started
            self.join()
