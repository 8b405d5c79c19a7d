r"""Raises an error whose class lies about its arguments, its bases and its context, in names that are no text.

Named: RuntimeError|raised
May earn: -
"""


class Lies(type):
    def mro(cls):
        return [cls, *RuntimeError.__mro__]


class Liar(RuntimeError, metaclass=Lies):
    args = property(lambda self: 1 / 0)
    __context__ = property(lambda self: self)

    def __str__(self):
        raise SystemExit(3)


Liar.__name__ = "Li\ud800ar"


async def visit(url, delay):
    raise Liar


def visit_now(url, delay):
    raise Liar


async def resolve(thing):
    raise Liar
