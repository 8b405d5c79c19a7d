"""You put each byte into upper case by itself, as if it were a letter; in UTF-8 `é` is two bytes,
so it stays small.

Hint: Decode the line to `str` as UTF-8, use `upper`, and encode it again:
https://docs.python.org/3/library/stdtypes.html#bytes.upper

Violates: result
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator


async def fetch(host: str, port: int, path: str) -> bytes:
    """GET `path` over HTTP/1.1; returns the body of the reply."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        return await _read_body(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # the peer may have reset what we are done with
            await writer.wait_closed()


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *header_lines = head.decode("latin-1").rstrip().split("\r\n")
    status = int(status_line.split()[1])
    if status >= 400:
        raise ValueError(f"The server answered with status {status}")
    headers = {}
    for line in header_lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(len(b"\r\n"))
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers end with an empty line
    return bytes(body)


async def fetch_each(host: str, port: int, paths: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    """Fetch all `paths` at the same time; yield `(path, body)` as each finishes."""

    async def fetch_one(path: str) -> tuple[str, bytes]:
        return path, await fetch(host, port, path)

    tasks = [asyncio.create_task(fetch_one(path)) for path in paths]
    try:
        for next_done in asyncio.as_completed(tasks):
            yield await next_done
    finally:
        await _end(tasks)


async def _end(tasks: list[asyncio.Task[tuple[str, bytes]]]) -> None:
    """Cancel the tasks and wait until all have ended, even if the waiting is cancelled."""
    for task in tasks:
        task.cancel()
    all_ended = asyncio.gather(*tasks, return_exceptions=True)
    try:
        await asyncio.shield(all_ended)  # the shield: a second cancel would cut their cleanup
    except asyncio.CancelledError:
        await all_ended
        raise


async def serve_upper(host: str, port: int) -> asyncio.Server:
    """Start a server that answers each line with the line in upper case."""
    server = await asyncio.start_server(_answer_lines, host, port, start_serving=False)
    try:
        await server.start_serving()
    except asyncio.CancelledError:
        server.close()
        raise
    return server


async def _answer_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                break  # EOF; what follows the last "\n" is no line
            except asyncio.LimitOverrunError:
                writer.write(b"line too long\n")
                break
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()
    except OSError:
        pass  # this client is gone; the others are not concerned
    except asyncio.CancelledError:
        writer.transport.abort()  # nobody waits until this client has read
        raise
    finally:
        writer.close()
