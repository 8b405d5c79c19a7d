"""You go on awaiting for as long as the value can be awaited, so a result that is itself awaitable
is used up instead of handed on.

Hint: `await` once and return what it gives, whatever that is. An `if` is enough:
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
    while inspect.isawaitable(thing):
        thing = await thing
    return thing
