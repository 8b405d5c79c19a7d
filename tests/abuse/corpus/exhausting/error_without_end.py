r"""Raises a group of groups of errors, each the cause and context of the others.

Named: real time|raised ExceptionGroup|processor time
May earn: all but awaited_error
"""

import asyncio
import inspect


def grow(depth):
    group = ExceptionGroup("x" * 1000, [ValueError("y" * 1000, depth) for _ in range(50)])
    for _ in range(depth):
        group = ExceptionGroup("z" * 1000, [group, group, group])
        group.__cause__ = group.__context__ = group.exceptions[0]
    return group


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        raise grow(12)
