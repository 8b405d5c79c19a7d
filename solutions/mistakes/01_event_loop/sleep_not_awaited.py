"""You call `asyncio.sleep` and do not await what it returns: that only makes a coroutine, nothing
waits, and the visit is over at once.

Hint: A coroutine does nothing until it is awaited or made a task. Put `await` in front of the
call: https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines

Violates: timing
"""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
