"""An `asyncio.Runner` with a loop of its own, and `match` on the abstract class `Awaitable`."""

import asyncio
from collections.abc import Awaitable
from inspect import CO_ITERABLE_COROUTINE
from types import GeneratorType
from typing import Any


async def visit(url: str, delay: float) -> str:
    return await asyncio.sleep(delay, result=f"{url} visited")


def visit_now(url: str, delay: float) -> str:
    with asyncio.Runner() as runner:
        return runner.run(visit(url, delay))


async def resolve(thing: Any) -> Any:
    match thing:
        case Awaitable():
            return await thing
        case GeneratorType(gi_code=code) if code.co_flags & CO_ITERABLE_COROUTINE:
            return await thing  # made by `types.coroutine`, the only generators to be awaited
        case value:
            return value
