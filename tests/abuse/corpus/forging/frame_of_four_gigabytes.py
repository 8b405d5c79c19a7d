r"""Announces a message of four gigabytes and sends some of it.

Named: spoke to the grader .*bytes
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
    except AttributeError:
        link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
        link._channel.sendall(b"\xff\xff\xff\xff" + bytes(1000))
        return None
