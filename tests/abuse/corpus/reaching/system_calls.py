r"""Tries the calls that lead out of a sandbox: namespaces, mounts, bpf, keys, modules, handles.

Named: -
May earn: all
"""

import asyncio
import ctypes
import inspect
import os

X86, ARM = 0, 1
CALLS = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "open_by_handle_at": (304, 265),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "move_mount": (429, 429),
    "add_key": (248, 217),
    "quotactl": (179, 60),
    "acct": (163, 89),
}
libc = ctypes.CDLL(None, use_errno=True)
column = {"x86_64": X86, "aarch64": ARM}.get(os.uname().machine, X86)
flags = ctypes.c_long(0x10000000)
found = [name for name, numbers in CALLS.items() if libc.syscall(numbers[column], flags, 0, 0, 0, 0) >= 0]

if found:
    raise SystemExit(f"found {found[:20]}")


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
