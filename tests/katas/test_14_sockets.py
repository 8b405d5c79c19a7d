"""The suite of 14_sockets: one GET by hand, in pieces; many in threads; one on the loop without any."""

import asyncio
import concurrent.futures.thread
import contextlib
import os
import socket
import sys
import time

from checker.suite import Error, call, calls, cancellation, points, result, scenario, timing

MORE = "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\nX-Original-Content-Length: 2\r\n"
"""Headers with colons in their values, or with a name that ends as another."""


def reply(body, *, length="Content-Length", status=200, reason="OK", more="", behind=""):
    """The bytes of an HTTP reply; without the name of a length, the body goes to the end of the stream."""
    head = f"HTTP/1.1 {status} {reason}\r\nAge: 3\r\nServer: test\r\nContent-Type: application/octet-stream\r\n"
    head += more
    if length:
        head += f"{length}: {len(body)}\r\n"
    return f"{head}{behind}X-Last: yes\r\n\r\n".encode() + body


def binary(rng, size):
    """A body that is no text, holds blank lines, and begins and ends with white space."""
    return b" \r\n\r\n" + rng.randbytes(size) + b"\xff\xfe\r\n\r\nhalf\r\n\r\n"


def pieces(rng, data, count):
    """The data cut at so many places."""
    cuts = sorted(rng.sample(range(1, len(data)), count))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


# --- fetch -------------------------------------------------------------------------------------------


@scenario
def get(kata, stage, *, paths, broken=False):
    with stage.server() as (host, port):
        try:
            return [kata.fetch(host, port, path) for path in paths]
        except Exception as error:
            if not broken or isinstance(error, NotImplementedError):
                raise
            return error
        finally:
            time.sleep(1)
            stage.note("over")


@scenario
async def get_on_the_loop(kata, stage, *, paths, broken=False):
    with stage.server() as (host, port):
        try:
            return [await kata.sock_fetch(host, port, path) for path in paths]
        except Exception as error:
            if not broken or isinstance(error, NotImplementedError):
                raise
            return error
        finally:
            await asyncio.sleep(1)
            stage.note("over")


def assert_closed(trace):
    """The client has closed every connection that it had opened."""
    opened, closed = trace.noted("connected"), sorted(trace.noted("closed"))
    assert closed == sorted(opened), f"{len(opened) - len(closed)} of {len(opened)} connections were left open."


async def check_pieces(run, rng, scenario):
    body = binary(rng, rng.randint(40, 90))
    good = rng.choice([200, 201])
    data, empty = reply(body, status=404, reason="Not Found"), reply(b"", status=good)
    busy = reply(b"busy", status=503, reason="Service Unavailable")
    sent = {"/a": pieces(rng, data, 6), "/b": pieces(rng, empty, 2), "/c": [busy]}
    world = calls(request={path: call(0.5, parts) for path, parts in sent.items()})
    trace = await run(scenario, paths=list(sent), world=world)
    assert trace.result == [(404, body), (good, b""), (503, b"busy")]
    assert_closed(trace)


@result
@points(2)
async def test_a_reply_in_pieces_is_put_together(run, rng):
    """`fetch` gives status and body whatever the packet boundaries, byte for byte."""
    await check_pieces(run, rng, get)


@result
@points(2)
async def test_on_the_loop_a_reply_in_pieces_is_put_together(run, rng):
    """`sock_fetch` gives status and body whatever the packet boundaries, byte for byte."""
    await check_pieces(run, rng, get_on_the_loop)


async def check_single_bytes(run, rng, scenario):
    body = b"\xff" + rng.randbytes(2) + b"\r\n\r\n"  # which is no text
    data = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n" + body
    world = calls(request=call(0.5, [data[place : place + 1] for place in range(len(data))]))
    trace = await run(scenario, paths=["/slow"], world=world)
    assert trace.result == [(200, body)]


@result
async def test_a_reply_may_come_byte_by_byte(run, rng):
    """`fetch` puts a reply together that comes one byte at a time."""
    await check_single_bytes(run, rng, get)


