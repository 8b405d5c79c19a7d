r"""Looks through its descriptors for files, folders and sockets that are not its own.

Named: -
May earn: all
"""

import asyncio
import inspect
import os
import stat

found = []
for number in map(int, os.listdir("/proc/self/fd")):
    try:
        shown = os.readlink(f"/proc/self/fd/{number}")
        is_folder = stat.S_ISDIR(os.fstat(number).st_mode)
    except OSError:
        continue  # the one that listed the others
    inner = ("/memfd:output", "pipe:", "socket:", "anon_inode:", "/dev/null")
    if is_folder or not shown.startswith(inner):
        found.append(shown)

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
