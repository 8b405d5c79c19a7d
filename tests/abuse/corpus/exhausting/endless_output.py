r"""Prints for ever, straight to the descriptors as well.

Named: raised OSError|processor time|real time|limit
May earn: visit_now, resolve
"""

import asyncio
import inspect
import os


async def visit(url, delay):
    while True:
        print("x" * 100_000)
        os.write(2, b"y" * 100_000)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
