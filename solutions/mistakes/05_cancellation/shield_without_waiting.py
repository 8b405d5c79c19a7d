"""You shield what `use` awaits, but when a cancel arrives you leave, and the shielded task runs on
with nobody waiting for it.

Hint: `shield` saves the inner task, not your wait for it. Keep the task, and wait again until
it is done: https://docs.python.org/3/library/asyncio-task.html#asyncio.shield

Violates: cancellation
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 30.0  # seconds which `shut_down` gives the others: it cannot see who refuses


async def cancel_and_wait(task: asyncio.Task[Any]) -> bool:
    """Cancel `task` and wait for its end; tell whether it ended cancelled."""
    task.add_done_callback(_retrieve)
    task.cancel()
    await _to_the_end(asyncio.wait({task}))
    return task.cancelled()


async def use(
    acquire: Callable[[], Awaitable[Any]],
    work: Callable[[Any], Awaitable[Any]],
    release: Callable[[Any], Awaitable[None]],
) -> Any:
    """Work with a resource and release it, whatever happens."""
    resource = await acquire()
    try:
        return await work(resource)
    finally:
        await asyncio.shield(release(resource))


async def shut_down() -> list[str]:
    """Cancel all other tasks and wait for them; the names of those that ended cancelled."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.add_done_callback(_retrieve)
        task.cancel()
    if others:
        try:
            await _to_the_end(asyncio.wait(others, timeout=PATIENCE))
        finally:
            for task in others:
                task.cancel()  # does nothing to those that have ended
    return sorted(task.get_name() for task in others if task.cancelled())


def run_until_interrupt(jobs: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    """Run the jobs until all have ended or Ctrl-C comes; the results there are."""
    results: dict[str, Any] = {}

    async def run(name: str, job: Callable[[], Awaitable[Any]]) -> None:
        results[name] = await job()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(run(name, job))

    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main())  # on SIGINT it cancels `main`, which waits for its jobs to clean up
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {name: results[name] for name in jobs if name in results}


async def _to_the_end(awaitable: Awaitable[Any]) -> Any:
    """Await something to its end; a cancellation meanwhile is raised only after that."""
    task = asyncio.ensure_future(awaitable)
    task.add_done_callback(_retrieve)
    interrupted = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            interrupted = error
    if interrupted:
        raise interrupted
    return task.result()


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Look at the task's error, so that asyncio does not report it as never seen."""
    if not task.cancelled():
        task.exception()
