r"""Leaves files wherever it can, and looks for what an earlier run of its own has left there.

Named: -
May earn: all
"""

import asyncio
import contextlib
import ctypes
import inspect
import os
import pathlib

found = []
for folder in ("/tmp", "/dev/shm", "/dev", "/dev/mqueue", "/run", "/var/tmp"):
    with contextlib.suppress(OSError):
        found += [f"{folder}/{name}" for name in os.listdir(folder) if name == "left"]
        pathlib.Path(folder, "left").write_text("here")
libc = ctypes.CDLL(None, use_errno=True)
if libc.shmget(4711, 4096, 0o600) >= 0:
    found.append("a System V segment")
libc.shmget(4711, 4096, 0o1600)
if libc.msgget(4711, 0o600) >= 0:
    found.append("a System V queue")
libc.msgget(4711, 0o1600)

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
