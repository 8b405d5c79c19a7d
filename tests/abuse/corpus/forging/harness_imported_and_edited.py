r"""Imports the harness and edits its functions: what is told of leaks and complaints, and the loop itself.

Named: Virtual seconds taken
May earn: a_visit_says, visit_now, resolve
"""

import asyncio
import inspect

import checker.runner.loop as loop
import checker.runner.play as play

play.Witness.look_for_leaks = play.Witness.complain = lambda self, *things: None


async def visit(url, delay):
    loop.VirtualEventLoop.time = lambda self: 10_000.0
    asyncio.get_running_loop().call_later = lambda delay, callback, *args, **more: callback(*args)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
