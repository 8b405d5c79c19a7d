"""The suite of 14_sockets as one would write it without the checker: plain pytest, in the same process.

The same behaviours as tests/katas/test_14_sockets.py, in real time and with a server in a thread; what `fetch`
and `sock_fetch` have in common is asked of both.
"""

import asyncio
import threading

import pytest
from recorder import UNIT, Clock, about, end_of_cancelled, ticking
from webserver import Site

BINARY = b" \r\n\r\n" + bytes(range(256)) + b"\xff\xfe\r\n\r\nhalf\r\n\r\n"
"""A body that is no text, holds blank lines, and begins and ends with white space."""


def reply(body, *, length="Content-Length", status=200):
    """The bytes of an HTTP reply; without the name of a length, the body goes to the end of the stream."""
    head = f"HTTP/1.1 {status} OK\r\nAge: 3\r\nServer: test\r\nContent-Type: application/octet-stream\r\n"
    if length:
        head += f"{length}: {len(body)}\r\n"
    return f"{head}X-Last: yes\r\n\r\n".encode() + body


def pieces(data, *places):
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.fixture(params=["fetch", "sock_fetch"])
def get(kata, request):
    """One GET, on a blocking socket or on the loop."""

    async def get(address, path):
        if request.param == "fetch":
            return kata.fetch(*address, path)
        return await kata.sock_fetch(*address, path)

    return get


async def test_a_reply_in_pieces_is_put_together(get):
    sent = pieces(reply(BINARY, status=404), 7, 60, 120, 140, 200, 330)
    with Site({"/a": (1, *sent), "/b": (0.5, *pieces(reply(b""), 30, 90))}) as site:
        assert await get(site.address, "/a") == (404, BINARY)
        assert await get(site.address, "/b") == (200, b"")
        assert site.left_open() == 0


async def test_a_reply_may_come_byte_by_byte(get):
    body = b"abc\r\n\r\n"
    data = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n" + body
    with Site({"/slow": (0.5, *pieces(data, *range(1, len(data))))}) as site:
        assert await get(site.address, "/slow") == (200, body)


@pytest.mark.parametrize("name", ["content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"])
async def test_header_names_come_in_any_case(get, name):
    data = reply(BINARY, length=name)
    with Site({"/whole": (0.5, data), "/cut": (0.5, data[:-3])}) as site:
        assert await get(site.address, "/whole") == (200, BINARY)
        with pytest.raises(ConnectionError):
            await get(site.address, "/cut")


async def test_without_a_length_the_body_goes_to_the_end(get):
    with Site({"/stream": (1, *pieces(reply(BINARY, length=""), 20, 110, 150, 300))}) as site:
        assert await get(site.address, "/stream") == (200, BINARY)
        assert site.left_open() == 0


DATA = reply(b"x" * 40)
HEAD = DATA.index(b"\r\n\r\n")
BROKEN = {
    "nothing at all": [],
    "in the status line": [DATA[:7]],
    "in a header": [DATA[: HEAD - 9]],
    "before the blank line ends": [DATA[: HEAD + 2]],
    "in the body": [DATA[: HEAD + 24]],
    "by a reset in the body": [DATA[: HEAD + 6], 0.5, "reset"],
}


@pytest.mark.parametrize("where", BROKEN)
async def test_a_reply_that_is_cut_is_an_error(get, where):
    with Site({"/cut": (0.5, *BROKEN[where])}) as site:
        with pytest.raises(ConnectionError) as caught:
            await get(site.address, "/cut")
        assert site.left_open() == 0, f"left open with {caught.value!r}"


async def test_the_request_is_a_get_that_closes(get):
    path = "/page-42?q=1"
    with Site({path: (0.5, reply(b"x"))}) as site:
        assert await get(site.address, path) == (200, b"x")
    first, *lines = site.heads[path].strip().split("\r\n")
    assert first == f"GET {path} HTTP/1.1"
    assert "connection:close" in [line.lower().replace(" ", "") for line in lines]


def threads():
    """How many threads there are beside the server's."""
    return sum("process_request" not in thread.name for thread in threading.enumerate())


def peak(sites):
    """How many requests were under way at once, over all servers."""
    spans = [(start, site.ends[path]) for site in sites for path, start in site.starts.items()]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


