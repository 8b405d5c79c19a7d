r"""Starts threads that never end until no more can be started.

Named: raised RuntimeError: can't start new thread|out of memory|memory|processor time|real time
May earn: visit_now, resolve
"""

import asyncio
import inspect
import threading


async def visit(url, delay):
    while True:
        threading.Thread(target=threading.Event().wait).start()


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
