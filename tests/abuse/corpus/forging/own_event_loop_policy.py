r"""Installs a policy, and with it a loop whose time runs as it likes.

Named: Virtual seconds taken: expected .*, saw 0
May earn: visit, resolve
"""

import asyncio
import inspect


class Fast(asyncio.SelectorEventLoop):
    def call_at(self, when, callback, *args, context=None):
        return self.call_soon(callback, *args, context=context)

    call_later = call_at


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    loop = Fast()
    try:
        return loop.run_until_complete(visit(url, delay))
    finally:
        loop.close()


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
