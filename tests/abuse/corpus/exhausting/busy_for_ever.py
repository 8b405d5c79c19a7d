r"""Computes for ever, in one function alone.

Named: processor time|real time
May earn: visit, resolve, visit_now_runs, visit_now_can
"""

import asyncio
import inspect
import threading


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    while threading.current_thread() is not threading.main_thread():
        pass
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
