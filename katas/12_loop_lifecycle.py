"""Loop lifecycle: make a loop, run it, stop it, close it.

You write plain functions that own their event loop from its first turn to its last: one that runs
jobs to their end, one that runs them for a limited time, and a loop that lives in a thread.
"""

import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]

# TODO: what may a loop still hold when you want to close it? Tasks, async generators, what else?


def run_all(jobs: list[Job]) -> list[Any]:
    """Run every async `job()` at the same time on a new loop; results in the order of `jobs`.

    The first failure cancels the other jobs, waits until they have cleaned up, and is raised. On
    every path the async generators still open are closed, and then the loop. No jobs: `[]`.
    """
    raise NotImplementedError


def run_for(seconds: float, jobs: dict[str, Job]) -> list[str]:
    """Run the named jobs at the same time on a new loop, for at most `seconds` seconds.

    As soon as all have ended, or else when the time is up, cancel what is unfinished and let it
    clean up, close async generators and the loop. Return the sorted names of the jobs that
    returned before the deadline. A failed job is not named, and nothing is raised.
    """
    raise NotImplementedError


class LoopThread:
    """A loop that runs for ever in a thread of its own, and takes coroutines from other threads."""

    def __init__(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Run the loop in a new thread. A second `start` raises `RuntimeError`."""
        raise NotImplementedError

    def submit(self, coro: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        """Run `coro` as a task of the loop; its outcome arrives in the future.

        Before `start` or after `stop`: `RuntimeError`, with no coroutine left "never awaited".
        """
        raise NotImplementedError

    # TODO: which methods of a loop may be called from another thread?
    def stop(self) -> None:
        """Called from another thread: end the tasks, the loop and its thread.

        Cancels every task and waits for its cleanup, closes async generators and the loop, joins
        the thread. Futures not done by then are cancelled. Twice, or before `start`: harmless.
        """
        raise NotImplementedError
