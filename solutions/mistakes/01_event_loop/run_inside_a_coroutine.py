"""You call `asyncio.run` inside a coroutine. A thread runs one loop at a time, so it raises
RuntimeError, and the coroutine is never awaited.

Hint: `asyncio.run` is the door from ordinary code into the loop. Inside, write `await`:
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
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    if inspect.iscoroutine(thing):
        return asyncio.run(thing)
    return await thing if inspect.isawaitable(thing) else thing
