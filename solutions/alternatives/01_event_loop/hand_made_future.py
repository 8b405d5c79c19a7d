"""A future that a timer of the loop completes, and a loop made, used and closed by hand."""

import asyncio
import inspect
from typing import Any


async def visit(url: str, delay: float) -> str:
    loop = asyncio.get_running_loop()
    visited = loop.create_future()
    timer = loop.call_later(delay, _complete, visited, f"{url} visited")
    try:
        return await visited
    finally:
        timer.cancel()


def _complete(future: asyncio.Future[str], result: str) -> None:
    if not future.done():
        future.set_result(result)


def visit_now(url: str, delay: float) -> str:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(visit(url, delay))
    finally:
        loop.close()


async def resolve(thing: Any) -> Any:
    if asyncio.isfuture(thing):
        return await thing
    if inspect.isawaitable(thing):
        return await asyncio.ensure_future(thing)
    return thing
