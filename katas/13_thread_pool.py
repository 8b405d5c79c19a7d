"""Thread pool: let threads do the blocking, and keep the loop free.

Some libraries know nothing of asyncio: a call into them holds its thread until it returns. You run
such calls in threads, hear from them while they work, and end them when their time is up.
"""

import threading
from collections.abc import Callable
from typing import Any

Progress = Callable[[float], None]

# TODO: a cancel ends an await, not a thread. Who waits for the thread then, and where?


async def titles(
    fetch: Callable[[str], str], urls: list[str], workers: int
) -> list[str | Exception | None]:
    """Call the blocking `fetch(url)` of every url in threads, at most `workers` at the same time.

    `fetch` returns a page's html. The result for a page is the text of its first `<title>`,
    stripped (`""` if empty, `None` where there is none): any case of letters, maybe with
    attributes or over several lines, no entities. An `Exception` takes its own place. In the order
    of `urls`; no urls, no thread. The loop stays free, and the pool is gone on return.

    Cancelled, start no further fetch, wait for those under way (the loop free, whatever further
    cancels come), then let `CancelledError` out.
    """
    raise NotImplementedError


async def with_progress(job: Callable[[Progress], Any], report: Progress) -> Any:
    """Run the blocking `job(progress)` in a thread; return its result or raise its error.

    The job calls `progress(fraction)` in its thread. Each call leads to one `report(fraction)` in
    the loop's thread: promptly, in order, and all of them before you return or raise. `report` is
    a plain function and does not fail. Cancelled, wait for the thread as in `titles`.
    """
    raise NotImplementedError


# TODO: `stop.wait()` would block the loop; which side has to watch `stop`, and which to set it?
async def stop_after(job: Callable[[threading.Event], Any], timeout: float) -> Any:
    """Run the blocking `job(stop)` in a thread, for at most `timeout` seconds.

    A job that ends in time gives its result or its error. At `timeout`, or when you are cancelled,
    set `stop`, wait for the thread to end (the loop free, a second cancel does not get out
    earlier), then raise `TimeoutError`, whatever the job returned on being told, or
    `CancelledError`.
    """
    raise NotImplementedError
