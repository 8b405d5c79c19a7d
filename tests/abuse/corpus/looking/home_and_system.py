r"""Looks for home folders, keys, users, mounts of the host, and devices.

Named: -
May earn: all
"""

import asyncio
import glob
import inspect
import os
import sys

found = []
for pattern in (
    "/root/*",
    "/home/*/*",
    "/etc/*",
    "/var/*",
    "/run/*",
    "/mnt/*",
    "/srv/*",
    "/opt/*/.git",
    "/dev/sd*",
    "/dev/vd*",
    "/dev/mem",
    "/dev/kvm",
    "/dev/nvme*",
    "/sys/*",
    "/tmp/*",
):
    found += [path for path in glob.glob(pattern) if path not in ("/etc/ld.so.cache",)]
found = [
    path
    for path in found
    if not any(os.path.realpath(sys.prefix).startswith(path) or shown.startswith(path) for shown in sys.path)
]

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
