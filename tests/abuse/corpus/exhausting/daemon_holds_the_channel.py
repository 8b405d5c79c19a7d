r"""Leaves a daemon of its own session that holds every descriptor open and outlives it.

Named: -
May earn: all
"""

import asyncio
import ctypes
import inspect
import os
import signal


def leave_a_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG: nothing
            while True:
                signal.pause()
        os._exit(0)
    os.wait()


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    if thing is None:
        leave_a_daemon()
    return await thing if inspect.isawaitable(thing) else thing
