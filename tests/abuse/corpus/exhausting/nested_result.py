r"""Returns a list nested a million deep, and one that holds itself.

Named: nested too deep|Returned|processor time|real time|After its answer
May earn: all but awaited_error
"""

import asyncio
import inspect


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        deep = [thing]
        for _ in range(1_000_000):
            deep = [deep]
        thing = [deep]
        thing.append(thing)
        return thing
