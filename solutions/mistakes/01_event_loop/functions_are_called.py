"""You call every callable that you are given and use what it returns, although a function is an
ordinary value here.

Hint: Only what is awaitable is to be awaited; do not call anything:
https://docs.python.org/3/library/inspect.html#inspect.isawaitable

Violates: result
"""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    if callable(thing):
        thing = thing()
    return await thing if inspect.isawaitable(thing) else thing