@result
async def test_on_the_loop_a_reply_may_come_byte_by_byte(run, rng):
    """`sock_fetch` puts a reply together that comes one byte at a time."""
    await check_single_bytes(run, rng, get_on_the_loop)


async def check_names(run, rng, scenario):
    bodies = [binary(rng, size) for size in rng.sample(range(10, 60), 3)]
    names = ["content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"]
    paths = [f"/{name}" for name in names]
    named = list(zip(paths, bodies, names, strict=True))
    whole = {path: reply(body, length=name, more=MORE, behind=MORE) for path, body, name in named}
    world = calls(request={path: call(0.5, [data]) for path, data in whole.items()})
    trace = await run(scenario, paths=paths, world=world)
    if isinstance(trace.result, list) and len(trace.result) == 3:
        for got, (_, body, name) in zip(trace.result, named, strict=True):
            other = got == (200, body[:2])
            assert not other, f"With `{name}: {len(body)}` came 2 bytes: it went by `X-Original-Content-Length: 2`."
    assert trace.result == [(200, body) for body in bodies]
    for path in paths:  # cut short, a body is an error only to those who know its length
        cut = whole[path][:-3]
        await run(scenario, paths=[path], world=calls(request=call(0.5, [cut])), raises=ConnectionError)


@result
async def test_header_names_come_in_any_case(run, rng):
    """`fetch` finds the Content-Length however its name is written."""
    await check_names(run, rng, get)


@result
async def test_on_the_loop_header_names_come_in_any_case(run, rng):
    """`sock_fetch` finds the Content-Length however its name is written."""
    await check_names(run, rng, get_on_the_loop)


async def check_to_the_end(run, rng, scenario):
    body = b"Content-Length: 3\r\n" + binary(rng, rng.randint(200, 400))
    world = calls(request=call(1.0, pieces(rng, reply(body, length=""), 4)))
    trace = await run(scenario, paths=["/stream"], world=world)
    assert trace.result == [(200, body)]
    assert_closed(trace)


@result
async def test_without_a_length_the_body_goes_to_the_end(run, rng):
    """`fetch` reads a body without Content-Length to the end of the stream."""
    await check_to_the_end(run, rng, get)


@result
async def test_on_the_loop_without_a_length_the_body_goes_to_the_end(run, rng):
    """`sock_fetch` reads a body without Content-Length to the end of the stream."""
    await check_to_the_end(run, rng, get_on_the_loop)


def broken(rng):
    """Replies that break off: before the first byte, in the head, at its end, in the body, and by a reset."""
    body = rng.randbytes(rng.randint(20, 60))
    data = reply(body)
    head = data.index(b"\r\n\r\n")
    return {
        "nothing at all": [],
        "in the status line": [data[: rng.randint(3, 11)]],
        "in a header": [data[: rng.randint(20, head - 1)]],
        "before the blank line ends": [data[: head + 2]],
        "behind a header": [b"HTTP/1.1 200 OK\r\nAge: 3\r\n"],  # and it has no length to miss a body by
        "behind the head": [data[: head + 4]],
        "in the body": [data[: head + 4 + rng.randint(1, len(body) - 1)]],
        "by a reset in the body": [data[: head + 6], 0.5, "reset"],
        "by a reset in a body without a length": [reply(body, length=""), 0.5, "reset"],
    }


