"""Frames over a socket, with a time limit and a size limit: how messages reach the grader."""

from __future__ import annotations

import socket
import time

from checker import messages
from checker.values import Malformed, TooMuch
from checker.world.pulse import BEAT, Pulse

MAX_RUN_BYTES = 32 << 20
"""Bytes that one run may send altogether."""


class Silence(Exception):
    """Nothing has come within the time limit."""


class Channel:
    """The grader's end of a socket to untrusted code.

    Args:
        sock: connected stream socket.
        deadline: real moment (`time.monotonic`) after which `receive` gives up; put off by as long as the grader
            stands still.
        pulse: notices that it does.
    """

    def __init__(self, sock: socket.socket, deadline: float, pulse: Pulse) -> None:
        self._sock = sock
        self.deadline = deadline
        self._pulse = pulse
        self._budget = MAX_RUN_BYTES
        self._buffer = bytearray()

    def receive(self) -> bytes | None:
        """The body of the next frame; None at the end of the stream.

        Raises:
            Silence: the time limit has passed.
            Malformed: the frame is too long, or cut off, or there have been too many.
        """
        header = self._take(messages.HEADER)
        if header is None:
            return None
        size = messages.frame_length(header)
        if size > messages.MAX_FRAME:
            raise Malformed(f"a message of {size} bytes; at most {messages.MAX_FRAME} are read")
        self._budget -= size + messages.HEADER
        if self._budget < 0:
            raise TooMuch(f"more than {MAX_RUN_BYTES >> 20} MiB of messages")
        body = self._take(size)
        if body is None:
            raise Malformed("a message cut off in the middle")
        return body

    def send(self, message: messages.ToRunner) -> None:
        """Send a reply; a runner that is gone is noticed at the next `receive`."""
        patience = max(0.01, self.deadline - time.monotonic())
        try:
            self._sock.settimeout(patience)
            self._sock.sendall(messages.frame(message))
        except TimeoutError:
            raise Silence from None
        except OSError:
            pass
        finally:
            self.deadline += self._pulse.beat(patience)

    def _take(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            self.deadline += self._pulse.beat()
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise Silence
            wait = min(left, BEAT)
            self._sock.settimeout(wait)
            try:
                part = self._sock.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                part = b""
            finally:
                self.deadline += self._pulse.beat(wait)
            if not part:
                if self._buffer:
                    raise Malformed("a message cut off in the middle")
                return None
            self._buffer += part
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
