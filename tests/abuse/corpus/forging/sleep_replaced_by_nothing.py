r"""Replaces `asyncio.sleep` by nothing at import, for the suite's own waits too.

Named: Virtual seconds taken|never waited|never waits
May earn: a_visit_says, resolve
"""

import asyncio
import inspect


async def nothing(delay, result=None):
    return result


asyncio.sleep = asyncio.tasks.sleep = nothing


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
