"""The suite of 15_streams as one would write it without the checker: plain pytest, in the same process.

The same behaviours as tests/katas/test_15_streams.py, in real time; the clients' server runs in a thread.
"""

import asyncio
import contextlib
import random
import socket
import struct

import pytest
from recorder import UNIT, Clock, about, end_of_cancelled
from webserver import Site

OPEN = 60
"""Units for which a connection stays open behind its reply."""
BINARY = b" \r\n\r\n" + bytes(range(64)) + b"\r\n0\r\n\r\n\xff\xfe\r\nmore\r\n\r\n"
"""A body that is no text and holds whatever might be taken for an end."""


def head(*headers, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", "Server: test", *headers, "", ""]).encode()


def sized(body, *, name="Content-Length", status="200 OK"):
    return head(f"{name}: {len(body)}", "X-Last: yes", status=status) + body


def chunked(*chunks, name="Transfer-Encoding"):
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(f"{name}: chunked", "X-Last: yes") + body + b"0\r\n\r\n"


def pieces(data, *places):
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


async def get(kata, replies):
    """The bodies of all these replies, one after another; by the end of each its connection is closed."""
    bodies = []
    with Site(replies) as site:
        for path in replies:
            bodies.append(await kata.fetch(*site.address, path))
            assert site.left_open() == 0
        return bodies, site.clock.now()


async def test_a_body_ends_where_its_length_says(kata):
    sent = pieces(sized(BINARY), 40, len(sized(BINARY)) - len(BINARY), 100)
    bodies, took = await get(kata, {"/a": (1, *sent, OPEN), "/b": (1, sized(b""), OPEN)})
    assert bodies == [BINARY, b""]
    assert took == about(2.375)


async def test_chunks_are_put_together(kata):
    short = chunked(b"ab")
    cut = short.index(b"\r\n\r\n") + 1
    replies = {
        "/a": (0.5, *pieces(chunked(BINARY, b"middle", BINARY), 40, 90, 150, 200), OPEN),
        "/one-byte-at-a-time": (0.5, *pieces(short, *range(cut, len(short))), OPEN),
        "/c": (0.5, chunked(), OPEN),
    }
    bodies, took = await get(kata, replies)
    assert bodies == [BINARY + b"middle" + BINARY, b"ab", b""]
    assert took < OPEN


async def test_without_either_the_body_goes_to_the_end(kata):
    bodies, _ = await get(kata, {"/a": (0.5, *pieces(head() + BINARY, 20, 80)), "/b": (0.5, head())})
    assert bodies == [BINARY, b""]


async def test_a_body_may_be_big(kata):
    big, *chunks = (random.Random(15).randbytes(size) for size in (310_000, 100_000, 100_000))
    replies = {"/a": (0.5, sized(big)), "/b": (0.5, chunked(*chunks)), "/c": (0.5, head() + chunks[0])}
    bodies, _ = await get(kata, replies)
    assert bodies == [big, b"".join(chunks), chunks[0]]


async def test_header_names_come_in_any_case(kata):
    replies = {
        "/a": (0.5, sized(BINARY, name="content-length"), OPEN),
        "/b": (0.5, sized(b"short", name="CONTENT-LENGTH"), OPEN),
        "/c": (0.5, chunked(BINARY, name="tRANSFER-eNCODING"), OPEN),
    }
    bodies, took = await get(kata, replies)
    assert bodies == [BINARY, b"short", BINARY]
    assert took == about(1.5)


@pytest.mark.parametrize("status", [250, 399, 400, 503])
async def test_a_bad_status_raises(kata, status):
    with Site({"/page": (0.5, sized(b"body", status=f"{status} Or So"))}) as site:
        if status < 400:
            assert await kata.fetch(*site.address, "/page") == b"body"
        else:
            with pytest.raises(ValueError, match=str(status)):
                await kata.fetch(*site.address, "/page")
        assert site.left_open() == 0


PLAIN, PARTS = sized(b"x" * 45), chunked(b"y" * 20, b"z" * 25)
END, FIRST = PLAIN.index(b"\r\n\r\n"), PARTS.index(b"y" * 20)
BROKEN = {
    "before its first byte": [],
    "in its status line": [PLAIN[:7]],
    "in its headers": [PLAIN[: END - 22]],
    "before the blank line behind its head": [PLAIN[: END + 2]],
    "in its body": [PLAIN[: END + 24]],
    "behind its head": [PLAIN[: END + 4]],
    "by a reset in its body": [PLAIN[: END + 8], 0.5, "reset"],
    "in a chunk": [PARTS[: FIRST + 9]],
    "between two chunks": [PARTS[: FIRST + 22]],
    "before its last chunk": [PARTS.removesuffix(b"0\r\n\r\n")],
}


@pytest.mark.parametrize("where", BROKEN)
async def test_a_reply_cut_short_is_an_error(kata, where):
    with Site({"/cut": (0.5, *BROKEN[where])}) as site:
        with pytest.raises(Exception) as caught:
            await kata.fetch(*site.address, "/cut")
        assert site.left_open() == 0, f"left open with {caught.value!r}"


async def test_the_request_is_one_get(kata):
    path = "/page-42?q=1"
    with Site({path: (0.5, sized(b"x"))}) as site:
        assert await kata.fetch(*site.address, path) == b"x"
    assert site.order == [path]
    assert site.heads[path].startswith(f"GET {path} HTTP/1.1\r\n")


@pytest.mark.parametrize("moment", [0.0, 1.5, 3.5, 4.5])
async def test_a_cancelled_fetch_closes_its_connection(kata, moment):
    data = chunked(b"x" * 40)
    with Site({"/page": (3, data[:30], 1, data[30:90], 1, data[90:])}) as site:
        assert await end_of_cancelled(kata.fetch(*site.address, "/page"), moment) == about(moment)
        assert site.left_open() == 0


DELAYS = {"/a": 4.5, "/b": 8.25, "/c": 1, "/d": 2.75}
BY_DELAY = ["/c", "/d", "/a", "/b"]


def bodies_of(delays):
    return {path: (delay, sized(b"page " + path.encode())) for path, delay in delays.items()}


async def browse(kata, site, paths, take=None):
    """Read so many pairs, or all; gives them with the moments at which they came."""
    clock, came = Clock(), []
    pages = kata.fetch_each(*site.address, paths)
    async for path, body in pages:
        assert body == b"page " + path.encode()
        came.append((path, clock.now()))
        if len(came) == take:
            break
    await pages.aclose()
    assert site.left_open() == 0
    return came, clock.now()


async def test_each_page_is_handed_over_as_it_comes(kata):
    with Site(bodies_of(DELAYS)) as site:
        came, _ = await browse(kata, site, list(DELAYS))
    assert site.starts == about(dict.fromkeys(DELAYS, 0))
    assert dict(came) == about(DELAYS)


async def test_pages_come_in_the_order_in_which_they_finish(kata):
    with Site(bodies_of(DELAYS)) as site:
        came, _ = await browse(kata, site, BY_DELAY[::-1])
    assert [path for path, _ in came] == BY_DELAY


async def test_each_path_comes_with_its_own_body(kata):
    paths = list(DELAYS)
    with Site(bodies_of(DELAYS)) as site:
        came, _ = await browse(kata, site, paths)
    assert {path for path, _ in came} == set(DELAYS)
    assert len(came) == len(paths)
    assert paths == list(DELAYS)


async def test_paths_may_repeat_or_lack(kata):
    with Site(bodies_of({"/fast": 2, "/slow": 6})) as site:
        came, took = await browse(kata, site, [])
        assert came == []
        assert took == about(0)
        came, took = await browse(kata, site, ["/slow", "/fast", "/slow"])
        assert [path for path, _ in came] == ["/fast", "/slow", "/slow"]
        assert took == about(6)


async def test_closed_early_it_cancels_the_rest(kata):
    with Site(bodies_of(DELAYS)) as site:
        came, took = await browse(kata, site, list(DELAYS), take=2)
        assert [path for path, _ in came] == BY_DELAY[:2]
        assert took == about(2.75)
        assert site.broken_off == about(dict.fromkeys(BY_DELAY[2:], 2.75))


async def test_the_first_failure_ends_it(kata):
    replies = {**bodies_of(DELAYS), "/d": (2.75, sized(b"no", status="503 Out Of Order")), "/b": (15,)}
    with Site(replies) as site:
        with pytest.raises((ValueError, ExceptionGroup)) as caught:
            await browse(kata, site, list(DELAYS))
        assert site.clock.now() == about(2.75), f"raised {caught.value!r}"
        assert site.left_open() == 0
        assert set(site.ends) == {"/c", "/d"}
        assert site.broken_off == about({"/a": 2.75, "/b": 2.75})


@pytest.mark.parametrize("moment", [0.0, 1.5, 3.25])
async def test_cancelled_it_ends_every_fetch(kata, moment):
    with Site(bodies_of({"/a": 5.5, "/b": 2.25})) as site:
        assert await end_of_cancelled(browse(kata, site, ["/a", "/b"]), moment) == about(moment)
        assert site.left_open() == 0
        assert set(site.ends) == ({"/b"} if moment > 2.25 else set())


SMALL = 1 << 16
"""Bytes that the kernel may keep for a connection, or about so."""


def with_small_buffers(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)


@contextlib.asynccontextmanager
async def serving(kata, port=0):
    """The server, until the block ends and it is done with its clients; gives its address."""
    server = await kata.serve_upper("127.0.0.1", port)
    assert isinstance(server, asyncio.Server)
    for sock in server.sockets:  # what it accepts inherits these
        with_small_buffers(sock)
    yield server.sockets[0].getsockname()
    server.close()
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=UNIT)


