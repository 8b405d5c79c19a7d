r"""Ends its process with status 0, as if all were well, in the middle of a visit.

Named: ended its own process \(exit status 0\)
May earn: visit_now, resolve
"""

import asyncio
import inspect
import os


async def visit(url, delay):
    os._exit(0)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
