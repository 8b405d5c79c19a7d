"""A parser that is a generator, sent pieces by either side; threads by hand, without a pool."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator

Target = tuple[str, int, str]
Reply = tuple[int, bytes]
Parser = Generator[None, bytes, Reply]


def _parse() -> Parser:
    """Send it the pieces, and b"" at the end of the stream; it returns status and body."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (piece := (yield)):
            raise ConnectionError("the stream ended in the head")
        head += piece
    head, _, rest = head.partition(b"\r\n\r\n")
    status_line, *lines = head.split(b"\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(b":") for line in lines)}
    length = int(fields.get(b"content-length", -1))

    pieces, received = [rest], len(rest)
    while length < 0 or received < length:
        if not (piece := (yield)):
            break
        pieces.append(piece)
        received += len(piece)
    if received < length:
        raise ConnectionError(f"the stream ended {length - received} bytes early")
    body = b"".join(pieces)
    return int(status_line.split()[1]), body[:length] if length >= 0 else body


def _request(host: str, port: int, path: str) -> bytes:
    start = b"GET %b HTTP/1.1\r\nHost: %b:%d\r\n" % (path.encode(), host.encode(), port)
    return start + b"Connection: close\r\n\r\n"


def fetch(host: str, port: int, path: str) -> Reply:
    sock = socket.create_connection((host, port))
    try:
        sock.sendall(_request(host, port, path))
        with contextlib.closing(_parse()) as parser:
            next(parser)
            while True:
                parser.send(sock.recv(4096))
    except StopIteration as done:
        return done.value
    finally:
        sock.close()


async def sock_fetch(host: str, port: int, path: str) -> Reply:
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, (host, port))
        await loop.sock_sendall(sock, _request(host, port, path))
        with contextlib.closing(_parse()) as parser:
            next(parser)
            while True:
                parser.send(await loop.sock_recv(sock, 4096))
    except StopIteration as done:
        return done.value
    finally:
        sock.close()


async def fetch_many(targets: list[Target], workers: int) -> list[Reply | Exception]:
    loop = asyncio.get_running_loop()
    results: list[Reply | Exception | None] = [None] * len(targets)
    lock = threading.Lock()
    todo = list(enumerate(targets))[::-1]

    def work(ended: asyncio.Future[None]) -> None:
        while True:
            with lock:
                if not todo:
                    break
                place, target = todo.pop()
            try:
                results[place] = fetch(*target)
            except Exception as error:
                results[place] = error
        loop.call_soon_threadsafe(ended.set_result, None)

    crew: list[tuple[threading.Thread, asyncio.Future[None]]] = []
    for _ in range(min(workers, len(targets))):
        ended: asyncio.Future[None] = loop.create_future()
        crew.append((threading.Thread(target=work, args=(ended,)), ended))
        crew[-1][0].start()

    cancel: asyncio.CancelledError | None = None
    for thread, ended in crew:
        while not ended.done():
            try:
                await asyncio.shield(ended)
            except asyncio.CancelledError as error:
                cancel = error
                with lock:
                    todo.clear()
        thread.join()  # it has said that it is at its end
    if cancel is not None:
        raise cancel
    return [result for result in results if result is not None]
