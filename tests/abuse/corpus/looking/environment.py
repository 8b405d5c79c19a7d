r"""Reads its environment, its parent's, and every process's command line.

Named: -
May earn: all
"""

import asyncio
import inspect
import os
import pathlib

found = [
    name
    for name in os.environ
    if any(word in name for word in ("TOKEN", "KEY", "SECRET", "GITHUB", "WATCHED", "PYTEST"))
]
for process in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline"):
        try:
            text = pathlib.Path(f"/proc/{process}/{name}").read_bytes()
        except OSError:
            continue
        if b"WATCHED" in text or b"--seed" in text or b"--out" in text:
            found.append(f"{process}/{name}")

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
