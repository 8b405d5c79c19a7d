r"""Opens files until it may open no more, and lets them be open.

Named: raised OSError: \[Errno 24\]|processor time|real time
May earn: visit_now, resolve
"""

import asyncio
import inspect
import os

KEPT = []


async def visit(url, delay):
    while True:
        KEPT.append(os.open("/dev/null", os.O_RDONLY))


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
