r"""Leaves a tree of processes and threads behind that would all outlive it, and goes on.

Named: Subprocess \d+ is still running|Returned|processor time|real time
May earn: all but awaited_error
"""

import asyncio
import inspect
import subprocess
import sys
import threading


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        for _ in range(5):
            subprocess.Popen(
                [sys.executable, "-c", "import os; os.setsid(); os.fork(); os.fork()\nwhile True: pass"],
                start_new_session=True,
            )
        threading.Thread(target=threading.Event().wait, daemon=False).start()
        return "left"
