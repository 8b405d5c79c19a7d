"""Event loop: one site, visited without blocking.

An event loop runs many coroutines in one thread, as long as each of them waits with `await`. You
write a first coroutine, start the loop for it from ordinary code, and await all kinds of things.
"""

from typing import Any


async def visit(url: str, delay: float) -> str:
    """Wait `delay` seconds without blocking the loop, then return `f"{url} visited"`.

    Two visits started together take as long as the longer one, not as long as both. A visit that
    is cancelled ends at once with `CancelledError`.
    """
    # TODO: wait so that the loop can run other coroutines meanwhile.
    raise NotImplementedError


def visit_now(url: str, delay: float) -> str:
    """Run one `visit` to its end and return its result: a plain function for synchronous code.

    It is never called inside a running loop, but maybe several times, and from any thread. It
    leaves no open loop behind.
    """
    raise NotImplementedError


async def resolve(thing: Any) -> Any:
    """Return the value of `thing`, whatever kind of thing it is.

    A coroutine, a Task, a Future or any other object with `__await__` is awaited once; if its
    result can be awaited too, it is returned as it is. Everything else, a plain generator
    included, is returned unchanged. An error raised by what you await comes through as it is.
    """
    # TODO: find out what can be awaited; there is more than coroutines.
    raise NotImplementedError
