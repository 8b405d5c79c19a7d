r"""Gives its answer at exit, when the run has been judged already.

Named: ended its own process|raised SystemExit
May earn: visit_now, resolve
"""

import asyncio
import atexit
import gc
import inspect
import sys


def last_word():
    import checker.messages as messages

    link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
    link.send(messages.Returned([]))


async def visit(url, delay):
    atexit.register(last_word)
    sys.exit()


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
