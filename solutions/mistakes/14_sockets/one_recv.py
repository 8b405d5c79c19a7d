"""Your fetch takes the first `recv` for the whole reply: TCP is a stream, so one piece may hold a
part of the reply only, and the rest is lost.

Hint: `recv(n)` gives at most n bytes, whatever has come. Go on until the reply is complete or the
piece is empty: https://docs.python.org/3/howto/sockets.html#using-a-socket

Violates: result
"""

import asyncio
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Target = tuple[str, int, str]  # host, port, path

_PIECE = 65_536


class _Reply:
    """An HTTP reply, put together from pieces of any size; an empty piece is the stream's end."""

    def __init__(self) -> None:
        self.complete = False
        self.status = 0
        self.body = b""
        self._received = bytearray()
        self._body_starts = 0  # 0 while the head is not complete
        self._ends: int | None = None  # known from Content-Length only

    def feed(self, piece: bytes) -> None:
        """Take one piece; `ConnectionError` if the stream has ended before the reply."""
        self._received += piece
        if not self._body_starts and (head_ends := self._received.find(b"\r\n\r\n")) >= 0:
            self._read_head(head_ends)
        if self._ends is not None and len(self._received) >= self._ends:
            self.complete = True
        elif not piece:
            if not self._body_starts or self._ends is not None:
                raise ConnectionError("The server closed the connection in the middle of its reply")
            self.complete = True
        if self.complete:
            self.body = bytes(self._received[self._body_starts : self._ends])

    def _read_head(self, head_ends: int) -> None:
        status_line, *lines = self._received[:head_ends].decode("latin-1").split("\r\n")
        self.status = int(status_line.split()[1])
        self._body_starts = head_ends + 4
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                self._ends = self._body_starts + int(value)


def _request(host: str, port: int, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()


def fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    """One GET on a blocking socket; status and body."""
    with socket.create_connection((host, port)) as sock:
        sock.sendall(_request(host, port, path))
        piece = sock.recv(_PIECE)
    if b"\r\n\r\n" not in piece:
        raise ConnectionError("The head is not whole")
    head, _, body = piece.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def _outlast(calls: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all calls have ended, whatever cancels come meanwhile."""
    while not all(call.done() for call in calls):
        try:
            await asyncio.wait(calls)
        except asyncio.CancelledError:
            continue  # a thread cannot be stopped


async def fetch_many(targets: list[Target], workers: int) -> list[tuple[int, bytes] | Exception]:
    """`fetch` in at most `workers` threads; in order, a failure in its place."""

    def attempt(host: str, port: int, path: str) -> tuple[int, bytes] | Exception:
        try:
            return fetch(host, port, path)
        except Exception as error:
            return error

    if not targets:
        return []
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(workers)
    calls = [loop.run_in_executor(pool, attempt, *target) for target in targets]
    try:
        await asyncio.wait(calls)
    except asyncio.CancelledError:
        pool.shutdown(wait=False, cancel_futures=True)  # drops what has not begun
        await _outlast(calls)
        raise
    finally:
        pool.shutdown()  # no call is under way any more: this blocks nobody
    return [call.result() for call in calls]


async def sock_fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    """One GET on a non-blocking socket, watched by the loop; status and body."""
    loop = asyncio.get_running_loop()
    reply = _Reply()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        await loop.sock_sendall(sock, _request(host, port, path))
        while not reply.complete:
            reply.feed(await loop.sock_recv(sock, _PIECE))
    return reply.status, reply.body
