"""http.client with a strict head for the blocking side; a TaskGroup and a Semaphore over a pool."""

import asyncio
import contextlib
import http.client
import io
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Target = tuple[str, int, str]


class _WholeLines(io.BufferedReader):
    """A head is read line by line: one without its end means that the stream was cut."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise ConnectionError("cut in the head")
        return line


class _Response(http.client.HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = _WholeLines(self.fp.detach())


class _Connection(http.client.HTTPConnection):
    response_class = _Response


def fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    with contextlib.closing(_Connection(host, port)) as connection:
        connection.request("GET", path, headers={"Connection": "close"})
        with connection.getresponse() as response:
            try:
                return response.status, response.read()
            except http.client.IncompleteRead as error:
                raise ConnectionError("cut in the body") from error


async def _see_out(call: asyncio.Future[Any]) -> Any:
    """The outcome of a call in a thread, from which no cancel leads away before its end."""
    cancelled = False
    while not call.done():
        try:
            await asyncio.shield(call)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return call.result()


async def fetch_many(targets: list[Target], workers: int) -> list[tuple[int, bytes] | Exception]:
    loop = asyncio.get_running_loop()
    semaphore = asyncio.Semaphore(workers)

    def attempt(target: Target) -> tuple[int, bytes] | Exception:
        try:
            return fetch(*target)
        except Exception as error:
            return error

    async def one(target: Target) -> tuple[int, bytes] | Exception:
        async with semaphore:
            return await _see_out(loop.run_in_executor(pool, attempt, target))

    with ThreadPoolExecutor(workers) as pool:  # idle when the group has ended
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(target)) for target in targets]
    return [task.result() for task in tasks]


async def sock_fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        lines = f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close", "", ""
        await loop.sock_sendall(sock, "\r\n".join(lines).encode())

        received = bytearray()
        buffer = bytearray(16_384)
        while (head_end := received.find(b"\r\n\r\n")) < 0:
            if not (count := await loop.sock_recv_into(sock, buffer)):
                raise ConnectionError("cut in the head")
            received += memoryview(buffer)[:count]

        head = io.BytesIO(received[: head_end + 4])
        status = int(head.readline().split()[1])
        headers = http.client.parse_headers(head)
        del received[: head_end + 4]
        length = headers["Content-Length"]  # in any case of letters
        while length is None or len(received) < int(length):
            if not (count := await loop.sock_recv_into(sock, buffer)):
                break
            received += memoryview(buffer)[:count]
        if length is not None and len(received) < int(length):
            raise ConnectionError("cut in the body")
        return status, bytes(received if length is None else received[: int(length)])
    finally:
        sock.close()