def sockets():
    """How many sockets of this process are open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return found


@scenario
def get_from_nobody(kata, stage):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        before = sockets()
        try:
            return kata.fetch(*nobody.getsockname(), "/")
        finally:
            time.sleep(1)
            stage.note("sockets left open", sockets() - before)


@scenario
async def get_from_nobody_on_the_loop(kata, stage):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        before = sockets()
        try:
            return await kata.sock_fetch(*nobody.getsockname(), "/")
        finally:
            await asyncio.sleep(1)
            stage.note("sockets left open", sockets() - before)


def gist(result):
    """What came of a request, in a few words."""
    match result:
        case [(int(status), bytes(body))]:
            return f"gave status {status} and {len(body)} bytes"
        case Error():
            return f"raised {result!r:.100}"
    return f"gave {result!r:.100}"


async def check_broken(run, rng, scenario, from_nobody):
    for where, sent in broken(rng).items():
        trace = await run(scenario, paths=["/cut"], broken=True, world=calls(request=call(0.5, sent)))
        errors = trace.result.leaves() if isinstance(trace.result, Error) else []
        right = any(error.is_a(ConnectionError) for error in errors)
        assert right, f"A reply cut {where} must raise ConnectionError; it {gist(trace.result)}."
        assert trace.noted("closed") == [1], f"The connection was left open after a reply cut {where}."
    garbage = f"SSH-2.0-{rng.randrange(10**6)}\r\n\r\n".encode()
    world = calls(request=call(0.5, [garbage]))
    trace = await run(scenario, paths=["/garbage"], broken=True, world=world, allow=("complaints",))
    assert trace.noted("closed") == [1], f"The connection was left open after a reply that is no HTTP, {garbage!r}."
    left = (await run(from_nobody, raises=OSError)).noted("sockets left open")
    assert left == [0], f"{left[0]} socket was left open where nobody listens and the connection was refused."


@result
@points(2)
async def test_a_reply_that_is_cut_is_an_error(run, rng):
    """`fetch` raises ConnectionError for a reply cut anywhere, in its head too, and closes its socket."""
    await check_broken(run, rng, get, get_from_nobody)


@result
@points(2)
async def test_on_the_loop_a_reply_that_is_cut_is_an_error(run, rng):
    """`sock_fetch` raises ConnectionError for a reply cut anywhere, in its head too, and closes its socket."""
    await check_broken(run, rng, get_on_the_loop, get_from_nobody_on_the_loop)


async def check_request(run, rng, scenario):
    path = f"/page-{rng.randrange(10**6)}?q=1"
    trace = await run(scenario, paths=[path], world=calls(request=call(0.5, [reply(b"x")])))
    assert trace.result == [(200, b"x")]
    first, *lines = trace.call("request", path).keywords["head"].strip().split("\r\n")
    assert first == f"GET {path} HTTP/1.1", f"The request began with {first!r}."
    told = [line.lower().replace(" ", "") for line in lines]
    assert "connection:close" in told, "The request does not say `Connection: close`."


@result
async def test_the_request_is_a_get_that_closes(run, rng):
    """`fetch` sends a GET of HTTP/1.1 with `Connection: close`."""
    await check_request(run, rng, get)


@result
async def test_on_the_loop_the_request_is_a_get_that_closes(run, rng):
    """`sock_fetch` sends a GET of HTTP/1.1 with `Connection: close`."""
    await check_request(run, rng, get_on_the_loop)


# --- fetch_many --------------------------------------------------------------------------------------


@scenario
async def get_many(kata, stage, *, paths, workers, tick):
    async def ticking():
        while True:
            await asyncio.sleep(tick)
            stage.note("tick")

    with stage.server("one") as one, stage.server("two") as two:
        targets = [(*(one, two)[place % 2], path) for place, path in enumerate(paths)]
        given = list(targets)
        servers, before = stage.threads, stage.threads_begun
        none = await kata.fetch_many([], workers)
        stage.note("threads for nothing", stage.threads_begun - before)
        ticker = asyncio.create_task(ticking())
        try:
            pages = await kata.fetch_many(targets, workers)
            stage.note("over")
            stage.note("inputs as they were", targets == given)
        finally:
            ticker.cancel()
            await asyncio.wait([ticker])
        await asyncio.get_running_loop().shutdown_default_executor()  # its threads may be left, for the next
        await asyncio.sleep(0.125)
        stage.note("threads left", stage.threads - servers)
        return [pages, none]


@timing
@points(2)
async def test_at_most_so_many_at_a_time_over_all_servers(run, rng):
    """At most `workers` requests are under way, over all servers together, and that many where there are enough."""
    workers = rng.choice([3, 5])
    paths = [f"/{number}" for number in range(workers * 3)]
    trace = await run(
        get_many, paths=paths, workers=workers, tick=50.0, world=calls(request=call(2.0, [reply(b"page")]))
    )
    assert trace.peak("request") == workers
    assert trace.noted_at("over") == [6.0]


@timing
async def test_the_loop_stays_free(run, rng):
    """While the threads are at work the loop goes on with other things."""
    paths = [f"/{number}" for number in range(4)]
    trace = await run(get_many, paths=paths, workers=2, tick=0.75, world=calls(request=call(2.0, [reply(b"page")])))
    assert trace.noted_at("over") == [4.0]
    assert trace.noted_at("tick") == [0.75, 1.5, 2.25, 3.0, 3.75]


@result
async def test_pages_stand_in_the_order_of_their_targets(run, rng):
    """Status and body in the order of the targets, whichever comes first; no targets, no pages and no thread."""
    count = rng.randint(4, 6)
    delays = [30, *rng.sample(range(1, 30), count - 1)]
    bodies = [binary(rng, 10) for _ in range(count)]
    world = calls(request={f"/{n}": call(delays[n] / 2, [reply(bodies[n])]) for n in range(count)})
    trace = await run(get_many, paths=[f"/{n}" for n in range(count)], workers=3, tick=50.0, world=world)
    assert trace.result == [[(200, body) for body in bodies], []]
    assert trace.noted("inputs as they were") == [True]
    (begun,) = trace.noted("threads for nothing")
    assert begun == 0, f"Threads that it started for no targets: expected 0, saw {begun}."
    world = calls(request=[call(1.0, [reply(body)]) for body in bodies[:3]])
    trace = await run(get_many, paths=["/same", "/other", "/same"], workers=2, tick=50.0, world=world)
    assert sorted(trace.result[0]) == sorted((200, body) for body in bodies[:3]), (
        "Three requests, two of them for the same target, had three different replies: each should stand in its place."
    )


@scenario
async def get_from_no_port(kata, stage):
    with stage.server() as (host, port):
        return await kata.fetch_many([(host, 70_000, "/"), ("x" * 64, port, "/"), (host, port, "/")], 2)


@result
async def test_a_failed_request_takes_its_own_place(run, rng):
    """A request that fails leaves its exception in its place, and the others go on."""
    bad = rng.randrange(4)
    world = calls(request={f"/{n}": call(1.0 + n, [reply(b"page")[: 40 if n == bad else None]]) for n in range(4)})
    trace = await run(get_many, paths=[f"/{n}" for n in range(4)], workers=2, tick=50.0, world=world)
    pages = trace.result[0]
    assert isinstance(pages, list), f"It returned {pages!r}, not a list of four."
    assert len(pages) == 4, f"It returned {len(pages)} pages for 4 targets."
    for n, page in enumerate(pages):
        assert n == bad or page == (200, b"page"), (
            f"Of 4 requests the one at place {bad} failed; at place {n} stood {page!r}, expected (200, b'page')."
        )
    assert isinstance(pages[bad], Error), f"In the place of the failed request stood {pages[bad]!r}."
    assert pages[bad].is_a(ConnectionError), (
        f"In the place of the failed request stood {pages[bad]!r}, not a ConnectionError."
    )
    trace = await run(get_from_no_port, world=calls(request=call(1.0, [reply(b"page")])))
    failed, nowhere, page = trace.result
    assert isinstance(failed, Error), f"In the place of the target with port 70000 stood {failed!r}."
    assert isinstance(nowhere, Error), f"In the place of the target with a host of 64 letters stood {nowhere!r}."
    assert page == (200, b"page")


@result
async def test_no_thread_is_left(run, rng):
    """When the pages are returned, the threads that fetched them are gone; those of the loop's own pool may stay."""
    world = calls(request=call(rng.randint(1, 4), [reply(b"page")]))
    trace = await run(get_many, paths=["/a", "/b", "/c"], workers=2, tick=50.0, world=world)
    assert trace.result == [[(200, b"page")] * 3, []]
    assert trace.noted("threads left") == [0]


