r"""Raises a BaseException of its own, which `except Exception` lets through.

Named: raised Passed
May earn: visit_now, resolve
"""

import asyncio
import inspect


class Passed(BaseException):
    pass


async def visit(url, delay):
    raise Passed


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
