"""You catch `CancelledError` and return as if the visit had ended well, so nobody who cancels a
visit gets what was asked for.

Hint: Let `CancelledError` through, or raise it again after cleaning up:
https://docs.python.org/3/library/asyncio-task.html#task-cancellation

Violates: cancellation
"""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    try:
        await asyncio.sleep(delay)
    except asyncio.CancelledError:
        pass
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
