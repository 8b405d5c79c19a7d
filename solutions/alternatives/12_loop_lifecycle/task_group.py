"""asyncio.run around a TaskGroup and a timeout; the thread's main coroutine waits for an Event."""

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]


async def _all(jobs: list[Job]) -> list[Any]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job()) for job in jobs]
    return [task.result() for task in tasks]


def run_all(jobs: list[Job]) -> list[Any]:
    return asyncio.run(_all(jobs))


async def _within(seconds: float, jobs: dict[str, Job]) -> list[str]:
    returned: list[str] = []

    async def watch(name: str, job: Job) -> None:
        try:
            await job()
        except Exception:
            return
        if not deadline.expired():
            returned.append(name)

    try:
        async with asyncio.timeout(seconds if jobs else None) as deadline:
            async with asyncio.TaskGroup() as group:
                for name, job in jobs.items():
                    group.create_task(watch(name, job))
    except TimeoutError:
        pass
    return sorted(returned)


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    return asyncio.run(_within(seconds, jobs))


class LoopThread:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = self._stopped = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leave = asyncio.Event()
        self._ready.put(None)
        await self._leave.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)  # then asyncio.run closes all

    def start(self) -> None:
        with self._lock:
            if self._started:
                raise RuntimeError("this loop was started before")
            self._started = True
            self._thread.start()
            self._ready.get()

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        with self._lock:
            if not self._started or self._stopped:
                coro.close()
                raise RuntimeError("this loop is not running")
            return asyncio.run_coroutine_threadsafe(coro, self._loop)

    def stop(self) -> None:
        with self._lock:
            if not self._started:
                return
            if not self._stopped:
                self._stopped = True
                self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()