@contextlib.asynccontextmanager
async def client(address):
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def plug(address):
    """A connection as a bare socket, which reads only when told to."""
    with socket.socket() as sock:
        sock.setblocking(False)
        with_small_buffers(sock)
        await asyncio.get_running_loop().sock_connect(sock, address)
        yield sock


async def rest(sock):
    """What else comes until the connection is closed or reset."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while data := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, SMALL), 10 * UNIT):
            got += data
    return got


async def talk(address, *sent):
    """Send these bytes, wait these units, send EOF; gives all that comes back."""
    async with plug(address) as sock:
        for piece in sent:
            if isinstance(piece, bytes):
                await asyncio.get_running_loop().sock_sendall(sock, piece)
            else:
                await asyncio.sleep(piece * UNIT)
        sock.shutdown(socket.SHUT_WR)
        return await rest(sock)


async def stuff(sock, data):
    """Send as much as the other side takes, and read nothing; gives how much that is."""
    sent = patience = 0
    while sent < len(data) and patience < 3:
        try:
            sent += sock.send(data[sent : sent + SMALL])
            patience = 0
        except BlockingIOError:
            patience += 1
            await asyncio.sleep(0.5 * UNIT)
    return sent


LINES = ["straße 17 é\n", "привет, мир 4 é\n", "œuvre 🙂 256 é\n", "plain text 8 é\n", "γειά σου 99 é\n"]


async def test_each_line_is_answered_in_upper_case(kata):
    async with serving(kata) as address, client(address) as (reader, writer):
        clock = Clock()
        for place, line in enumerate(LINES):
            await asyncio.sleep(UNIT)
            writer.write(line.encode())
            assert (await reader.readline()).decode() == line.upper()
            assert clock.now() == about(place + 1)


@pytest.mark.parametrize("how", ["in pieces", "at once"])
async def test_lines_come_in_any_pieces(kata, how):
    data = "".join(LINES[:3]).encode()
    letter = len("".join(LINES[:2]).encode()) - 2
    cuts = [5, 9, 13, letter, letter + 3, letter + 8] if how == "in pieces" else []
    async with serving(kata) as address:
        answers = await talk(address, *(each for piece in pieces(data, *cuts) for each in (piece, 0.25)))
    assert answers.decode() == "".join(LINES[:3]).upper()


async def test_a_line_ends_at_a_newline_alone(kata):
    lines = "  a 17\t \n\nb\rc\vd\fe\x1cf\x85g\u2028h 17\n windows \r\n"
    async with serving(kata) as address:
        assert await talk(address, lines.encode()) == lines.upper().encode()


async def test_after_eof_the_whole_lines_are_answered(kata):
    async with serving(kata) as address:
        assert await talk(address, b"whole 42\ncut") == b"WHOLE 42\n"
        assert await talk(address, b"whole 42\n", 1, b"cut") == b"WHOLE 42\n"
        assert await talk(address, b"cut") == b""
        assert await talk(address) == b""


async def test_many_clients_are_served_at_the_same_time(kata):
    clock = Clock()

    async def ask(address, number):
        async with client(address) as (reader, writer):
            await asyncio.sleep(10 * UNIT)
            writer.write(b"client %d\n" % number)
            return await reader.readline(), clock.now()

    async with serving(kata) as address:
        silent = asyncio.create_task(talk(address, b"half a li", 20))
        answers = await asyncio.gather(*(ask(address, number) for number in range(16)))
        assert [answer for answer, _ in answers] == [b"CLIENT %d\n" % number for number in range(16)]
        assert [moment for _, moment in answers] == about([10] * 16)
        assert await silent == b""


async def test_a_client_that_does_not_read_is_not_read_from_without_end(kata):
    line = b"42" + b" to be answered" * 130 + b"\n"
    count = 8_000_000 // len(line)
    async with serving(kata) as address, plug(address) as sock:
        taken = await stuff(sock, memoryview(line * count))
        assert taken < len(line) * count
        assert await talk(address, b"somebody else\n") == b"SOMEBODY ELSE\n"
        sock.shutdown(socket.SHUT_WR)
        assert await rest(sock) == line.upper() * (taken // len(line))


async def test_a_line_that_is_too_long_ends_the_connection(kata):
    loop = asyncio.get_running_loop()
    short, long = b"42" + b" x" * 29_500 + b"\n", "é".encode() * 36_000 + b"\n"
    async with serving(kata) as address, client(address) as (reader, writer), plug(address) as sock:
        await loop.sock_sendall(sock, short)
        got = b""
        while len(got) < len(short):
            got += await loop.sock_recv(sock, SMALL)
        assert got == short.upper()
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(sock, long)
        assert await rest(sock) == b"line too long\n"
        writer.write(b"other\n")
        assert await reader.readline() == b"OTHER\n"


async def test_a_client_that_vanishes_disturbs_nobody(kata):
    sent = [b"", b"in the middle of a li", b"answer me\n" * 3, (b"never reads " * 80 + b"\n") * 1000]
    async with serving(kata) as address, client(address) as (reader, writer):
        for data in sent:
            async with plug(address) as sock:
                await stuff(sock, memoryview(data))
                await asyncio.sleep(0.5 * UNIT)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0.5 * UNIT)
            writer.write(b"still here\n")
            assert await reader.readline() == b"STILL HERE\n"
        assert await talk(address, b"still here\n") == b"STILL HERE\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


async def test_it_listens_where_it_is_told_to(kata):
    ports = [free_port(), free_port()]
    async with serving(kata, ports[0]) as one, serving(kata, ports[1]) as two:
        assert [one[1], two[1]] == ports
        assert await talk(one, b"server one\n") == b"SERVER ONE\n"
        assert await talk(two, b"server two\n") == b"SERVER TWO\n"