async def get_many(kata, replies, workers):
    """Get them all, from two servers in turn; gives the pages, the servers, and how long it took."""
    with Site(replies) as one, Site(replies, one.clock) as two:
        targets = [(*(one, two)[place % 2].address, path) for place, path in enumerate(replies)]
        given, before, clock = list(targets), threads(), Clock()
        pages = await kata.fetch_many(targets, workers)
        took = clock.now()
        assert targets == given
        assert threads() == before
        assert await kata.fetch_many([], workers) == []
        assert threads() == before
        return pages, [one, two], took


async def test_at_most_so_many_at_a_time_over_all_servers(kata):
    _, sites, took = await get_many(kata, {f"/{number}": (2, reply(b"page")) for number in range(9)}, 3)
    assert peak(sites) == 3
    assert took == about(6)


async def test_the_loop_stays_free(kata):
    with ticking(until=4):
        _, _, took = await get_many(kata, {f"/{number}": (2, reply(b"page")) for number in range(4)}, 2)
    assert took == about(4)


async def test_pages_stand_in_the_order_of_their_targets(kata):
    delays = [8, 3, 12, 1.5, 6]
    replies = {f"/{place}": (delay, reply(BINARY + b"%d" % place)) for place, delay in enumerate(delays)}
    pages, _, _ = await get_many(kata, replies, 3)
    assert pages == [(200, BINARY + b"%d" % place) for place in range(5)]


async def test_a_failed_request_takes_its_own_place(kata):
    replies = {f"/{place}": (1 + place, reply(b"page")) for place in range(4)}
    replies["/1"] = (2, reply(b"page")[:40])
    pages, _, _ = await get_many(kata, replies, 2)
    assert isinstance(pages.pop(1), ConnectionError)
    assert pages == [(200, b"page")] * 3


async def test_no_thread_is_left(kata):
    pages, _, _ = await get_many(kata, {path: (2, reply(b"page")) for path in ("/a", "/b", "/c")}, 2)
    assert pages == [(200, b"page")] * 3


async def get_many_cancelled(kata, delays, *moments):
    """Cancel two threads with these pages at these moments; gives the server and the moment of the end."""
    with Site({f"/{place}": (delay, reply(b"page")) for place, delay in enumerate(delays)}) as site:
        targets = [(*site.address, path) for path in site.replies]
        ended = await end_of_cancelled(kata.fetch_many(targets, 2), *moments)
        assert set(site.ends) == set(site.starts)
        return site, ended


@pytest.mark.parametrize(("moment", "begun"), [(0.0, 2), (1.0, 2), (3.5, 3), (6.0, 4)])
async def test_cancelled_it_starts_nothing_more_and_waits(kata, moment, begun):
    site, ended = await get_many_cancelled(kata, [2, 7, 3, 5], moment)
    assert len(site.starts) <= begun
    assert ended == about(max(site.ends.values(), default=moment))


async def test_further_cancels_do_not_shorten_the_wait(kata):
    site, ended = await get_many_cancelled(kata, [4, 4, 4, 4], 1, 1.5, 2)
    assert len(site.starts) == 2
    assert ended == about(4)


async def test_on_the_loop_requests_overlap(kata):
    delays = [7, 16, 2, 11]
    with Site({f"/{place}": (delay, reply(b"%d" % place)) for place, delay in enumerate(delays)}) as site:
        before = threads()
        tasks = [asyncio.create_task(kata.sock_fetch(*site.address, path)) for path in site.replies]
        await asyncio.sleep(0.5 * UNIT)
        assert threads() == before
        assert await asyncio.gather(*tasks) == [(200, b"%d" % place) for place in range(4)]
        assert site.clock.now() == about(16)


@pytest.mark.parametrize("moment", [0.0, 1.5, 3.5, 4.5])
async def test_on_the_loop_a_cancelled_request_is_broken_off(kata, moment):
    with Site({"/page": (3, DATA[:20], 1, DATA[20:60], 1, DATA[60:])}) as site:
        assert await end_of_cancelled(kata.sock_fetch(*site.address, "/page"), moment) == about(moment)
        assert site.left_open() == 0
