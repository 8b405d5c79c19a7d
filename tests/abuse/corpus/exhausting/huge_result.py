r"""Returns a result of two hundred million letters.

Named: too large|processor time|real time
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
        return ["x" * 200_000] * 1_000
