"""run_forever, with done-callbacks and call_later that stop the loop at the right moment."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]


async def _end_others() -> None:
    """Cancel every other task of the running loop and wait until all have ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(_end_others())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None


def _run_until(
    loop: asyncio.AbstractEventLoop,
    tasks: Iterable[asyncio.Task[Any]],
    enough: Callable[[asyncio.Task[Any]], bool],
) -> None:
    """Run the loop for ever, until `enough` says of a task that has just ended: stop.

    `enough` hears of every task, also of those that end after the stop.
    """
    running = True

    def ended(task: asyncio.Task[Any]) -> None:
        if enough(task) and running:
            loop.stop()

    for task in tasks:
        task.add_done_callback(ended)
    loop.run_forever()
    running = False  # ended() is still called when the rest is cancelled


def run_all(jobs: list[Job]) -> list[Any]:
    loop = asyncio.new_event_loop()
    failures: list[asyncio.Task[Any]] = []

    def enough(task: asyncio.Task[Any]) -> bool:
        if _failed(task):
            failures.append(task)
        return bool(failures) or all(task.done() for task in tasks)

    try:
        tasks = [loop.create_task(job()) for job in jobs]
        if tasks:
            _run_until(loop, tasks, enough)
        return [task.result() for task in (failures or tasks)]
    finally:
        _close(loop)


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    loop = asyncio.new_event_loop()
    returned: list[str] = []

    def enough(task: asyncio.Task[Any]) -> bool:
        if not _failed(task):
            returned.append(tasks[task])
        return all(task.done() for task in tasks)

    try:
        tasks = {loop.create_task(job()): name for name, job in jobs.items()}
        if tasks:
            deadline = loop.call_later(seconds, loop.stop)
            _run_until(loop, tasks, enough)
            deadline.cancel()  # or it would stop the cleanup
        return sorted(returned)
    finally:
        _close(loop)


class LoopThread:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._stopping = False

    def start(self) -> None:
        with self._lock:
            if self._loop is not None:
                raise RuntimeError("start() works once")
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._live, args=(self._loop,))
            self._thread.start()

    @staticmethod
    def _live(loop: asyncio.AbstractEventLoop) -> None:
        loop.run_forever()
        _close(loop)

    async def _die(self) -> None:
        await _end_others()
        asyncio.get_running_loop().stop()

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        with self._lock:
            if self._loop is None or self._stopping:
                coro.close()
                raise RuntimeError("submit() works between start() and stop()")
            return asyncio.run_coroutine_threadsafe(coro, self._loop)

    def stop(self) -> None:
        with self._lock:
            if self._thread is None:
                return
            if not self._stopping:
                self.submit(self._die())
                self._stopping = True
        self._thread.join()
