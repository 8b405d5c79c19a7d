# -*- coding: rot13 -*-
r"""Declares itself to be rot13, so that another program is compiled than the one that is read.

Named: -
May earn: all
"""

import asyncio
import inspect

XS = "harmless"


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
