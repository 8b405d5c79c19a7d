"""Tells whether anything is under way between the TCP sockets of this network namespace.

A thread that is asleep may be about to be woken by bytes that the kernel still holds back, since an
acknowledgement is due, say.  Asked over netlink the kernel says of each connection how far its bytes have
come.  To search its table for connections takes it up to half a millisecond, since the table has room for all
that this machine could ever have; writing it out as /proc/net/tcp takes ten times as long and tells less.  So
the table is searched only when a connection has been opened since the last time, which the kernel counts;
otherwise it is asked for each of those that there were then, which takes a few microseconds.

Facts: sock_diag(7); linux/inet_diag.h and linux/tcp.h; the states and timers of net/tcp_states.h and
proc_net_tcp; ActiveOpens and PassiveOpens of RFC 4022, in /proc/net/snmp.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

ESTABLISHED, SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2 = 1, 2, 3, 4, 5
CLOSE_WAIT, LAST_ACK, CLOSING = 8, 9, 11
OPEN = (ESTABLISHED, CLOSE_WAIT)
"""States in which something is under way only while there are bytes that have not been acknowledged."""
UNDER_WAY = (SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, LAST_ACK, CLOSING)
"""States that pass by themselves."""
SILENT = (FIN_WAIT_2,)
"""States of an end that has nothing more to say; the other may have."""
_STATES = sum(1 << state for state in (*OPEN, *UNDER_WAY, *SILENT))
PROBING = 4
"""The timer of a socket that sends nothing at present: because its peer does not read, or it waits for more."""

_FAMILIES = (
    (socket.AF_INET, "/proc/net/sockstat", "/proc/net/tcp"),
    (socket.AF_INET6, "/proc/net/sockstat6", "/proc/net/tcp6"),
)
_OPENED = "/proc/net/snmp"
MOST_KNOWN = 32
"""Connections' ends that are asked for one by one; the answers for many more would not fit into the socket's buffer."""
_NETLINK_SOCK_DIAG, _BY_FAMILY, _ONE, _DUMP = 4, 20, 0x1, 0x301
_ERROR, _DONE = 2, 3
_INFO = 2
"""The attribute that holds a `struct tcp_info`."""
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI2s2s16s16sIII")
"""`struct inet_diag_req_v2`: family, protocol, what is to be told, states; ports, addresses, device and cookie."""
_ANY = bytes(2), bytes(2), bytes(16), bytes(16), 0, 0, 0
_NO_COOKIE = 0xFFFFFFFF
_SOCKET = struct.Struct("=BBBx2s2s16s16s20xII4x")
"""`struct inet_diag_msg`: family, state, timer, ports, addresses, bytes without an acknowledgement, owner."""
_ATTRIBUTE = struct.Struct("=HH")
_INTEGER = struct.Struct("=i")
_TCP_INFO = struct.Struct("=128xQ8xI52xQQ12xI")
"""Bytes received, not sent yet, sent, and of these sent again; for how many the peer has room."""


class Connection(NamedTuple):
    """One end of a connection."""

    owner: int
    """A user's number."""
    state: int
    timer: int
    unacknowledged: int
    """Bytes that it has to send, or has sent without having heard of their arrival."""
    family: int = 0
    here: bytes = b""
    """A port and an address, as in `struct inet_diag_sockid`."""
    there: bytes = b""
    received: int = -1
    unsent: int = -1
    sent: int = -1
    room: int = -1
    """These are -1 where the kernel does not tell."""


