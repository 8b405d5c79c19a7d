"""Done-callbacks that fill a queue; a context manager for the connection; `async for` lines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def _connection(
    host: str, port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def fetch(host: str, port: int, path: str) -> bytes:
    async with _connection(host, port) as (reader, writer):
        writer.write(b"GET %b HTTP/1.1\r\n" % path.encode())
        writer.writelines(
            [b"Host: %b:%d\r\n" % (host.encode(), port), b"Connection: close\r\n\r\n"]
        )
        await writer.drain()

        status = int((await _line(reader)).split()[1])
        if status >= 400:
            raise ValueError(f"{path} gives status {status}")
        length: int | None = None
        chunked = False
        while line := await _line(reader):
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = b"chunked" in value
        if not chunked:
            return await (reader.read() if length is None else reader.readexactly(length))
        parts: list[bytes] = []
        while True:
            size = int((await _line(reader)).split(b";")[0], 16)
            if not size:
                break
            parts.append(await reader.readexactly(size))
            await _line(reader)
        while await _line(reader):
            pass
        return b"".join(parts)


async def _line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise EOFError("The reply ends in the middle of a line")
    return line.rstrip(b"\r\n")


async def fetch_each(host: str, port: int, paths: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    ended: asyncio.Queue[asyncio.Task[bytes]] = asyncio.Queue()
    path_of: dict[asyncio.Task[bytes], str] = {}
    for path in paths:
        task = asyncio.create_task(fetch(host, port, path))
        path_of[task] = path
        task.add_done_callback(ended.put_nowait)
    left = len(path_of)
    try:
        while left:
            task = await ended.get()
            left -= 1
            yield path_of[task], task.result()
    finally:
        for task in path_of:
            task.cancel()
        interrupted = False
        while left:
            try:
                task = await ended.get()
            except asyncio.CancelledError:
                interrupted = True
                continue
            left -= 1
            if not task.cancelled():
                task.exception()
        if interrupted:
            raise asyncio.CancelledError


async def serve_upper(host: str, port: int) -> asyncio.Server:
    server = await asyncio.start_server(_serve, host, port, start_serving=False)
    try:
        await server.start_serving()
    except BaseException:
        server.close()
        raise
    return server


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await _answer(reader, writer)
        writer.close()
        await writer.wait_closed()
    except OSError:
        pass
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async for line in reader:
            if not line.endswith(b"\n"):
                return
            writer.write(line.decode("utf-8", "replace").upper().encode())
            await writer.drain()
    except ValueError:  # how `readline` says that a line is over the limit
        writer.write(b"line too long\n")
