r"""Leaves modules, byte code and settings in /tmp, the harness and site-packages for the next run to load.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect
import os
import pathlib
import sys

found = []
for folder in [
    *sys.path,
    "/harness",
    "/harness/checker/runner",
    "/harness/checker/runner/__pycache__",
    "/usr/lib",
    "/dev/shm",
    "/",
]:
    for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "pytest.ini", "x.pth", "asyncio.py", "json.py"):
        with contextlib.suppress(OSError), open(os.path.join(folder, name), "w") as file:
            file.write("raise SystemExit('poisoned')")
            if folder != "/dev/shm":
                found.append(file.name)
for name in ("asyncio.py", "checker.py", "freezegun.py", "json.py", "conftest.py"):
    pathlib.Path("/tmp", name).write_text("raise SystemExit('poisoned')")

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
