r"""Opens sockets that no net namespace holds: vsock, netlink, packets, raw ones, bluetooth, alg.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect
import socket

found = []
for family in range(1, 46):
    if family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.socket(family, socket.SOCK_DGRAM).close()
            found.append(family)
with contextlib.suppress(OSError):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    found.append("raw")

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
