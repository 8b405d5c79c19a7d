r"""Searches its memory for results to come: whatever it finds it returns before it has waited.

Named: -
May earn: all
"""

import asyncio
import gc
import inspect


def words():
    return {thing for thing in gc.get_objects() if isinstance(thing, str) and len(thing) == 8 and thing.isalnum()}


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    if not inspect.isawaitable(thing):
        return thing
    early = words()
    result = await thing
    if isinstance(result, str) and result in early:
        raise LookupError(f"{result} was there before its time")
    return result