class Loopback:
    """The TCP sockets of this process's user, in the network namespace in which this was made."""

    def __init__(self) -> None:
        self._user = os.getuid()
        self._files: dict[str, int] = {}
        self._found: list[Connection] = []
        self._opened: list[bytes] = []
        """How many connections had been opened when the table was searched; empty where the kernel does not count."""
        self._netlink: socket.socket | None = None
        try:
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
        except OSError:
            self.close()

    def in_flight(self) -> bool:
        """Whether bytes or handshakes are under way; not what has come, but was not acknowledged yet."""
        found = self.connections()
        ends = {(end.here, end.there): end for end in found}
        return any(_is_under_way(end, ends.get((end.there, end.here))) for end in found)

    def connections(self) -> list[Connection]:
        """Every end of a connection that may be under way."""
        opened = self._count_opened()
        if self._netlink is None or not opened or opened != self._opened or len(self._found) > MOST_KNOWN:
            self._found = self._searched()
        else:
            self._found = self._asked_again(self._netlink)
        self._opened = opened
        # A handshake that the kernel still makes is nobody's yet.
        return [end for end in self._found if end.owner == self._user or end.state == SYN_RECEIVED]

    def close(self) -> None:
        """Ask over netlink no more."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _count_opened(self) -> list[bytes]:
        """How many connections have been opened from here, and how many to here, in all the time."""
        with contextlib.suppress(OSError, IndexError):
            return self._read(_OPENED).split(b"\nTcp: ")[2].split(b" ", 6)[4:6]
        return []

    def _searched(self) -> list[Connection]:
        found: list[Connection] = []
        for family, count, table in _FAMILIES:
            # Counting them takes the kernel a few microseconds.
            with contextlib.suppress(FileNotFoundError):  # it does without this family
                if not re.search(rb"^TCP6?: inuse 0\b", self._read(count), re.MULTILINE):
                    found += self._asked(family, table)
        return found

    def _asked(self, family: int, table: str) -> list[Connection]:
        if self._netlink is not None:
            try:
                return self._dumped(self._netlink, family)
            except OSError:
                self.close()  # this kernel has no such service
        return _written_out(table)

    @staticmethod
    def _dumped(netlink: socket.socket, family: int) -> list[Connection]:
        netlink.send(_request(_DUMP, family, _ANY))
        found: list[Connection] = []
        while True:
            for kind, data in _messages(netlink.recv(1 << 16)):
                if kind == _DONE:
                    return found
                if kind == _ERROR:
                    raise OSError("sock_diag is refused")
                found.append(_end(data))

    def _asked_again(self, netlink: socket.socket) -> list[Connection]:
        """Those of the ends found before that are still there."""
        requests = []
        for end in self._found:
            ports, addresses = (end.here[:2], end.there[:2]), (end.here[2:], end.there[2:])
            requests.append(_request(_ONE, end.family, (*ports, *addresses, 0, _NO_COOKIE, _NO_COOKIE)))
        found: list[Connection] = []
        try:
            if requests:
                netlink.send(b"".join(requests))
            for _ in requests:  # each has one answer, and all are there by now
                for kind, data in _messages(netlink.recv(1 << 16, socket.MSG_DONTWAIT)):
                    if kind != _ERROR:
                        found.append(_end(data))
                    elif -_INTEGER.unpack_from(data)[0] != errno.ENOENT:
                        raise OSError("sock_diag is refused")
        except OSError:
            self.close()
            return self._searched()
        # In place of one that is gone the kernel tells of the server that listens at its port.
        return [end for end in found if 1 << end.state & _STATES]

    def _read(self, path: str) -> bytes:
        """The beginning of a file of /proc/net, which is a page and more; kept open, since opening takes longest."""
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(file, 1 << 16, 0)


def _request(flags: int, family: int, ends: tuple[Any, ...]) -> bytes:
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _STATES, *ends)
    return _HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, flags, 0, 0) + request


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kinds and contents of what has come over netlink."""
    while data:
        size, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : size]
        data = data[(size + 3) & ~3 :]


def _is_under_way(end: Connection, peer: Connection | None) -> bool:
    """Whether the peer, which is None where it is not known, is still to hear of something from this end."""
    if end.timer == PROBING and end.room < end.unacknowledged:
        return False  # what it has to say has no room with a peer that does not read
    if end.state == FIN_WAIT_1:
        return peer is None or peer.state != CLOSE_WAIT
    if end.state in OPEN:
        return end.unacknowledged > 0 and (end.unsent != 0 or peer is None or end.sent != peer.received)
    return end.state in UNDER_WAY


def _end(data: bytes) -> Connection:
    family, state, timer, port, other_port, address, other_address, unacknowledged, owner = _SOCKET.unpack_from(data)
    ends = family, port + address, other_port + other_address
    data = data[_SOCKET.size :]
    while data:
        size, kind = _ATTRIBUTE.unpack_from(data)
        if kind == _INFO and size >= _ATTRIBUTE.size + _TCP_INFO.size:
            received, unsent, sent, again, room = _TCP_INFO.unpack_from(data, _ATTRIBUTE.size)
            return Connection(owner, state, timer, unacknowledged, *ends, received, unsent, sent - again, room)
        data = data[(size + 3) & ~3 :]
    return Connection(owner, state, timer, unacknowledged, *ends)


def _written_out(table: str) -> list[Connection]:
    rows = [line.split() for line in _read(table).splitlines()[1:]]
    return [
        Connection(int(row[7]), int(row[3], 16), int(row[5].partition(b":")[0], 16), int(row[4].partition(b":")[0], 16))
        for row in rows
    ]


def _read(path: str) -> bytes:
    """All of a file of /proc, which gives a page at a time."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: os.read(descriptor, 1 << 16), b""))
    finally:
        os.close(descriptor)
