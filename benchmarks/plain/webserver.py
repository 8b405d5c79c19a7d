"""A real web server for the plain suites of the clients: it decides when which bytes come, cut where."""

import select
import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress

from recorder import UNIT, Clock


class _Listener(socketserver.ThreadingTCPServer):
    """Listens for many clients at once."""

    request_queue_size = 64


class Site:
    """A web server on 127.0.0.1 that answers each path with a reply of its own; it writes down what it sees.

    A reply is the units to wait and the pieces to send, a little apart: bytes, units to wait, or `"reset"`.
    """

    def __init__(self, replies, clock=None):
        self.replies = replies
        self.clock = clock or Clock()
        self.heads, self.starts, self.ends, self.broken_off, self.order = {}, {}, {}, {}, []
        self.connected = self.closed = 0
        self._lock, self._open, self._over = threading.Lock(), set(), False

    def __enter__(self):
        self._listener = _Listener(("127.0.0.1", 0), lambda connection, *_: self._serve(connection))
        self.address = self._listener.server_address
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), name="site").start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._listener.shutdown()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._listener.server_close()

    def left_open(self):
        """How many connections the client has not closed by now; the news may take a moment to come."""
        give_up = time.monotonic() + UNIT
        while self.closed < self.connected and time.monotonic() < give_up:
            time.sleep(0.001)
        return self.connected - self.closed

    def _serve(self, connection):
        with self._lock:
            self.connected += 1
            self._open.add(connection)
        try:
            self._answer(connection)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
        except OSError:
            pass
        with self._lock:
            self._open.discard(connection)
            self.closed += not self._over

    def _answer(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := connection.recv(65_536)):
                return
            head += data
        path = head.split()[1].decode()
        delay, *pieces = self.replies[path]
        with self._lock:
            self.heads[path], self.starts[path] = head.decode(), self.clock.now()
            self.order.append(path)
        hung_up = self._hangs_up(connection, delay)
        with self._lock:
            (self.broken_off if hung_up else self.ends)[path] = self.clock.now()
        for place, piece in enumerate([] if hung_up else pieces):
            if piece == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            elif isinstance(piece, bytes):
                time.sleep(UNIT / 8 if place else 0)
                connection.sendall(piece)
            elif self._hangs_up(connection, piece):
                return

    def _hangs_up(self, connection, units):
        """Whether the client hangs up before so many units are over."""
        return bool(select.select([connection], [], [], units * UNIT)[0])
