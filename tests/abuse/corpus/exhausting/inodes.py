r"""Fills /tmp and /dev/shm with empty files, folder by folder.

Named: raised OSError|memory|processor time|real time
May earn: all but awaited_error
"""

import asyncio
import inspect
import itertools
import os


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        for folder, number in itertools.product(("/tmp", "/dev/shm"), itertools.count()):
            os.mkdir(f"{folder}/{number}")
            for name in range(1000):
                os.mknod(f"{folder}/{number}/{name}")
