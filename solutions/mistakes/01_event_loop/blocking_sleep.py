"""You wait with `time.sleep`, which stops the whole loop, so two visits started together take one
after the other.

Hint: Only an `await` gives the loop time for others. asyncio has a sleep of its own:
https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep

Violates: timing
"""

import asyncio
import inspect
import time
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    time.sleep(delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
