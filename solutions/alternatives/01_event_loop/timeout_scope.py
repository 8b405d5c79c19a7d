"""Waiting for what never comes inside `asyncio.timeout`, and returning early from `resolve`."""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    try:
        async with asyncio.timeout(delay):
            await asyncio.get_running_loop().create_future()
    except TimeoutError:
        pass
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    results: list[str] = []

    async def main() -> None:
        results.append(await visit(url, delay))

    asyncio.run(main())
    return results[0]


async def resolve(thing: Any) -> Any:
    if not inspect.isawaitable(thing):
        return thing
    value = await thing
    return value
