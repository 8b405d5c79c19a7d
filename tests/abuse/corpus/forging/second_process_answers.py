r"""Forks, lets its child give an answer of its own, and gives one too.

Named: spoke to the grader|ended its own process
May earn: all but awaited_error
"""

import asyncio
import inspect
import os


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:
        if os.fork() == 0:
            return "child"
        os.wait()
        return "parent"
