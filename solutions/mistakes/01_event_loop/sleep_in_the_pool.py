"""You wait with `time.sleep` in a thread of the loop's pool. The pool has few threads, so with more
visits than these the others begin late; and a thread whose visit is cancelled sleeps on.

Hint: A visit that only waits needs no thread. asyncio has a sleep of its own, for any number of
visits at the same time: https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep

Violates: timing
"""

import asyncio
import inspect
import time
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    await asyncio.to_thread(time.sleep, delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
