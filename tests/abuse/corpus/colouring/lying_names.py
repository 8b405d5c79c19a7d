r"""Has an error that claims to be CancelledError by class, module and name, and whose text ends the process.

Named: raised CancelledError|ended its own process
May earn: visit_now, resolve
"""

import asyncio
import inspect


class CancelledError(BaseException):
    __module__ = "asyncio"
    __qualname__ = "CancelledError"

    @property
    def __class__(self):
        return asyncio.CancelledError

    def __str__(self):
        raise SystemExit(0)

    def __repr__(self):
        return repr(self)


async def visit(url, delay):
    try:
        await asyncio.sleep(delay)
    finally:
        raise CancelledError


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
