r"""Notes long texts that take up four times as much in memory as on the way, because of one odd sign in each.

Named: too much to keep .*more than 16 MiB
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
    except AttributeError:  # met in one test only, so that one run shows it
        link = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Link")
        text = "\N{GRINNING FACE}".encode() + b"a" * 1_000_000
        body = b"\x94\xa4note\xa1x\xdb" + struct.pack(">I", len(text)) + text + b"\xc0"
        for _ in range(30):
            link._send(struct.pack(">I", len(body)) + body)
        raise
