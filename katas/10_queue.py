"""Queue: producers and consumers that keep each other's pace.

A queue lets one part of a program run ahead of another, but only so far. You pump items through
workers, drain a queue until it is declared finished, and merge several streams into one.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any


# TODO: how does a worker learn that nothing more will come, and how do you know that all is done?
async def pump(
    items: AsyncIterator[Any],
    consume: Callable[[Any], Awaitable[Any]],
    *,
    size: int,
    workers: int,
) -> list[Any]:
    """Call the async `consume(item)` for each item, by `workers` consumers at the same time.

    One producer reads `items` into a queue of at most `size`. Never more than `size` + `workers`
    + 1 items are read beyond those whose `consume` has ended. Returns the results in the order of
    the items, a failure's exception in its place. An error of `items` itself is raised after the
    workers have ended. On return, error or cancellation no worker is left; `items` stays open: it
    is the caller's to close.
    """
    raise NotImplementedError


async def drain(
    queue: asyncio.Queue[Any], consumers: list[Callable[[Any], Awaitable[Any]]], stop: object
) -> list[list[Any]]:
    """Let all the async `consumers` work off `queue` at the same time until `stop` arrives.

    Each is called with one item at a time. A single `stop`, recognised by identity (`is`), ends
    them all and is not consumed; calls under way finish and count. Returns a list of results for
    each consumer, in its own order. If a consumer fails, the others are cancelled and its error is
    raised.
    """
    raise NotImplementedError


# TODO: an async generator can be closed at its `yield`. Who then closes the sources?
async def merge(*sources: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Yield the items of all async sources as they come; an async generator.

    At most two items of a source are read ahead. A failing source ends the merge with its error,
    after the other sources are closed. Closing or cancelling a merge that has begun stops all
    reading and closes the sources (those that have an `aclose`) before it returns.
    """
    raise NotImplementedError
    yield  # makes this an async generator
