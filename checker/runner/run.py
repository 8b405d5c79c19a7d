"""A process that plays runs, as the zygote knows it, and how orders reach it and the zygote."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from typing import Any

from checker import messages

READY = b"."
"""What a run's process says when it is ready for its first run, and after each that has left nothing behind."""


@dataclass
class Run:
    """A process that plays runs of one submission in one kata.

    After a run that leaves nothing behind it waits for the next: to fork, to compile and to touch all the
    pages again would cost several times what a run does.
    """

    order: messages.Play
    pid: int
    encore: socket.socket
    """Orders go down here; a byte comes back when a run is over and the next one may come."""
    asked: int
    answer: int
    folder: str | None
    family: socket.socket | None
    """Down here a run that cannot see /proc asks for its child processes."""
    limits: messages.Limits
    """As the kernel is to apply them."""
    fault: str = ""
    """Why the process is not fit for a run, which is the machine's doing; empty where it is."""
    played: int = 0

    def fits(self, order: messages.Play) -> bool:
        """Whether an order is for the same file of the same submission, and may share a process."""
        mine = self.order
        same = all(getattr(mine, name) == getattr(order, name) for name in ("kata", "source", "limits", "network"))
        return same and not order.alone


def receive(source: socket.socket) -> tuple[Any, list[int]]:
    """An order and its descriptors; None at the end of the stream."""
    header, descriptors, _, _ = socket.recv_fds(source, messages.HEADER, 2)
    if not header:
        return None, []
    size = messages.frame_length(header)
    body = bytearray()
    while len(body) < size:
        part = source.recv(size - len(body))
        if not part:
            return None, []
        body += part
    return messages.decode_control(bytes(body)), descriptors


def send_signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended, or may be out of reach."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
