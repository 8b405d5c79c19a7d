r"""Blocks the loop and turns the clock in its memory back afterwards.

Named: blocked for .* line \d+
May earn: visit_now, resolve
"""

import asyncio
import inspect
import time


async def visit(url, delay):
    loop = asyncio.get_running_loop()
    now = loop.clock.now
    time.sleep(delay)
    loop.clock.now = now
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
