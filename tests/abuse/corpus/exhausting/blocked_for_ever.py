r"""Tells of hundreds of thousands of stretches in which the loop was blocked, at 14 bytes each.

Named: too much to keep .*more than 20000 stretches
May earn: all but awaited_error
"""

import asyncio
import gc
import inspect
import struct


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
        body = b"\x92\xa7blocked\x00"
        for _ in range(100):
            link._send((struct.pack(">I", len(body)) + body) * 4000)
        raise
