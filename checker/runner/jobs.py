"""Jobs for child processes: importable by name in a fresh interpreter, with any start method.

Time is real in a child process, so nothing here measures it: that several are at work at once is shown by
a rendezvous, which none can leave before so many have come.  Places are empty folders that the scenario
makes; a visitor leaves a file there.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import time
import uuid
from typing import Any

PATIENCE = 8.0
"""Real seconds after which a rendezvous is given up."""


class NobodyCame(RuntimeError):
    """A rendezvous was given up: too few were at work at the same time."""


def arrive(place: str, name: object = "") -> None:
    """Leave word at a place."""
    word = f"{name}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with open(os.path.join(place, word), "w"):
        pass


def arrived(place: str) -> list[str]:
    """The names of those who have left word, in no order."""
    return [word.rsplit("-", 2)[0] for word in os.listdir(place)]


def pids(place: str) -> set[int]:
    """The processes from which word was left."""
    return {int(word.rsplit("-", 2)[1]) for word in os.listdir(place)}


def work(item: Any) -> list[Any]:
    """Works on one item `[value]` or `[value, place]`: leaves word at the place, says `[value, its process id]`."""
    if len(item) > 1:
        arrive(item[1], item[0])
    return [item[0], os.getpid()]


def meet(item: Any) -> list[Any]:
    """Works on `[value, place, many]`: leaves word, and goes on once `many` have come; `[value, process id]`."""
    value, place, many = item
    arrive(place, value)
    give_up = time.monotonic() + PATIENCE
    while len(os.listdir(place)) < many:
        if time.monotonic() > give_up:
            raise NobodyCame(f"{len(os.listdir(place))} of {many} were at work at the same time")
        time.sleep(0.002)
    return [value, os.getpid()]


def fail(item: Any) -> list[Any]:
    """Works on `[value, bad]`: says `[value, process id]`; where `bad` names an error, raises it."""
    value, bad = item
    if bad:
        raise getattr(builtins, bad)(value)
    return [value, os.getpid()]


def echo(item: Any) -> Any:
    """Gives back the item itself."""
    return item


def forever(item: Any) -> None:
    """Works on `[value, place]`: leaves word and never ends."""
    arrive(item[1], item[0])
    while True:
        time.sleep(0.01)


async def meet_async(item: Any) -> list[Any]:
    """As `meet`, waiting on the loop."""
    value, place, many = item
    arrive(place, value)
    give_up = time.monotonic() + PATIENCE
    while len(os.listdir(place)) < many:
        if time.monotonic() > give_up:
            raise NobodyCame(f"{len(os.listdir(place))} of {many} were at work at the same time")
        await asyncio.sleep(0.002)
    return [value, os.getpid()]


async def fail_async(item: Any) -> list[Any]:
    """As `fail`."""
    await asyncio.sleep(0)
    return fail(item)


async def echo_async(item: Any) -> Any:
    """As `echo`."""
    await asyncio.sleep(0)
    return item


async def forever_async(item: Any) -> None:
    """As `forever`, waiting on the loop."""
    arrive(item[1], item[0])
    while True:
        await asyncio.sleep(0.01)