@scenario
async def get_many_cancelled(kata, stage, *, paths, workers, again):
    with stage.server() as (host, port):
        task = stage.target(asyncio.create_task(kata.fetch_many([(host, port, path) for path in paths], workers)))
        if again:
            await asyncio.sleep(1.0)
            task.cancel()
            for _ in range(2):
                await asyncio.sleep(0.5)
                task.cancel()
        await asyncio.wait([task])
        stage.note("over")
        await asyncio.sleep(20)
        return task.result()


@cancellation
@points(2)
async def test_cancelled_it_starts_nothing_more_and_waits(sweep, rng):
    """Cancelled, it begins no further request and ends when those under way have ended, the loop staying free."""
    delays = rng.sample([2.0, 3.0, 5.0, 7.0], 4)
    sent = [[reply(b"page")[:-1]], *([reply(b"page")] for _ in delays[1:])]  # the first one fails
    world = calls(request=[call(delay, data) for delay, data in zip(delays, sent, strict=True)])
    for trace in await sweep(get_many_cancelled, paths=list("abcd"), workers=2, again=False, world=world):
        assert all(span.start <= trace.struck_at for span in trace.calls("request")), "A request was begun afterwards."
        left = len(trace.outcomes("request")) - trace.outcomes("request").count("done")
        assert not left, f"Cancelled at {trace.struck_at!r} s, it left {left} of the requests under way too early."
        under_way = [span.end for span in trace.calls("request") if span.end > trace.struck_at]
        assert trace.noted_at("over") == [max([trace.struck_at, *under_way])]


