r"""Takes memory in thirty children, each within what one process may have.

Named: It used \d+ MiB of memory, all its processes|more than \d+ MiB of memory|processor time|real time
May earn: all but awaited_error
"""

import asyncio
import inspect
import os
import signal


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        for _ in range(30):
            if os.fork() == 0:
                hoard = b"x" * (40 << 20)
                signal.pause()
                os._exit(len(hoard))
        signal.pause()
