"""Every step by hand: new_event_loop, run_until_complete, cancel, shut down, close."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on the loop, wait for it, and close everything."""
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.add_done_callback(_look)  # its cleanup may fail
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _look(task: asyncio.Task[Any]) -> None:
    """Look at a task's error, so that nobody complains that it was never retrieved."""
    if not task.cancelled():
        task.exception()


def run_all(jobs: list[Job]) -> list[Any]:
    loop = asyncio.new_event_loop()
    try:
        if not jobs:
            return []
        return loop.run_until_complete(asyncio.gather(*[loop.create_task(job()) for job in jobs]))
    finally:
        _finish(loop)


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    loop = asyncio.new_event_loop()
    try:
        if not jobs:
            return []
        tasks = {name: loop.create_task(job()) for name, job in jobs.items()}
        for task in tasks.values():
            task.add_done_callback(_look)
        done, _ = loop.run_until_complete(asyncio.wait(tasks.values(), timeout=seconds))
        returned = {task for task in done if not task.cancelled() and task.exception() is None}
        return sorted(name for name, task in tasks.items() if task in returned)
    finally:
        _finish(loop)


class LoopThread:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = False

    def start(self) -> None:
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("already started")
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run)
            self._thread.start()
            self._open = True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            _finish(self._loop)
            asyncio.set_event_loop(None)

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        with self._lock:
            if self._open:
                return asyncio.run_coroutine_threadsafe(coro, self._loop)
        coro.close()
        raise RuntimeError("not running")

    def stop(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()
