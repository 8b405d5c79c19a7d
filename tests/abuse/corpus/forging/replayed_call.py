r"""Starts the same call again under the number of a call that has ended.

Named: spoke to the grader .*started twice
May earn: visit, visit_now
"""

import asyncio
import gc
import inspect


def link():
    return next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")


async def resolve(thing):
    import checker.messages as messages

    if inspect.isawaitable(thing):
        value = await thing
        link().send(messages.Start(0, "answer", ["coroutine"]))
        return value
    return thing


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))
