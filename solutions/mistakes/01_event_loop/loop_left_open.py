"""You make a loop and never close it, so each call leaves its selector and its sockets behind.

Hint: Close the loop in a `finally`, or use `asyncio.run`, which makes a loop and closes it:
https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.close

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
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
