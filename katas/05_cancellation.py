"""Cancellation: stopping work so that it really stops, and cleans up.

Cancelling is a request: an exception thrown into a task, which may take its time to end. You wait
for that end, protect a clean-up, shut everything down, and let Ctrl-C lose nothing that was done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def cancel_and_wait(task: asyncio.Task[Any]) -> bool:
    """Cancel `task`, and return only when it has really ended, its own clean-up included.

    True if it ended cancelled. False if it had finished before, finished anyway, or failed; its
    error is retrieved, not raised. The clean-up is not disturbed by another cancel of yours. This
    may be called while the caller cleans up after its own cancellation. A cancellation of the
    caller while it waits is not swallowed.
    """
    # TODO: `cancel()` returns at once. What tells you that the task has ended, and how?
    raise NotImplementedError


async def use(
    acquire: Callable[[], Awaitable[Any]],
    work: Callable[[Any], Awaitable[Any]],
    release: Callable[[Any], Awaitable[None]],
) -> Any:
    """Await `acquire()` for a resource, `work(resource)`, then `release(resource)`.

    What was acquired is released exactly once: after success, error or cancellation, and to the
    end, even if a (second) cancel arrives while `release` is at work. Then the result of `work`,
    its error or `CancelledError` comes through. What was not acquired is not released.
    """
    # TODO: a cancel that arrives during `release` must not reach it.
    raise NotImplementedError


async def shut_down() -> list[str]:
    """Cancel every other task of the running loop; wait, clean-ups included, until all have ended.

    Returns the sorted names of the tasks that ended cancelled. Never cancels the calling task. A
    task that swallows its first cancel is not waited for for ever: after a generous time, half a
    minute say, it gets a second one, is then left alone, and is not named.
    """
    raise NotImplementedError


def run_until_interrupt(jobs: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    """Run all async jobs at the same time from ordinary code; return their results by name.

    On Ctrl-C (SIGINT) the jobs still running are cancelled and clean up to the end, the loop is
    closed, and the results of those that had finished are returned; no `KeyboardInterrupt` comes
    out. The first failure cancels the other jobs, waits for their clean-up, and is raised.
    """
    raise NotImplementedError
