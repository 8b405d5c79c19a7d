r"""Connects to unix sockets of the host, those with names in files and those with abstract names.

Named: -
May earn: all
"""

import asyncio
import contextlib
import inspect
import pathlib
import socket

found = []
names = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/tmp/.X11-unix/X0",
    "\0/tmp/.X11-unix/X0",
    "\0/tmp/dbus",
    "\0katas-abuse-probe",
]
with contextlib.suppress(OSError):
    names += [
        "\0" + line.split("@", 1)[1] for line in pathlib.Path("/proc/net/unix").read_text().splitlines() if "@" in line
    ]
for name in names:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(name)
        found.append(name)

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
