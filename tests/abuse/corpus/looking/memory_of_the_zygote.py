r"""Opens the memory, descriptors and files of the sandbox's first process, by /proc and by system call.

Named: -
May earn: all
"""

import asyncio
import ctypes
import inspect
import os

found = []
for name in ("mem", "environ", "maps", "fd/3", "fd/4", "root/etc", "cwd", "exe", "stack", "syscall"):
    try:
        descriptor = os.open(f"/proc/1/{name}", os.O_RDWR if name == "mem" else os.O_RDONLY)
        found.append(f"{name}: {os.read(descriptor, 1)}")
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE, PIDFD_OPEN, PIDFD_GETFD = 16, 0x4206, 434, 438
for request in (PTRACE_ATTACH, PTRACE_SEIZE):
    if libc.ptrace(request, 1, 0, 0) == 0:
        found.append(f"ptrace {request}")
spot = ctypes.create_string_buffer(16)
vector = (ctypes.c_size_t * 2)(ctypes.addressof(spot), 16)
for call in (libc.process_vm_readv, libc.process_vm_writev):
    if call(1, vector, 1, vector, 1, 0) > 0:
        found.append(call.__name__)
pidfd = libc.syscall(PIDFD_OPEN, 1, 0)
found += [f"descriptor {number}" for number in range(8) if libc.syscall(PIDFD_GETFD, pidfd, number, 0) >= 0]

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
