r"""Overrides `loop.time` and the functions of `time`, and does not wait.

Named: Virtual seconds taken
May earn: a_visit_says, visit_now, resolve
"""

import asyncio
import inspect
import time


async def visit(url, delay):
    loop = asyncio.get_running_loop()
    there = loop.time() + delay
    type(loop).time = lambda self: there
    time.monotonic = time.perf_counter = time.time = lambda: there
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
