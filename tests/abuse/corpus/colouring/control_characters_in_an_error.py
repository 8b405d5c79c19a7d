r"""Raises an error of control characters, surrogates, nulls and a million letters.

Named: raised ValueError
May earn: visit_now, resolve
"""

import asyncio
import inspect


async def visit(url, delay):
    raise ValueError(
        "\x00\x1b[31m\r\n\x85\u2028\ud800\udfff\U0010ffff\u202e\ufeff\x7f\x9b" + "A" * 1_000_000, b"\x00\xff"
    )


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
