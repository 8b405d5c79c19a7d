"""You ask for the current loop and then close it: the second call meets a closed loop, and in
another thread there is no loop to ask for.

Hint: Do not take a loop that may not be there or is not yours. `asyncio.run` makes one and
closes it, in whatever thread it is called:
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
    loop = asyncio.get_event_loop()
    try:
        return loop.run_until_complete(visit(url, delay))
    finally:
        loop.close()


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
