r"""Raises SystemExit(0) inside a coroutine, which ends many a test runner.

Named: raised SystemExit|ended its own process
May earn: visit_now, resolve
"""

import asyncio
import inspect


async def visit(url, delay):
    raise SystemExit(0)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
