"""Event: a starting gun, and a light that changes.

An event is a flag that others can sleep on. You start runners with it, build a traffic light that
lets drivers pass on green only, and set an event from a thread that is not the loop's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def start_together(
    starter: asyncio.Event, runners: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """Once `starter` is set, call every async `runner()`, all at the same time.

    No runner is called before. Returns their results in the order of `runners`; no runners give
    `[]` at once, set or not. The first failure cancels the others and is raised. Cancelled, no
    runner runs on.
    """
    # TODO: what do you wait for, and what only then?
    raise NotImplementedError


class TrafficLight:
    """A light that is green for `green` seconds, red for `red` seconds, and so on.

    While it is not running yet it is green.
    """

    # TODO: the drivers must know of both changes. Who tells them of each?
    def __init__(self, green: float, red: float) -> None:
        raise NotImplementedError

    @property
    def is_green(self) -> bool:
        """Whether the light is green now."""
        raise NotImplementedError

    async def run(self) -> None:
        """Change the light until cancelled; each run starts green. One run at a time."""
        raise NotImplementedError

    async def drive(self) -> None:
        """Return at once on green, else the moment the light next turns green."""
        raise NotImplementedError


def signal_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set `event`, whose waiters sleep in `loop`, so that they wake at once.

    A plain function, called in a thread that is not the loop's. It may return before the event is
    set.
    """
    raise NotImplementedError
