"""Streams: a small HTTP client and a line server on the loop.

A stream has no messages, only bytes that arrive in whatever pieces the network likes. You decide
where a reply or a line ends, when to close, and how fast to write.
"""

import asyncio
from collections.abc import AsyncIterator


# TODO: which method of a stream reader waits until all the bytes that you need are there?
async def fetch(host: str, port: int, path: str) -> bytes:
    """GET `path` over HTTP/1.1 through `asyncio.open_connection`; returns the body of the reply.

    The body ends where its `Content-Length` says, or with the last chunk of a chunked
    `Transfer-Encoding`, or else with the stream. Header names come in any case. A status of 400 or
    more raises `ValueError` naming the status; a reply that is cut short raises an error of any
    type. On every path, also when cancelled, the writer is closed and waited for.
    """
    raise NotImplementedError


# TODO: who still runs when the caller stops reading? End the fetches in a `finally`.
async def fetch_each(host: str, port: int, paths: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    """Async generator: fetch all `paths` at the same time, yield `(path, body)` as each finishes.

    Closed early, it cancels the rest and waits until their connections are closed. The first
    failure is raised, after the same. Paths may repeat. No paths: nothing to yield.
    """
    raise NotImplementedError
    yield


async def serve_upper(host: str, port: int) -> asyncio.Server:
    """Start a server that answers each line with the line in upper case; returns that server.

    It serves any number of clients at the same time. The text is UTF-8, and a line ends at `\\n`
    alone. A client that sends EOF is answered to its last whole line, then closed. A client that
    does not read its answers is not read from without end. A line over 65,536 bytes gets
    `line too long\\n`, and the connection is closed. One client's failure never disturbs another.
    """
    raise NotImplementedError
