r"""Returns a list, a dict and a set whose iteration never ends.

Named: expected .*, saw .*\[\['x'\], \{'x': 1\}, \{'x'\}\]|processor time|real time
May earn: all but awaited_error
"""

import asyncio
import inspect
import itertools


class Endless(list):
    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 10**18


class Pairs(dict):
    def items(self):
        return ((number, number) for number in itertools.count())


class Members(set):
    __iter__ = Endless.__iter__


async def visit(url, delay):
    await asyncio.sleep(delay)
    return f"{url} visited"


def visit_now(url, delay):
    return asyncio.run(visit(url, delay))


async def resolve(thing):
    try:
        return await thing if inspect.isawaitable(thing) else thing
    except AttributeError:  # met in one test only, so that one run shows it
        return [Endless("x"), Pairs(x=1), Members("x")]
