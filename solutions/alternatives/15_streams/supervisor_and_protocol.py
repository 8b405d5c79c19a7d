"""A supervising task with a TaskGroup feeds the generator; the server is an `asyncio.Protocol`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

LONGEST_LINE = 65_536


async def fetch(host: str, port: int, path: str) -> bytes:
    async with AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection(host, port)
        stack.push_async_callback(_close, writer)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        return await _reply(reader)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _reply(reader: asyncio.StreamReader) -> bytes:
    status_line = await reader.readuntil(b"\n")
    headers: dict[bytes, bytes] = {}
    while (line := await reader.readuntil(b"\n")) != b"\r\n":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip().lower()
    _, status, *_ = status_line.split()
    if int(status) >= 400:
        raise ValueError(f"Status {int(status)}")
    match headers:
        case {b"transfer-encoding": b"chunked"}:
            return b"".join([part async for part in _chunks(reader)])
        case {b"content-length": length}:
            return await reader.readexactly(int(length))
        case _:
            return await reader.read()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\n") != b"\r\n":
        pass


async def fetch_each(host: str, port: int, paths: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    pairs: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()

    async def fetch_one(path: str) -> None:
        pairs.put_nowait((path, await fetch(host, port, path)))

    async def fetch_all() -> None:
        # The group lives in a task of its own: around a `yield` it would cancel the caller.
        try:
            async with asyncio.TaskGroup() as group:
                for path in paths:
                    group.create_task(fetch_one(path))
        finally:
            pairs.put_nowait(None)

    supervisor = asyncio.create_task(fetch_all())
    try:
        while (pair := await pairs.get()) is not None:
            yield pair
        await asyncio.wait([supervisor])
        if error := supervisor.exception():
            raise error.exceptions[0] if isinstance(error, ExceptionGroup) else error
    finally:
        supervisor.cancel()
        await _ended(supervisor)


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait until `task` has ended; a cancellation of the waiting goes on afterwards."""
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interrupted = error
    if not task.cancelled():
        task.exception()
    if interrupted:
        raise interrupted


async def serve_upper(host: str, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Upper, host, port, start_serving=False)
    try:
        await server.start_serving()
    except asyncio.CancelledError:
        server.close()
        raise
    return server


class _Upper(asyncio.Protocol):
    """One client: what has arrived of a line, and the way back."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._begun = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._begun += data
        *lines, self._begun = self._begun.split(b"\n")
        answers: list[bytes] = []
        for line in lines:
            if len(line) > LONGEST_LINE:
                self._begun = line
                break
            answers.append(line.decode(errors="replace").upper().encode())
            answers.append(b"\n")
        if too_long := len(self._begun) > LONGEST_LINE:
            answers.append(b"line too long\n")
        self.transport.write(b"".join(answers))
        if too_long:
            self.transport.close()

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()
