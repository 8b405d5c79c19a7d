"""You call `visit` from ordinary code and return what the call gives: a coroutine object, not the
text, and nothing ever runs it.

Hint: Ordinary code cannot await. Hand the coroutine to a loop and let that run to the end:
https://docs.python.org/3/library/asyncio-runner.html#asyncio.run

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
    return visit(url, delay)


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
