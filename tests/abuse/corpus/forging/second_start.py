r"""Says in the middle of a run that it has only now been loaded, so that its time would count from there.

Named: spoke to the grader .*loaded twice
May earn: visit_now, resolve
"""

import asyncio
import gc
import inspect

LOADED = b"\0\0\0\x08\x91\xa6loaded"


async def visit(url, delay):
    await asyncio.sleep(1)
    for thing in gc.get_objects():
        if type(thing).__name__ == "Link":
            thing._channel.sendall(LOADED)
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
