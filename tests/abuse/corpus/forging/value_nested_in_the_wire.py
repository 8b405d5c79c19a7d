r"""Sends an answer that nests thousands deep, past the harness's own encoder.

Named: spoke to the grader .*nested
May earn: all but awaited_error
"""

import asyncio
import gc
import inspect
import struct


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:
        link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
        body = b"\x92\xa8returned" + b"\x92\xa1l\x91" * 100_000 + b"\xc0"
        link._channel.sendall(struct.pack(">I", len(body)) + body)
        return None
