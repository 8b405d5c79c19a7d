r"""Kills, stops and interrupts the sandbox's first process, then everybody.

Named: broke its whole sandbox|ended its own process
May earn: visit_now, resolve
"""

import asyncio
import contextlib
import inspect
import os
import signal


async def visit(url, delay):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        for process in (1, os.getppid(), -1):
            with contextlib.suppress(OSError):
                os.kill(process, number)
    os._exit(3)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
