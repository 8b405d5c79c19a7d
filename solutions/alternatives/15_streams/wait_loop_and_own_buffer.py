"""A loop around `asyncio.wait`; replies and lines cut out of a buffer of one's own."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import NamedTuple

LONGEST_LINE = 65_536


class _Buffer:
    """Bytes that have arrived and that nobody has taken yet."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._bytes = b""

    async def _more(self) -> None:
        piece = await self._reader.read(16_384)
        if not piece:
            raise ConnectionError("The reply was cut short")
        self._bytes += piece

    async def until(self, mark: bytes) -> bytes:
        while mark not in self._bytes:
            await self._more()
        found, _, self._bytes = self._bytes.partition(mark)
        return found

    async def exactly(self, size: int) -> bytes:
        if size < 0:
            raise ValueError(f"A size of {size} makes no sense")
        parts: list[bytes] = []
        while size > len(self._bytes):
            size -= len(self._bytes)
            parts.append(self._bytes)
            self._bytes = b""
            await self._more()
        parts.append(self._bytes[:size])
        self._bytes = self._bytes[size:]
        return b"".join(parts)

    async def rest(self) -> bytes:
        return self._bytes + await self._reader.read()


async def fetch(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        return await _body(_Buffer(reader))
    finally:
        try:
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass


async def _body(reply: _Buffer) -> bytes:
    first, *others = (await reply.until(b"\r\n\r\n")).split(b"\r\n")
    status = first.split()[1].decode()
    if int(status) >= 400:
        raise ValueError(status)
    headers = {line.split(b":")[0].lower(): line.split(b":", 1)[-1].strip() for line in others}
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b""
        while size := int((await reply.until(b"\r\n")).split(b";")[0], 16):
            body += await reply.exactly(size)
            await reply.until(b"\r\n")
        while await reply.until(b"\r\n"):
            pass
        return body
    if (length := headers.get(b"content-length")) is not None:
        return await reply.exactly(int(length))
    return await reply.rest()


class _Outcome(NamedTuple):
    place: int
    path: str
    body: bytes
    error: Exception | None


async def fetch_each(host: str, port: int, paths: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    places = itertools.count()

    async def attempt(path: str) -> _Outcome:
        try:
            body = await fetch(host, port, path)
        except Exception as error:
            return _Outcome(next(places), path, b"", error)
        return _Outcome(next(places), path, body, None)

    pending = {asyncio.create_task(attempt(path)) for path in paths}
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            # A set has no order: the tasks themselves have counted in which one they ended.
            for outcome in sorted(task.result() for task in done):
                if outcome.error is not None:
                    raise outcome.error
                yield outcome.path, outcome.body
    finally:
        for task in pending:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while pending:
            try:
                _, pending = await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


async def serve_upper(host: str, port: int) -> asyncio.Server:
    server = await asyncio.start_server(_serve, host, port, start_serving=False)
    started = False
    try:
        await server.start_serving()
        started = True
    finally:
        if not started:
            server.close()
    return server


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        begun = b""
        while len(begun) <= LONGEST_LINE and (data := await reader.read(LONGEST_LINE)):
            *lines, begun = (begun + data).split(b"\n")
            for line in lines:
                if len(line) > LONGEST_LINE:
                    begun = line
                    break
                writer.write(f"{line.decode(errors='replace').upper()}\n".encode())
                await writer.drain()
        if len(begun) > LONGEST_LINE:
            writer.write(b"line too long\n")
        writer.close()
        await writer.wait_closed()
    except OSError:
        pass
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
