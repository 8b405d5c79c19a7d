"""You wait beside what you were given, as under `asyncio.shield` or in `asyncio.wait`, so when you
are cancelled it runs on alone.

Hint: `shield` and `wait` keep a cancellation away from what they are given. Await the thing
itself, so that both end together:
https://docs.python.org/3/library/asyncio-task.html#shielding-from-cancellation

Violates: cancellation
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
    return await asyncio.shield(thing) if inspect.isawaitable(thing) else thing
