"""Done-callbacks that set an event; Ctrl-C through `loop.add_signal_handler`, loop made by hand."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any


async def _all_ended(tasks: Collection[asyncio.Future[Any]], patience: float | None = None) -> None:
    """Return when all have ended, or after `patience` seconds; put a cancellation off till then."""
    enough = asyncio.Event()
    waiting = set(tasks)

    def ended(task: asyncio.Future[Any]) -> None:
        waiting.discard(task)
        if not task.cancelled():
            task.exception()
        if not waiting:
            enough.set()

    for task in tasks:
        task.add_done_callback(ended)
    timer = None
    if not tasks:
        enough.set()
    elif patience is not None:
        timer = asyncio.get_running_loop().call_later(patience, enough.set)
    interrupted = None
    while not enough.is_set():
        try:
            await enough.wait()
        except asyncio.CancelledError as error:
            interrupted = error
    if timer:
        timer.cancel()
    if interrupted:
        raise interrupted


async def cancel_and_wait(task: asyncio.Task[Any]) -> bool:
    task.cancel()
    await _all_ended([task])
    return task.cancelled()


async def use(
    acquire: Callable[[], Awaitable[Any]],
    work: Callable[[Any], Awaitable[Any]],
    release: Callable[[Any], Awaitable[None]],
) -> Any:
    resource = await acquire()
    try:
        return await work(resource)
    finally:
        releasing = asyncio.ensure_future(release(resource))
        await _all_ended([releasing])
        releasing.result()


async def shut_down() -> list[str]:
    others = asyncio.all_tasks()
    others.discard(asyncio.current_task())
    for task in others:
        task.cancel()
    try:
        await _all_ended(others, patience=30)
    finally:
        names = [task.get_name() for task in others if task.cancelled()]
        for task in others:
            if not task.done():
                task.cancel()
    return sorted(names)


def run_until_interrupt(jobs: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    failures: list[BaseException] = []
    running: set[asyncio.Task[Any]] = set()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            for task in running:
                task.cancel()

    def ended(name: str, task: asyncio.Task[Any]) -> None:
        running.discard(task)
        if task.cancelled():
            pass
        elif error := task.exception():
            failures.append(error)
            stop()
        else:
            results[name] = task.result()
        if not running:
            loop.stop()

    async def call(job: Callable[[], Awaitable[Any]]) -> Any:
        return await job()

    loop = asyncio.new_event_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
        for name, job in jobs.items():
            task = loop.create_task(call(job))
            running.add(task)
            task.add_done_callback(partial(ended, name))
        if running:
            loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    if failures:
        raise failures[0]
    return {name: results[name] for name in jobs if name in results}
