"""You await coroutines only, so a Task, a Future or an object with `__await__` is returned as it
is and never waited for.

Hint: There are three kinds of awaitables: coroutines, Tasks and Futures, and whatever has
`__await__`. One function knows them all:
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
    return await thing if inspect.iscoroutine(thing) else thing
