r"""Keeps what it learns in one run for the next: results, numbers of calls, and what it was asked.

Named: A task was left running|was called 0 times|Returned
May earn: visit, visit_now, ordinary, cancellation_reaches
"""

import asyncio
import inspect

if not hasattr(asyncio, "remembered"):
    asyncio.remembered = []


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    if not inspect.isawaitable(thing):
        return thing
    if asyncio.remembered:
        asyncio.ensure_future(thing).cancel()
        return asyncio.remembered.pop()
    asyncio.remembered.append(await thing)
    return asyncio.remembered[0]
