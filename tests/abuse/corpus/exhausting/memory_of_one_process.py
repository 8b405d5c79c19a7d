r"""Takes memory until there is none.

Named: more than \d+ MiB of memory|processor time|real time
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
        hoard = []
        while True:
            hoard.append(bytearray(16 << 20))
