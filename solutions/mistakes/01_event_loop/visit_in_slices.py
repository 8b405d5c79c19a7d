"""You look at the clock again and again instead of sleeping once, so a visit ends only at the look
that comes after its time.

Hint: Wait once for the whole time; the loop wakes you at the right moment:
https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep

Violates: timing
"""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    loop = asyncio.get_running_loop()
    end = loop.time() + delay
    while loop.time() < end:
        await asyncio.sleep(0.17)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    return asyncio.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
