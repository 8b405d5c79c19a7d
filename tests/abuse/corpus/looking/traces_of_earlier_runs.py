r"""Looks for what an earlier run of its own has left: modules, signal handlers, processes and threads.

Named: -
May earn: all
"""

import asyncio
import inspect
import os
import signal
import threading

found = [name for name in ("mark", "remembered") if hasattr(asyncio, name)]
found += [thread.name for thread in threading.enumerate() if "left" in thread.name]
found += [process for process in os.listdir("/proc") if process.isdigit() and int(process) not in (1, os.getpid())]
if signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL:
    found.append("handler")

if found:
    raise SystemExit(f"found {found[:20]}")

signal.signal(signal.SIGUSR1, signal.SIG_IGN)


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
