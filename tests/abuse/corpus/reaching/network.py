r"""Connects to the outside, to names and to the address where clouds keep their metadata.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect
import socket

found = []
for family, address in (
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
):
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(0.2)
        sock.connect(address)
        found.append(address[0])
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"hello", address)
        found.append(f"{address[0]} by datagram")
with contextlib.suppress(OSError):
    found.append(socket.getaddrinfo("example.org", 80))

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
