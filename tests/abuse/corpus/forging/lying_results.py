r"""Returns objects that claim to be equal to everything, of every class and length.

Named: no plain data
May earn: a_visit_waits, visits_started
"""

import asyncio
import os


class Yes(str):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __str__(self):
        return "visited"

    def __reduce__(self):
        return os.system, ("touch /tmp/forged",)

    def __len__(self):
        return 1

    def __iter__(self):
        return iter(["visited"])

    @property
    def __class__(self):
        return list


class One(int):
    def __eq__(self, other):
        return True

    def __index__(self):
        return 1

    __hash__ = int.__hash__


class Odd:
    __eq__ = Yes.__eq__
    __hash__ = Yes.__hash__
    __class__ = str


async def visit(url, delay):
    await asyncio.sleep(delay)
    return Yes(url)


def visit_now(url, delay):
    return One(7)


async def resolve(thing):
    return Odd()
