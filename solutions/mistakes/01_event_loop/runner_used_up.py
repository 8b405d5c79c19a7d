"""You keep one runner for all calls and close it after the first, so the second call raises
RuntimeError.

Hint: A runner or a loop cannot be used again once it is closed. Make a new one for each call:
https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner

Violates: result
"""

import asyncio
import inspect
from typing import Any

_runner = asyncio.Runner()


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds, then say that `url` was visited."""
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    """Run one visit on a loop of its own."""
    with _runner:
        return _runner.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    """Await whatever can be awaited, once; hand back everything else."""
    return await thing if inspect.isawaitable(thing) else thing
