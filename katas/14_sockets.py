"""Sockets: bytes that come in pieces, in a thread and on the loop.

Under every web client there is a socket. You write one GET by hand, blocking first, then many of
them in a pool of threads, then without any thread: a non-blocking socket that the loop watches.
"""

Target = tuple[str, int, str]  # host, port, path

# TODO: how do you know, after any piece, whether the reply is complete, cut short, or still coming?


def fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    """One HTTP/1.1 GET with `Connection: close` on a blocking socket; its status and its body.

    The reply may arrive in pieces of any size. Header names come in any case. With a
    Content-Length the body has that many bytes; without one it goes on to the end of the stream;
    it is never chunked, and the server closes. A reply that is cut anywhere, in its head too,
    raises `ConnectionError`. The socket is closed on every path. `http.client` is allowed.
    """
    raise NotImplementedError


async def fetch_many(targets: list[Target], workers: int) -> list[tuple[int, bytes] | Exception]:
    """`fetch` for every target in threads, at most `workers` at a time over all servers together.

    In the order of `targets`; a failure's exception takes its own place; no targets, no thread.
    Cancelled, begin no further request, wait for those under way (the loop stays free, whatever
    further cancels come), then let `CancelledError` out.
    """
    raise NotImplementedError


# TODO: which calls of a socket have a twin on the loop?
async def sock_fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    """The same as `fetch`, with a non-blocking socket on the loop (`loop.sock_*`) and no thread.

    The loop stays free while it waits. The socket is closed on every path, when cancelled too.
    """
    raise NotImplementedError
