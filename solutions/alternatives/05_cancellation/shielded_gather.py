"""`gather(…, return_exceptions=True)` under `shield`, awaited again after each cancellation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def _settle(*awaitables: Awaitable[Any]) -> list[Any]:
    together = asyncio.gather(*awaitables, return_exceptions=True)
    interrupted = None
    while not together.done():
        try:
            await asyncio.shield(together)
        except asyncio.CancelledError as error:
            interrupted = error
    if interrupted:
        raise interrupted
    return together.result()


async def cancel_and_wait(task: asyncio.Task[Any]) -> bool:
    task.cancel()
    await _settle(task)
    return task.cancelled()


async def use(
    acquire: Callable[[], Awaitable[Any]],
    work: Callable[[Any], Awaitable[Any]],
    release: Callable[[Any], Awaitable[None]],
) -> Any:
    async def let_go() -> None:
        (outcome,) = await _settle(release(resource))
        if isinstance(outcome, BaseException):
            raise outcome

    resource = await acquire()
    try:
        result = await work(resource)
    except BaseException:
        await let_go()
        raise
    await let_go()
    return result


async def shut_down() -> list[str]:
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    if not others:
        return []
    for task in others:
        task.cancel()
    try:
        await _settle(asyncio.wait(others, timeout=30))
        return sorted(task.get_name() for task in others if task.cancelled())
    finally:
        for task in others:
            if not task.done():
                task.cancel()
            elif not task.cancelled():
                task.exception()


def run_until_interrupt(jobs: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    finished: dict[str, Any] = {}
    failures: list[Exception] = []

    async def run(name: str, job: Callable[[], Awaitable[Any]], others: list[Any]) -> None:
        try:
            finished[name] = await job()
        except Exception as error:
            failures.append(error)
            if len(failures) == 1:
                for task in others:
                    if task is not asyncio.current_task() and not task.cancelling():
                        task.cancel()

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        tasks += [asyncio.create_task(run(name, job, tasks)) for name, job in jobs.items()]
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
    if failures:
        raise failures[0]
    return {name: finished[name] for name in jobs if name in finished}
