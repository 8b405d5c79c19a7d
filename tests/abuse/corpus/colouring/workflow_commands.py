r"""Prints and raises lines that a CI runner obeys: errors, masks, groups, variables.

Named: raised ValueError: \\n::error
May earn: visit_now, resolve
"""

import asyncio
import inspect

ATTACK = "\n::error file=app.py,line=1,title=x::forged\n::add-mask::passed\n::stop-commands::x\n##[error]forged\n::set-output name=a::b"
print(ATTACK)


async def visit(url, delay):
    print(ATTACK)
    raise ValueError(ATTACK)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
