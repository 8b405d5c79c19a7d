"""Many visits at the same time.

One coroutine waits; many tasks wait together. Here you start a crowd of visits, collect what
they bring, and decide what happens to the rest when one of them fails, wins or is too late.
"""

from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Split = tuple[dict[str, Any], list[str]]


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    """Visit every url at the same time; return the results in the order of `urls`.

    If a visit fails, the others are cancelled, and its error is raised.
    """
    raise NotImplementedError


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Visit all urls of all groups at the same time; return each group's results by its name.

    Groups and results keep the order of the input. A failure is treated as in `visit_all`.
    """
    raise NotImplementedError


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    """As `visit_all`, but a failed visit has its exception in its place and disturbs nobody."""
    raise NotImplementedError


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    """As `visit_all`, but visits may take their time to clean up when they are cancelled.

    The first failure cancels the visits still running, once each; when all of them have ended,
    that failure is raised. Cancelled yourself, you wait for the same cleanup.
    """
    raise NotImplementedError


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    """Return the result of whichever visit finishes first, or raise its error if it failed.

    Before that, the others are cancelled, once each, and have all ended; what they raise in
    doing so is retrieved, not raised. `urls` is not empty.
    """
    raise NotImplementedError


async def split_at(visit: Visit, urls: list[str], deadline: float) -> Split:
    """Return what finished within `deadline` seconds, by url, and the urls that had not.

    Both in input order. What had not finished is cancelled, once each, and has ended before you
    return. A visit that failed in time has its exception as its result. All early: return early.
    """
    # TODO: decide who was in time before you cancel anybody
    raise NotImplementedError
