"""What a task brings back, and being told when it does.

A task is a promise with a name: it can be kept, read later, and it calls you back when it ends.
Here you start tasks for somebody else, and report the end of each one, however it ends.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]
Report = Callable[[str, str], object]


def launch(visit: Visit, urls: list[str]) -> dict[str, asyncio.Task[Any]]:
    """Schedule every visit as a Task named after its url, and return the tasks by url at once.

    A plain function, called inside a running loop: no visit has started when it returns. The
    tasks are the caller's from then on. Urls are distinct.
    """
    raise NotImplementedError


async def visit_and_report(visit: Visit, url: str, report: Report) -> Any:
    """Run the visit as a task, report how it ended, and pass on what it brought.

    When the visit ends, the plain `report(url, outcome)` is called exactly once, `outcome` being
    "ok", "error" or "cancelled". After that you return the result, or raise the visit's error or
    CancelledError. Cancelled yourself, you cancel the visit and report when it has ended; a visit
    that never began may be reported or not. An error raised by `report` changes nothing of this:
    swallow it, log it, or leave it to the loop's exception handler.
    """
    # TODO: hand the task something to call when it is done
    raise NotImplementedError


async def report_each(visit: Visit, urls: list[str], report: Report) -> list[Any]:
    """Visit all urls at the same time, each reported as in `visit_and_report`, when it ends.

    So the reports come in finishing order, each with its own url. Returns the results in the
    order of `urls`; a failed visit's exception takes its place in the list.
    """
    # TODO: mind which url each callback remembers
    raise NotImplementedError
