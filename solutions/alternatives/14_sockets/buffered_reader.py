"""Readers with readline and read: the socket's own makefile, and its like on the loop."""

import asyncio
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor

Target = tuple[str, int, str]


class _Cut(ConnectionError):
    pass


def _request(host: str, port: int, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("latin-1")


def _length(lines: list[bytes]) -> int | None:
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return None


def _status(line: bytes) -> int:
    return int(line.split(b" ")[1])


def fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    with socket.create_connection((host, port)) as sock, sock.makefile("rb") as stream:
        sock.sendall(_request(host, port, path))
        lines: list[bytes] = []
        while (line := stream.readline()) != b"\r\n":
            if not line.endswith(b"\n"):
                raise _Cut("the head is not whole")
            lines.append(line)
        length = _length(lines)
        body = stream.read() if length is None else stream.read(length)
        if length is not None and len(body) < length:
            raise _Cut(f"{len(body)} bytes of {length}")
        return _status(lines[0]), body


class _LoopReader:
    """What makefile gives to blocking code, for code on the loop."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._ended = False

    async def _fill(self) -> None:
        piece = await asyncio.get_running_loop().sock_recv(self._sock, 8192)
        self._buffer += piece
        self._ended = not piece

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def readline(self) -> bytes:
        while b"\n" not in self._buffer and not self._ended:
            await self._fill()
        return self._take(self._buffer.find(b"\n") + 1 or len(self._buffer))

    async def read(self, count: int | None) -> bytes:
        while not self._ended and (count is None or len(self._buffer) < count):
            await self._fill()
        return self._take(len(self._buffer) if count is None else count)


async def sock_fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        await loop.sock_sendall(sock, _request(host, port, path))
        stream = _LoopReader(sock)
        lines: list[bytes] = []
        while (line := await stream.readline()) != b"\r\n":
            if not line.endswith(b"\n"):
                raise _Cut("the head is not whole")
            lines.append(line)
        length = _length(lines)
        body = await stream.read(length)
        if length is not None and len(body) < length:
            raise _Cut(f"{len(body)} bytes of {length}")
        return _status(lines[0]), body


async def fetch_many(targets: list[Target], workers: int) -> list[tuple[int, bytes] | Exception]:
    loop = asyncio.get_running_loop()
    results: dict[int, tuple[int, bytes] | Exception] = {}
    todo = deque(enumerate(targets))

    async def work() -> None:
        while todo:
            place, target = todo.popleft()
            try:
                results[place] = await loop.run_in_executor(pool, fetch, *target)
            except Exception as error:
                results[place] = error

    pool = ThreadPoolExecutor(workers)
    crew = {asyncio.create_task(work()) for _ in range(min(workers, len(targets)))}
    cancel: asyncio.CancelledError | None = None
    while crew:
        try:
            _, crew = await asyncio.wait(crew)
        except asyncio.CancelledError as error:
            cancel = error
            todo.clear()  # each worker ends with the request that it is at
            crew = {task for task in crew if not task.done()}
    pool.shutdown()
    if cancel is not None:
        raise cancel
    return [results[place] for place in range(len(targets))]
