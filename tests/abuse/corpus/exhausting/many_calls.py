r"""Sends hundreds of thousands of notes and calls of its own over the channel.

Named: too much to keep .*more than|processor time|real time
May earn: all but awaited_error
"""

import asyncio
import gc
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
        link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
        while True:
            link.open("answer", ("x" * 10,), {})
