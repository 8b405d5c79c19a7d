"""You catch the error of what you await and return it as if it were a value, so the caller cannot
tell failure from success.

Hint: Let the error go through; whoever awaits you will see it. Catch only what you can handle:
https://docs.python.org/3/tutorial/errors.html#handling-exceptions

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
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except Exception as error:
        return error
