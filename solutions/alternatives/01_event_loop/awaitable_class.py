"""A class whose `__await__` does the waiting, and a task that reports through a callback."""

import asyncio
import inspect
from collections.abc import Generator
from typing import Any


class _Pause:
    """Awaiting it takes `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def __await__(self) -> Generator[Any, None, None]:
        yield from asyncio.sleep(self._delay).__await__()


class _Resolved:
    """Awaiting it gives the value of `thing`."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __await__(self) -> Generator[Any, None, Any]:
        if not inspect.isawaitable(self._thing):
            return self._thing
        if inspect.isgenerator(self._thing):  # made by `types.coroutine`
            return (yield from self._thing)
        return (yield from self._thing.__await__())


async def visit(url: str, delay: float) -> str:
    await _Pause(delay)
    return f"{url} visited"


def visit_now(url: str, delay: float) -> str:
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(visit(url, delay))
        task.add_done_callback(lambda _: loop.stop())
        loop.run_forever()
        return task.result()
    finally:
        loop.close()


async def resolve(thing: Any) -> Any:
    return await _Resolved(thing)
