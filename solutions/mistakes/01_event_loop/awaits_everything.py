"""You await ordinary values too, and an `await` on a number or a list raises TypeError.

Hint: Ask first whether the thing can be awaited:
https://docs.python.org/3/library/inspect.html#inspect.isawaitable

Violates: result
"""

import asyncio
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
    return await thing
