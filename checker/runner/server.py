"""An HTTP server on the sandbox's loopback whose replies the world decides: when, which bytes, cut where.

It runs in a thread of its own, on a virtual loop of its own.  A request is a call labelled `request`, keyed
by its path; what the world gives out for it is the list of pieces to send.  Between two pieces a moment of
virtual time passes, so whatever the client could read of the first it has read before the second comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import Generator
from typing import Any

from checker.runner.link import Call, Link
from checker.runner.stage import Stage

BETWEEN_PIECES = 0.125
"""Virtual seconds between two pieces of a reply."""


class Server:
    """Serves connections until it is stopped. `address` is where.

    What a piece may be: bytes, to be sent; a number, virtual seconds to wait; `"reset"`, to break the
    connection off.  After the last piece the server closes its side and waits for the client to close too.
    Notes `connected`, `closed` (by the client) and `unread` (it stopped reading) with the connection's number.
    """

    def __init__(self, link: Link, stage: Stage, name: str) -> None:
        self._link = link
        self._stage = stage
        self._name = name
        self._connections = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=name, daemon=True)

    def start(self) -> None:
        """Start serving; returns when clients can connect."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop serving and break off every connection; returns when the thread has ended."""
        if self._loop is not None and self._main is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        server = await asyncio.start_server(self._connected, self.address[0], 0)
        self.address = server.sockets[0].getsockname()[:2]
        self._ready.set()
        try:
            # Not `serve_forever`: cancelled, it waits for every connection from Python 3.12 on.
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop.create_future()
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        self._stage.note("connected", number)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._reply(number, reader, writer)
                with contextlib.suppress(OSError):
                    writer.write_eof()
                await reader.read()
            self._stage.note("closed", number)
        except asyncio.CancelledError:
            pass  # the server stops, and the client has not closed
        finally:
            writer.close()

    async def _reply(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, *_ = [*head.partition("\r\n")[0].split(" "), "", ""]
        request = {"method": method, "head": head, "connection": number, "server": self._name}
        pieces = await self._until_hangup(self._link.open("request", (path,), request), reader)
        for place, piece in enumerate(pieces):
            if piece == "reset":
                _reset(writer)
                return
            if isinstance(piece, int | float):
                await asyncio.sleep(piece)
                continue
            if place:
                await asyncio.sleep(BETWEEN_PIECES)
            writer.write(piece)
            await writer.drain()

    async def _until_hangup(self, call: Call, reader: asyncio.StreamReader) -> list[Any]:
        """What the world gives out for a request; if the client hangs up first, the call is cancelled."""
        call.loop = asyncio.get_running_loop()
        call.future = call.loop.create_future()
        hangup = asyncio.ensure_future(reader.read())
        try:
            await asyncio.wait({call.future, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if call.future.done():
                return list(call.future.result() or ())
            raise ConnectionResetError
        finally:
            if not call.future.done():
                self._link.cancelled(call)
            hangup.cancel()
            await asyncio.wait({hangup})


def _reset(writer: asyncio.StreamWriter) -> None:
    import socket

    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def serving(link: Link, stage: Stage, name: str) -> Generator[tuple[str, int]]:
    """Serve while the block runs; gives host and port."""
    server = Server(link, stage, name)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
