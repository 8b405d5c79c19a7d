r"""Looks for processes that are neither its own nor the sandbox's first one, and tries to signal them.

Named: -
May earn: all
"""

import asyncio
import inspect
import os

found = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
for process in range(2, 400):
    if process != os.getpid():
        try:
            os.kill(process, 0)
            found.append(process)
        except OSError:
            pass

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