@cancellation
async def test_further_cancels_do_not_shorten_the_wait(run, rng):
    """Cancelled again and again while it waits, it still waits for the requests under way."""
    delay = rng.randint(3, 6)
    world = calls(request=call(delay, [reply(b"page")]))
    trace = await run(
        get_many_cancelled, paths=list("abcd"), workers=2, again=True, world=world, raises=asyncio.CancelledError
    )
    assert trace.count("request") == 2
    assert trace.noted_at("over") == [delay]


# --- sock_fetch --------------------------------------------------------------------------------------


def busy_threads(stage):
    """How many threads there are but those of pools that wait for work: `loop.getaddrinfo` leaves some of these."""
    frames = sys._current_frames().values()
    return stage.threads - sum(frame.f_code.co_filename == concurrent.futures.thread.__file__ for frame in frames)


@scenario
async def get_together(kata, stage, *, paths):
    with stage.server() as (host, port):
        servers = busy_threads(stage)
        tasks = [asyncio.create_task(kata.sock_fetch(host, port, path)) for path in paths]
        await asyncio.sleep(0.5)
        stage.note("threads at work", busy_threads(stage) - servers)
        pages = await asyncio.gather(*tasks)
        stage.note("over")
        return pages


@timing
@points(2)
async def test_on_the_loop_requests_overlap(run, rng):
    """Several `sock_fetch` at a time take as long as the slowest, on the loop's thread alone."""
    delays = rng.sample(range(1, 20), 4)
    world = calls(request={f"/{n}": call(delays[n], [reply(b"%d" % n)]) for n in range(4)})
    trace = await run(get_together, paths=[f"/{n}" for n in range(4)], world=world)
    assert trace.noted_at("over") == [max(delays)]
    assert trace.result == [(200, b"%d" % n) for n in range(4)]
    [busy] = trace.noted("threads at work")
    assert busy == 0, (
        f"Half a second after 4 `sock_fetch` had begun, threads at work beside the loop's: expected 0, saw {busy}."
    )


@scenario
async def get_cancelled(kata, stage):
    with stage.server() as (host, port):
        task = stage.target(asyncio.create_task(kata.sock_fetch(host, port, "/page")))
        await asyncio.wait([task])
        stage.note("over")
        await asyncio.sleep(1)
        return task.result()


@cancellation
@points(2)
async def test_on_the_loop_a_cancelled_request_is_broken_off(sweep, rng):
    """Cancelled at any point, `sock_fetch` ends with CancelledError at once and has closed its socket."""
    data = reply(b"x" * 40)
    world = calls(request=call(rng.randint(1, 5), [data[:20], data[20:60], data[60:]]))
    for trace in await sweep(get_cancelled, world=world):
        assert trace.noted_at("over") == [trace.struck_at]
        assert_closed(trace)
