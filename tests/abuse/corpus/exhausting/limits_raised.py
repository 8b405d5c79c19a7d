r"""Raises every limit of its own that it can, says which, and computes for ever.

Named: processor time|real time|killed
May earn: all but awaited_error
"""

import asyncio
import contextlib
import inspect
import resource


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        for limit in (
            resource.RLIMIT_CPU,
            resource.RLIMIT_AS,
            resource.RLIMIT_NOFILE,
            resource.RLIMIT_FSIZE,
            resource.RLIMIT_NPROC,
        ):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                raise LookupError(f"{limit} raised")
        while True:
            pass
