"""Process pool: work that keeps a processor busy, done beside the loop.

A thread that computes still holds the interpreter, and your loop waits for it. Other processes do
not, and unlike threads they can be killed. You also give each process a loop of its own.
"""

from collections.abc import Awaitable, Callable
from typing import Any

# TODO: who ends a process that is at work, when you are cancelled? Leaving a pool's `with` waits.


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run the plain, CPU-bound `function(item)` for every item in at most `workers` processes.

    The same processes work off all items, none of them is this one, and the loop stays free.
    Returns the results in the order of `items`; an item that fails leaves its exception in its
    place. The processes are gone when it returns. Cancelled, it kills them: no item runs on, and
    `CancelledError` comes out without waiting for one. No items: `[]`, and no process is started.
    `function` can be imported by name.
    """
    raise NotImplementedError


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    """As `crunch`, but send `chunk` consecutive items in one message (the last may be shorter).

    One process works off a whole message. An item that fails spoils only itself. The results come
    in the order of `items`, one for each item.
    """
    raise NotImplementedError


# TODO: what must one process do so that the waits of 16 items overlap?
async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    """Await the async `job(item)` for every item in at most `processes` other processes.

    Each process has a loop of its own, on which the waits of up to 16 items overlap. Returns the
    results in the order of `items`. The first failure is raised, as an exception of any type, and
    ends the rest. No process of a job is left on return, on an error, or when cancelled. `job` can
    be imported by name. No items: `[]`, and no process is started.
    """
    raise NotImplementedError
