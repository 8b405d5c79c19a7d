"""An awaitable class that puts cancellations off, context managers, and a signal handler."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any


class Uninterrupted:
    """Awaiting it awaits something to its end, and only then raises what came in between."""

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, None, Any]:
        task = asyncio.ensure_future(self._awaitable)
        interrupted = None
        while not task.done():
            waiter = asyncio.get_running_loop().create_future()

            def wake(_: object, waiter: asyncio.Future[None] = waiter) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            task.add_done_callback(wake)
            try:
                yield from waiter
            except asyncio.CancelledError as error:
                interrupted = error
        if interrupted:
            _ = task.cancelled() or task.exception()
            raise interrupted
        return task.result()


async def cancel_and_wait(task: asyncio.Task[Any]) -> bool:
    task.cancel()
    try:
        await Uninterrupted(asyncio.wait([task]))
    finally:
        failed = not task.cancelled() and task.exception() is not None
    return task.cancelled() and not failed


@contextlib.asynccontextmanager
async def _held(
    acquire: Callable[[], Awaitable[Any]], release: Callable[[Any], Awaitable[None]]
) -> AsyncIterator[Any]:
    resource = await acquire()
    try:
        yield resource
    finally:
        await Uninterrupted(release(resource))


async def use(
    acquire: Callable[[], Awaitable[Any]],
    work: Callable[[Any], Awaitable[Any]],
    release: Callable[[Any], Awaitable[None]],
) -> Any:
    async with _held(acquire, release) as resource:
        return await work(resource)


async def shut_down() -> list[str]:
    others = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    for task in others:
        task.cancel()
    names = []
    try:
        if others:
            await Uninterrupted(asyncio.wait(others, timeout=30))
    finally:
        for task in others:
            if not task.done():
                task.cancel()
            elif task.cancelled():
                names.append(task.get_name())
            else:
                task.exception()
    return sorted(names)


@contextlib.contextmanager
def _on_interrupt(callback: Callable[[], object]) -> Generator[None, None, None]:
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(callback))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def run_until_interrupt(jobs: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    async def run(name: str, job: Callable[[], Awaitable[Any]], results: dict[str, Any]) -> None:
        results[name] = await job()

    async def main() -> dict[str, Any]:
        results: dict[str, Any] = {}
        try:
            with _on_interrupt(asyncio.current_task().cancel):
                async with asyncio.TaskGroup() as group:
                    for name, job in jobs.items():
                        group.create_task(run(name, job, results))
        except asyncio.CancelledError:  # nobody else can cancel this task
            pass
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return {name: results[name] for name in jobs if name in results}

    with asyncio.Runner() as runner:
        return runner.run(main())
