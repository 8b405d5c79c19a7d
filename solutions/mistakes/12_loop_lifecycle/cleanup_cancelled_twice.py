"""When the time is up your run_for cancels the jobs, but does not wait for all of them (a cancelled
gather waits for the first only); the end of asyncio.run then cancels the others a second time, in
the middle of their cleanup.

Hint: Cancel each task once, then wait for all, with `wait` or with `return_exceptions=True`:
https://docs.python.org/3/library/asyncio-task.html#asyncio.gather

Violates: cancellation
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Collection, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]


async def _end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel each task once, and wait until all of them have cleaned up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_all(jobs: list[Job]) -> list[Any]:
    """Run every `job()` at the same time on a new loop; results in order."""

    async def main() -> list[Any]:
        tasks = [asyncio.create_task(job()) for job in jobs]
        try:
            return await asyncio.gather(*tasks)
        except Exception:
            await _end(tasks)
            raise

    return asyncio.run(main())


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    """Run the jobs for at most `seconds`; the sorted names of those that returned in time."""

    async def main() -> list[str]:
        returned: list[str] = []

        async def note(name: str, job: Job) -> None:
            try:
                await job()
            except Exception:
                return
            if not deadline.expired():
                returned.append(name)

        try:
            async with asyncio.timeout(seconds if jobs else None) as deadline:
                await asyncio.gather(*[note(name, job) for name, job in jobs.items()])
        except TimeoutError:
            pass
        return sorted(returned)

    return asyncio.run(main())


class LoopThread:
    """A loop that runs for ever in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # no submit may slip in between the two halves of a stop
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # None while nothing can be submitted

    def start(self) -> None:
        """Run the loop in a new thread."""
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("This loop thread was started before; make a new one")
            # With a factory, Runner does not make its loop the current one of this thread.
            runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
            self._loop = runner.get_loop()
            # A daemon: a forgotten stop() must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, args=(runner,), daemon=True)
            self._thread.start()

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        """Run `coro` as a task of the loop."""
        with self._lock:
            if self._loop is None:
                coro.close()
                raise RuntimeError("The loop is not running; call start() first, and once")
            return asyncio.run_coroutine_threadsafe(coro, self._loop)

    def stop(self) -> None:
        """End the tasks, the loop and its thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is not None:
                loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join()

    @staticmethod
    def _run(runner: asyncio.Runner) -> None:
        with runner:  # which at its end closes async generators and the loop
            loop = runner.get_loop()
            loop.run_forever()
            runner.run(_end(asyncio.all_tasks(loop)))
