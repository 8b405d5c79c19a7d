r"""Recurses without end in its own repr, with the limit on recursion taken away.

Named: signal 11|raised RecursionError|memory|processor time|real time|killed
May earn: all but awaited_error
"""

import asyncio
import inspect
import sys


class Mirror:
    def __repr__(self):
        return str([self])


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        sys.setrecursionlimit(10**9)
        return repr(Mirror())
