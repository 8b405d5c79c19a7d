r"""Raises errors whose text and class are formulas, HTML, XML, rich's and Markdown's markup.

Named: raised =cmd
May earn: visit_now, resolve
"""

import asyncio
import inspect

ATTACK = "=cmd|'/C calc'!A0,<script>alert(1)</script>]]>&<!--[bold red]x[/bold red][link=http://x]y[/link]|`$(id)`|@SUM(1)\t+1"
Odd = type("=cmd|' /C calc'!A0<script>alert(1)</script>[red]", (Exception,), {})


async def visit(url, delay):
    raise Odd(ATTACK)


def visit_now(url, delay):
    return asyncio.run(right_visit(url, delay))


async def right_visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
