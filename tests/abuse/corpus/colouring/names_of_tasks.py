r"""Leaves a task whose name is a workflow command in colours, and a thread of the same kind.

Named: A task was left running: \\x1b
May earn: visit_now, resolve
"""

import asyncio
import inspect

ATTACK = "\x1b[31m\n::error::forged\n=1+1,<b>" + "x" * 100_000


async def visit(url, delay):
    asyncio.get_running_loop().create_task(asyncio.Event().wait(), name=ATTACK)
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
