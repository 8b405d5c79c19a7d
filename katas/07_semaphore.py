"""Semaphore: never more than so many at once.

A program that fetches a thousand pages must not open a thousand connections. You keep the number
down without waiting where nobody has to, and write a semaphore of your own: a room with seats.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Self

# TODO: a semaphore counts the jobs that are under way. Who takes one up, and when is it given back?


async def run_limited(jobs: list[Callable[[], Awaitable[Any]]], limit: int) -> list[Any]:
    """Run every async `job()`, at most `limit` of them at once.

    Jobs start in order, each as soon as one before it has ended (no batches). Returns the results
    in the order of `jobs`; a job that fails leaves its exception in its place and stops nobody.
    Cancelled, no job runs on and no further job starts.
    """
    raise NotImplementedError


async def fetch_all(urls: list[str], limit: int) -> list[str]:
    """GET every url with aiohttp and return the bodies, as text, in the order of `urls`.

    One `aiohttp.ClientSession` serves all. At most `limit` requests are in flight; a request ends
    when its body has been read. A status of 400 or more raises `aiohttp.ClientResponseError`, and
    the first failure stops the other requests.
    """
    raise NotImplementedError


class Seats:
    """A room with `count` seats: `async with seats:` takes one, and gives it back at the end.

    Whoever waits longest gets the next free seat, also before somebody who only just comes. A
    waiter that is cancelled costs the others no seat. A `count` below 1 raises `ValueError`.
    """

    # TODO: a seat belongs to the task that took it.
    def __init__(self, count: int) -> None:
        raise NotImplementedError

    @property
    def free(self) -> int:
        """How many seats are free now."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(self, *exc_info: object) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        """Give one's seat back; `ValueError`, and no seat more, if the caller holds none."""
        raise NotImplementedError
