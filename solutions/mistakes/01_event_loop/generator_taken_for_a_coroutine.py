"""You take everything with a `send` method for a coroutine, so a plain generator is awaited, which
raises TypeError.

Hint: A generator is an ordinary value to `await`. Ask whether the thing is awaitable, not what
it looks like: https://docs.python.org/3/library/inspect.html#inspect.isawaitable

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
    if hasattr(thing, "send") or inspect.isawaitable(thing):
        return await thing
    return thing
