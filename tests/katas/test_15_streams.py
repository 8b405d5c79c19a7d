"""The suite of 15_streams: bodies and lines put together from pieces, and every connection closed."""

import asyncio
import contextlib
import os
import socket
import struct
import zlib
from itertools import pairwise

from checker.suite import Error, call, calls, cancellation, ordering, points, result, scenario, timing

OPEN = 60.0
"""Seconds for which a connection stays open behind its reply."""
BETWEEN = 0.125
"""Seconds between two pieces of a reply."""


OTHERS = [
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    "X-Original-Content-Length: 7",
    "X-Note: not chunked; Content-Length: 9",
    "X-Transfer-Encoding: chunked",
]


def head(*headers, status="200 OK"):
    """The head of a reply; beside its own headers it has others, which must not be taken for them."""
    return "\r\n".join([f"HTTP/1.1 {status}", *OTHERS, *headers, "", ""]).encode()


def sized(body, *, name="Content-Length", status="200 OK"):
    """A reply whose body has a length."""
    return head(f"{name}: {len(body)}", "X-Last: yes", status=status) + body


def chunked(*chunks, name="Transfer-Encoding"):
    """A reply whose body comes in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(f"{name}: chunked", "X-Last: yes") + body + b"0\r\n\r\n"


def binary(rng, size):
    """A body that is no text and holds whatever might be taken for an end."""
    return b" \r\n\r\n" + rng.randbytes(size) + b"\r\n0\r\n\r\n\xff\xfe\r\nmore\r\n\r\n"


def pieces(rng, data, count):
    """The data cut at so many places."""
    cuts = [0, *sorted(rng.sample(range(1, len(data)), count)), len(data)]
    return [data[start:end] for start, end in pairwise(cuts)]


def connections(port):
    """How many sockets of this process are connected to that port."""
    found = 0
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(None)  # any other would be given to each of them
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            sock = socket.socket(fileno=int(name))
            with contextlib.suppress(OSError):
                found += sock.family == socket.AF_INET and sock.getpeername()[1] == port
            sock.detach()
    socket.setdefaulttimeout(before)
    return found


# --- fetch -------------------------------------------------------------------------------------------


async def page(kata, stage, address, path):
    try:
        return await kata.fetch(*address, path)
    finally:
        stage.note("connections left open", connections(address[1]))
        stage.note("over")


@scenario
async def get(kata, stage, *, paths):
    with stage.server() as address:
        try:
            return [await page(kata, stage, address, path) for path in paths]
        finally:
            await asyncio.sleep(OPEN)


def gist(outcome):
    """What came of a fetch, in two or three words."""
    return f"{len(outcome)} bytes" if isinstance(outcome, bytes) else f"{outcome!r:.100}"


def assert_bodies(trace, bodies):
    """These are the bodies that were returned, byte for byte."""
    for got, body in zip(trace.result, bodies, strict=True):
        assert isinstance(got, bytes), f"A body must be bytes; it returned {gist(got)}."
        pairs = enumerate(zip(got, body, strict=False))
        same = next((place for place, (one, other) in pairs if one != other), min(len(got), len(body)))
        assert got == body, f"A body has {len(body)} bytes; it returned {len(got)} bytes, right are the first {same}."


def assert_closed(trace):
    """Whenever the submission ended, no connection was open any more."""
    left = sum(trace.noted("connections left open"))
    assert left == 0, f"{left} of {len(trace.noted('connected'))} connections were still open when it had ended."


def assert_returned_at(trace, *moments):
    """Each body was returned at the moment at which all of it had come."""
    for number, (due, over) in enumerate(zip(moments, trace.noted_at("over"), strict=True), 1):
        assert over == due, f"Reply {number} was complete at {due} s, but `fetch` was over at {over} s only."


@result
@points(2)
async def test_a_body_ends_where_its_length_says(run, rng):
    """A body with a Content-Length is put together from its pieces and ends there, though the stream does not."""
    body = binary(rng, rng.randint(40, 90))
    start = sized(body).removesuffix(body)
    replies = {"/a": [*pieces(rng, start, 1), *pieces(rng, body, 1), OPEN], "/b": [sized(b""), OPEN]}
    world = calls(request={path: call(1.0, sent) for path, sent in replies.items()})
    trace = await run(get, paths=["/a", "/b"], world=world)
    assert_bodies(trace, [body, b""])
    assert_returned_at(trace, 1.0 + 3 * BETWEEN, 2.0 + 3 * BETWEEN)
    assert_closed(trace)


@result
@points(2)
async def test_chunks_are_put_together(run, rng):
    """A chunked body is put together from its chunks, wherever they are cut, and ends with the last one."""
    chunks = [binary(rng, rng.randint(10, 40)) for _ in range(3)]
    short = chunked(rng.randbytes(2))
    cut = short.index(b"\r\n\r\n") + 1
    replies = {
        "/a": [*pieces(rng, chunked(*chunks), 4), OPEN],
        "/one-byte-at-a-time": [short[:cut], *(short[n : n + 1] for n in range(cut, len(short))), OPEN],
        "/c": [chunked(), OPEN],
    }
    world = calls(request={path: call(0.5, sent) for path, sent in replies.items()})
    trace = await run(get, paths=list(replies), world=world)
    assert_bodies(trace, [b"".join(chunks), short[cut + 6 : cut + 8], b""])
    assert trace.noted_at("over")[-1] < OPEN, "It waited for the end of the stream, though the last chunk had come."
    assert_closed(trace)


@result
async def test_without_either_the_body_goes_to_the_end(run, rng):
    """A body without length and chunks goes to the end of the stream."""
    body = binary(rng, rng.randint(100, 200))
    world = calls(request={"/a": call(0.5, pieces(rng, head() + body, 2)), "/b": call(0.5, [head()])})
    trace = await run(get, paths=["/a", "/b"], world=world)
    assert_bodies(trace, [body, b""])
    assert_closed(trace)


@scenario
async def get_sums(kata, stage, *, paths):
    with stage.server() as address:
        bodies = [await kata.fetch(*address, path) for path in paths]
        await asyncio.sleep(1)
        return [[len(body), zlib.crc32(body)] for body in bodies]


@result
async def test_a_body_may_be_big(run, rng):
    """Bodies and chunks may be longer than a reader's limit for a line."""
    bodies = [rng.randbytes(rng.randint(300_000, 320_000)), *(rng.randbytes(100_000) for _ in range(2))]
    replies = {"/a": sized(bodies[0]), "/b": chunked(bodies[1]), "/c": head() + bodies[2]}
    world = calls(request={path: call(90.0, [data]) for path, data in replies.items()})
    trace = await run(get_sums, paths=list(replies), world=world)
    for (size, crc), body in zip(trace.result, bodies, strict=True):
        assert size == len(body), f"A body has {len(body)} bytes; it returned {size} bytes."
        assert crc == zlib.crc32(body), f"It returned {size} bytes, as many as the body has, but not the same."


@result
async def test_header_names_come_in_any_case(run, rng):
    """Content-Length and Transfer-Encoding are found however their names are written."""
    bodies = [binary(rng, size) for size in rng.sample(range(10, 60), 3)]
    replies = {
        "/a": sized(bodies[0], name="content-length"),
        "/b": sized(bodies[1], name="CONTENT-LENGTH"),
        "/c": chunked(bodies[2], name="tRANSFER-eNCODING"),
    }
    world = calls(request={path: call(0.5, [data, OPEN]) for path, data in replies.items()})
    trace = await run(get, paths=list(replies), world=world)
    assert_bodies(trace, bodies)
    assert_returned_at(trace, 0.5, 1.0, 1.5)


@scenario
async def attempts(kata, stage, *, paths):
    outcomes = []
    with stage.server() as address:
        for path in paths:
            try:
                outcomes.append(await page(kata, stage, address, path))
            except NotImplementedError:
                raise
            except Exception as error:
                outcomes.append(error)
        await asyncio.sleep(1)
    return outcomes


@result
@points(2)
async def test_a_bad_status_raises(run, rng):
    """A status of 400 or more raises a ValueError that names it, below that the body is returned."""
    statuses = [399, 400, rng.randint(210, 299), rng.randint(401, 599)]
    body = rng.randbytes(20)
    world = calls(request={f"/{status}": call(0.5, [sized(body, status=f"{status} Or So")]) for status in statuses})
    trace = await run(attempts, paths=[f"/{status}" for status in statuses], world=world)
    for outcome, status in zip(trace.result, statuses, strict=True):
        if status < 400:
            assert outcome == body, f"Status {status} is no error; it gave {gist(outcome)}."
            continue
        errors = outcome.leaves() if isinstance(outcome, Error) else []
        named = any(error.is_a(ValueError) and str(status) in error.message for error in errors)
        assert named, f"Status {status} should raise a ValueError that names it; it gave {gist(outcome)}."
    assert_closed(trace)


def broken(rng):
    """Replies that break off, and where."""
    body = rng.randbytes(rng.randint(30, 60))
    plain, parts = sized(body), chunked(body[:20], body[20:])
    end, first = plain.index(b"\r\n\r\n"), parts.index(body[:20])
    return {
        "before-its-first-byte": [],
        "in-its-status-line": [plain[: rng.randint(3, 11)]],
        "in-its-headers": [plain[: rng.randint(20, end - 20)]],
        "before-the-blank-line-behind-its-head": [plain[: end + 2]],
        "behind-a-header": [b"HTTP/1.1 200 OK\r\nX-Some: header\r\n"],  # and it has no length to miss a body by
        "in-its-body": [plain[: end + 4 + rng.randint(1, len(body) - 1)]],
        "behind-its-head": [plain[: end + 4]],
        "by-a-reset-in-its-body": [plain[: end + 8], 0.5, "reset"],
        "by-a-reset-in-its-body-without-a-length": [head() + body, 0.5, "reset"],
        "in-a-chunk": [parts[: first + rng.randint(1, 19)]],
        "between-two-chunks": [parts[: first + 22]],
        "before-its-last-chunk": [parts[: -len(b"0\r\n\r\n")]],
    }


@result
@points(2)
async def test_a_reply_cut_short_is_an_error(run, rng):
    """A reply that is cut short, in head, body or chunks, raises an error, and the connection is closed."""
    replies = broken(rng)
    world = calls(request={f"/{where}": call(0.5, sent) for where, sent in replies.items()})
    trace = await run(attempts, paths=[f"/{where}" for where in replies], world=world)
    for outcome, where in zip(trace.result, replies, strict=True):
        raised = isinstance(outcome, Error)
        assert raised, f"A reply cut {where.replace('-', ' ')} should raise an error; it gave {gist(outcome)}."
    assert_closed(trace)
    for sent in (f"SSH-2.0-{rng.randrange(10**6)}\r\n\r\n".encode(), chunked().removesuffix(b"0\r\n\r\n") + b"x\r\n"):
        world = calls(request=call(0.5, [sent]))
        trace = await run(attempts, paths=["/garbage"], world=world, allow=("complaints",))
        left = trace.noted("connections left open")
        assert left == [0], f"The connection was left open after a reply that breaks off in nonsense: {sent[-20:]!r}."


@result
async def test_the_request_is_one_get(run, rng):
    """It sends one GET of HTTP/1.1 for the path."""
    path = f"/page-{rng.randrange(10**6)}?q=1"
    trace = await run(get, paths=[path], world=calls(request=call(0.5, [sized(b"x")])))
    assert trace.result == [b"x"]
    assert trace.order("request") == [path]
    first = trace.call("request", path).keywords["head"].partition("\r\n")[0]
    assert first == f"GET {path} HTTP/1.1", f"The request for {path} began with {first!r}."


@scenario
async def get_cancelled(kata, stage):
    with stage.server() as address:
        task = stage.target(asyncio.create_task(page(kata, stage, address, "/page")))
        await asyncio.wait([task])
        await asyncio.sleep(1)
        return task.result()


@cancellation
@points(2)
async def test_a_cancelled_fetch_closes_its_connection(sweep, rng):
    """Cancelled at any point, in the head or in the body, it ends at once and its connection is closed."""
    data = chunked(rng.randbytes(40))
    sent = [data[:30], data[30:90], data[90:]]
    for trace in await sweep(get_cancelled, world=calls(request=call(rng.randint(1, 5), sent))):
        assert trace.noted_at("over") == [trace.struck_at]
        assert_closed(trace)


# --- fetch_each --------------------------------------------------------------------------------------


async def browse(kata, stage, address, paths, take=0):
    """Read so many pairs, or all."""
    given, pairs = list(paths), []
    pages = kata.fetch_each(*address, paths)
    try:
        async for pair in pages:
            stage.note("came", pair)
            pairs.append(pair)
            if len(pairs) == take:
                break
        await pages.aclose()
    finally:
        stage.note("connections left open", connections(address[1]))
        stage.note("over")
        stage.note("list changed", paths != given)
    return pairs


@scenario
async def visit_each(kata, stage, *, paths, take=0):
    with stage.server() as address:
        try:
            return await browse(kata, stage, address, paths, take)
        finally:
            await asyncio.sleep(1)


@scenario
async def visit_in_vain(kata, stage, *, paths, reached):
    with stage.server() as address, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        try:
            return await browse(kata, stage, address if reached else nobody.getsockname(), paths)
        except NotImplementedError:
            raise
        except Exception as error:
            return error
        finally:
            await asyncio.sleep(1)


def site(rng, count):
    """Pages with a body and a delay each, no two alike; none comes at the place that it has among the paths."""
    paths = [f"/{rng.randrange(10**6)}-{place}" for place in range(count)]
    late, turn = sorted(rng.sample(range(2, 40), count)), rng.randrange(1, count)
    delays = dict(zip(paths, late[turn:] + late[:turn], strict=True))
    bodies = {path: f"page {rng.randrange(10**6)}".encode() for path in paths}
    return delays, bodies


def serve(delays, bodies):
    """The world in which these pages come after these delays."""
    return calls(request={path: call(delay / 4, [sized(bodies[path])]) for path, delay in delays.items()})


def by_delay(delays):
    """The paths in the order in which their pages come."""
    return sorted(delays, key=lambda path: delays[path])


@timing
@points(2)
async def test_each_page_is_handed_over_as_it_comes(run, rng):
    """All pages are fetched at the same time, and each is handed over the moment it is there."""
    delays, bodies = site(rng, rng.randint(12, 16))
    trace = await run(visit_each, paths=list(delays), world=serve(delays, bodies))
    assert trace.starts("request") == [0] * len(delays)
    assert trace.noted_at("came") == [delay / 4 for delay in sorted(delays.values())]


@ordering
async def test_pages_come_in_the_order_in_which_they_finish(run, rng):
    """Pairs come in the order in which the pages finish, not in the order of `paths`."""
    delays, bodies = site(rng, rng.randint(4, 5))
    paths = sorted(delays, key=lambda path: -delays[path])
    trace = await run(visit_each, paths=paths, world=serve(delays, bodies))
    came = [pair[0] for pair in trace.result]
    assert came == by_delay(delays), f"The pages finished as {by_delay(delays)}; the pairs came as {came}."


@result
@points(2)
async def test_each_path_comes_with_its_own_body(run, rng):
    """Each pair holds a path and the body of its page; `paths` stays as it was."""
    delays, bodies = site(rng, rng.randint(4, 5))
    empty = rng.choice(list(delays))
    bodies[empty] = b""
    trace = await run(visit_each, paths=list(delays), world=serve(delays, bodies))
    if isinstance(trace.result, list):
        lost = len(trace.result) < len(bodies) and (empty, b"") not in trace.result
        assert not lost, f"A page with an empty body is a page: {len(bodies)} paths gave {len(trace.result)} pairs."
    for path, body in trace.result:
        assert body == bodies.get(path), f"The body of {path} is {bodies.get(path)!r}; it came with {body!r}."
    assert len(trace.result) == len(bodies), f"{len(bodies)} paths gave {len(trace.result)} pairs."
    assert trace.noted("list changed") == [False]
    assert_closed(trace)


@scenario
async def visit_twice(kata, stage, *, first, second):
    with stage.server() as address:
        pairs = [await browse(kata, stage, address, paths) for paths in (first, second)]
        await asyncio.sleep(1)
        return pairs


@result
async def test_paths_may_repeat_or_lack(run, rng):
    """A path that is named twice comes twice; without paths, nothing comes and no time passes."""
    delays, bodies = site(rng, 2)
    fast, slow = by_delay(delays)
    trace = await run(visit_twice, first=[], second=[slow, fast, slow], world=serve(delays, bodies))
    assert trace.result == [[], [(fast, bodies[fast]), (slow, bodies[slow]), (slow, bodies[slow])]]
    assert trace.noted_at("over") == [0, delays[slow] / 4]


def assert_broken_off(trace, paths, moment):
    """These requests were cancelled at that moment."""
    for path in paths:
        span = trace.call("request", path)
        assert span.outcome == "cancelled", f"The fetch of {path} should have been cancelled; it was {span.outcome}."
        assert span.cancelled_at == moment, f"{path} was cancelled at {span.cancelled_at!r} s, expected {moment} s."


@cancellation
@points(2)
async def test_closed_early_it_cancels_the_rest(run, rng):
    """Closed early, it cancels the other fetches and waits until their connections are closed."""
    delays, bodies = site(rng, rng.randint(4, 5))
    take = rng.randint(1, 2)
    order = by_delay(delays)
    moment = delays[order[take - 1]] / 4
    trace = await run(visit_each, paths=list(delays), take=take, world=serve(delays, bodies))
    assert trace.result == [(path, bodies[path]) for path in order[:take]]
    assert trace.noted_at("over") == [moment]
    assert_broken_off(trace, order[take:], moment)
    assert_closed(trace)


@cancellation
async def test_the_first_failure_ends_it(run, rng):
    """The first failure is raised as it happens, once the other fetches are cancelled and their connections closed."""
    delays, bodies = site(rng, rng.randint(4, 5))
    first, bad, *rest = by_delay(delays)
    failed = call(delays[bad] / 4, [sized(b"no", status="503 Out Of Order")])
    world = calls(request={**serve(delays, bodies).scripts["request"], bad: failed, rest[-1]: call(15.0, [])})
    trace = await run(visit_each, paths=list(delays), world=world, raises=ValueError)
    assert trace.noted("came") == [(first, bodies[first])]
    assert trace.noted_at("over") == [delays[bad] / 4]
    assert_broken_off(trace, rest, delays[bad] / 4)
    assert_closed(trace)
    world = calls(request={**serve(delays, bodies).scripts["request"], bad: call(delays[bad] / 4, [sized(b"no")[:-1]])})
    for reached, what in ((True, "One page was cut short"), (False, "The server of the pages could not be reached")):
        trace = await run(visit_in_vain, paths=list(delays), reached=reached, world=world if reached else calls())
        raised = isinstance(trace.result, Error)
        assert raised, f"{what}: that must be raised; after {len(trace.noted('came'))} pairs it just ended."
        assert_closed(trace)


@scenario
async def visit_each_cancelled(kata, stage, *, paths):
    with stage.server() as address:
        task = stage.target(asyncio.create_task(browse(kata, stage, address, paths)))
        await asyncio.wait([task])
        await asyncio.sleep(1)
        return task.result()


@cancellation
@points(2)
async def test_cancelled_it_ends_every_fetch(sweep, rng):
    """Cancelled while it waits for a page, it ends at once, and every fetch with it."""
    delays, bodies = site(rng, 2)
    for trace in await sweep(visit_each_cancelled, paths=list(delays), world=serve(delays, bodies)):
        assert trace.noted_at("over") == [trace.struck_at]
        assert_broken_off(trace, [path for path in delays if delays[path] / 4 > trace.struck_at], trace.struck_at)
        assert_closed(trace)


# --- serve_upper -------------------------------------------------------------------------------------


SMALL = 1 << 16
"""Bytes that the kernel may keep for a connection, or about so."""


@contextlib.asynccontextmanager
async def upper(kata, port=0):
    """The submission's server, until the block ends; gives its address."""
    server = await kata.serve_upper("127.0.0.1", port)
    if not isinstance(server, asyncio.Server):
        raise TypeError(f"`serve_upper` returned a {type(server).__name__}, not an asyncio.Server")
    for sock in server.sockets:  # what it accepts inherits these
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    address = server.sockets[0].getsockname()[:2]
    if address[0] != "127.0.0.1":
        raise ValueError(f"asked to serve on 127.0.0.1, `serve_upper` serves on {address[0]}")
    try:
        yield address
    finally:
        server.close()
        await asyncio.sleep(1)


@contextlib.contextmanager
def told_if_refused():
    """It is the suite's client that is refused, not the submission."""
    try:
        yield
    except ConnectionRefusedError:
        raise ConnectionRefusedError("nobody listens at the server's address when a client comes") from None


@contextlib.asynccontextmanager
async def client(address):
    """A connection; gives reader and writer."""
    with told_if_refused():
        reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


LEFT_OPEN = ", and then the connection was left open"


async def rest(sock, pause=0):
    """What else comes until the connection is closed or reset, as text; read with such pauses, in seconds."""
    got = b""
    with contextlib.suppress(ConnectionError):
        try:
            async with asyncio.timeout(10):
                while data := await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
                    got += data
                    await asyncio.sleep(pause)
        except TimeoutError:
            return f"{got[-40:]!r}{LEFT_OPEN}"
    return got.decode(errors="replace")


@contextlib.asynccontextmanager
async def plug(address):
    """A connection as a bare socket, which reads only when told to."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        with told_if_refused():
            await asyncio.get_running_loop().sock_connect(sock, address)
        yield sock


async def talk(address, *sent):
    """Send these bytes, wait these seconds, send EOF; gives all that comes back."""
    loop = asyncio.get_running_loop()
    async with plug(address) as sock:
        for piece in sent:
            await (loop.sock_sendall(sock, piece) if isinstance(piece, bytes) else asyncio.sleep(piece))
        sock.shutdown(socket.SHUT_WR)
        return await rest(sock)


@scenario
async def converse(kata, stage, *, lines):
    async with upper(kata) as address, client(address) as (reader, writer):
        answers = []
        for line in lines:
            await asyncio.sleep(1)
            writer.write(line.encode())
            answers.append((await reader.readline()).decode(errors="replace"))
            stage.note("answered")
        return answers


WORDS = ["straße", "déjà vu", "ñandú", "привет, мир", "γειά σου", "łódź", "œuvre 🙂", "plain text", "Mixed CASE"]


def text(rng, count):
    """So many lines that nobody can know, with letters of more than one byte."""
    words = [WORDS[0], *(rng.choice(WORDS) for _ in range(1, count))]  # one becomes longer in upper case
    return [f"{word} {rng.randrange(10**6)} é Ü\n" for word in words]


def assert_long_letters(answers):
    """A letter that is two in upper case has become two."""
    for answer in answers:
        kept = "STRAßE" in answer and "É" in answer
        assert not kept, f"In upper case `straße` is `STRASSE`; the answer was {answer!r:.200}."


@result
@points(2)
async def test_each_line_is_answered_in_upper_case(run, rng):
    """Each line is answered at once, in order, with the line in upper case, in UTF-8."""
    lines = text(rng, rng.randint(4, 6))
    trace = await run(converse, lines=lines)
    assert_long_letters(trace.result)
    assert trace.result == [line.upper() for line in lines]
    assert trace.noted_at("answered") == [place + 1 for place in range(len(lines))]


@scenario
async def send(kata, stage, *, sent):
    async with upper(kata) as address:
        return [await talk(address, *pieces) for pieces in sent]


@result
@points(2)
async def test_lines_come_in_any_pieces(run, rng):
    """A line may arrive in pieces, cut even inside a letter, and several lines may arrive at once."""
    lines = text(rng, 3)
    data = "".join(lines).encode()
    letter = len("".join(lines[:2]).encode()) - len(" Ü\n".encode()) - 1  # in the last `é`
    slowly = [piece for part in (data[:letter], data[letter:]) for cut in pieces(rng, part, 3) for piece in (cut, 0.25)]
    trace = await run(send, sent=[slowly, [data]])
    expected = "".join(lines).upper()
    assert_long_letters(trace.result[1:])  # not of what came in pieces, which may have been cut in the letter itself
    for got, how in zip(trace.result, ("in pieces", "at once"), strict=True):
        assert got == expected, f"Three lines sent {how}: expected {expected!r}, saw {got!r:.200}."


@result
async def test_a_line_ends_at_a_newline_alone(run, rng):
    """A line ends at `\\n` alone, and all else stays in it: spaces, `\\r`, and whatever else may pass for an end."""
    number = rng.randrange(10**6)
    lines = f"  a {number}\t \n\nb\rc\vd\fe\x1cf\x85g\u2028h {number}\n windows \r\n"
    trace = await run(send, sent=[[lines.encode()]])
    assert trace.result == [lines.upper()]


@result
async def test_after_eof_the_whole_lines_are_answered(run, rng):
    """A client that sends EOF is answered to its last whole line, then the connection is closed."""
    line = f"whole {rng.randrange(10**6)}\n"
    trace = await run(send, sent=[[f"{line}cut".encode()], [line.encode(), 1.0, b"cut"], [b"cut"], []])
    assert trace.result == [line.upper(), line.upper(), "", ""]


@scenario
async def crowd(kata, stage, *, silent, lines, until):
    async def ask(address, line):
        async with client(address) as (reader, writer):
            await asyncio.sleep(until / 2)
            writer.write(line)
            answer = (await reader.readline()).decode(errors="replace")
            stage.note("answered")
            await asyncio.sleep(until / 2)
            return answer

    async with upper(kata) as address:
        async with asyncio.TaskGroup() as group:
            group.create_task(talk(address, silent, until))
            tasks = [group.create_task(ask(address, line)) for line in lines]
        return [task.result() for task in tasks]


@timing
@points(2)
async def test_many_clients_are_served_at_the_same_time(run, rng):
    """Any number of clients are served at the same time; one that says nothing holds nobody up."""
    lines = [f"client {rng.randrange(10**6)}\n" for _ in range(rng.randint(12, 20))]
    trace = await run(crowd, silent=b"half a li", lines=[line.encode() for line in lines], until=240.0)
    assert trace.noted_at("answered") == [120.0] * len(lines)
    assert trace.result == [line.upper() for line in lines]


async def stuff(sock, data):
    """Send as much as the other side takes, and read nothing; gives how much that is."""
    sent = patience = 0
    while sent < len(data) and patience < 3:
        try:
            sent += sock.send(data[sent : sent + SMALL])
            patience = 0
        except BlockingIOError:
            patience += 1
            await asyncio.sleep(0.5)
    return sent


@scenario
async def stuffed(kata, stage, *, line, count, other):
    async with upper(kata) as address, plug(address) as sock:
        stage.note("bytes taken", await stuff(sock, memoryview(line * count)))
        stage.note("meanwhile", await talk(address, other))
        sock.shutdown(socket.SHUT_WR)
        answers = await rest(sock, pause=1 / 16)
        return [len(answers), sorted(set(answers.split("\n")))[:3]]


@result
@points(2)
async def test_a_client_that_does_not_read_is_not_read_from_without_end(run, rng):
    """From a client that does not read its answers not all is taken; when it reads them, none is missing."""
    line = f"{rng.randrange(10**6)}" + " to be answered" * 130 + "\n"
    count = 8_000_000 // len(line)
    trace = await run(stuffed, line=line.encode(), count=count, other=b"somebody else\n")
    (taken,) = trace.noted("bytes taken")
    assert taken < len(line) * count, (
        f"A client sent {taken} bytes and read no answer, and the server took them all; it should stop reading."
    )
    assert trace.noted("meanwhile") == ["SOMEBODY ELSE\n"]
    got, kinds = trace.result
    whole = taken // len(line) * len(line)
    assert got == whole, f"{whole} bytes of whole lines were sent; when the client read at last, {got} bytes came back."
    assert kinds == ["", line.upper().rstrip("\n")], f"Some answers were not the line in upper case: {kinds!r:.200}."


@scenario
async def overlong(kata, stage, *, before, line, other):
    loop = asyncio.get_running_loop()
    async with upper(kata) as address, client(address) as (reader, writer), plug(address) as sock:
        writer.write(other)
        answers = [await reader.readline()]
        await loop.sock_sendall(sock, before)
        got = b""
        while len(got) < len(before) and (data := await loop.sock_recv(sock, SMALL)):
            got += data
        answers.append(got)
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(sock, line)
        answers.append(await rest(sock))
        writer.write(other)
        return [*answers, await reader.readline()]


@result
@points(2)
async def test_a_line_that_is_too_long_ends_the_connection(run, rng):
    """A line over 65,536 bytes gets `line too long` and the connection is closed; a shorter one is answered."""
    number = rng.randrange(10**6)
    before = f"{number}".encode() + b" x" * 29_500 + b"\n"
    line = ("\N{LATIN SMALL LETTER E WITH ACUTE}" * 36_000 + "\n").encode()
    other = f"other {number}\n".encode()
    trace = await run(overlong, before=before, line=line, other=other)
    assert len(trace.result) == 4
    first, short, long, second = trace.result
    assert short == before.upper(), (
        f"A line of {len(before)} bytes was answered with {len(short)} bytes, which begin with {short[:20]!r}."
    )
    answer = long if long.endswith(LEFT_OPEN) else f"{long!r:.200}"
    assert long == "line too long\n", f"A line of {len(line)} bytes was answered with {answer}."
    assert [first, second] == [other.upper()] * 2, f"Another client then got {second!r}."


def reset(sock):
    """Break a connection off instead of closing it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@scenario
async def vanish(kata, stage, *, line, sent):
    async with upper(kata) as address, client(address) as (reader, writer):
        answers = []
        for data in sent:
            async with plug(address) as sock:
                await stuff(sock, memoryview(data))
                await asyncio.sleep(0.5)
                reset(sock)
            await asyncio.sleep(0.5)
            writer.write(line)
            answers.append((await reader.readline()).decode(errors="replace"))
        try:
            return [*answers, await talk(address, line)]
        except ConnectionRefusedError:
            return [*answers, "nobody listens any more"]


@result
async def test_a_client_that_vanishes_disturbs_nobody(run, rng):
    """A client may reset its connection at any moment, silent, in a line or unread: the others are served as before."""
    line = f"still here {rng.randrange(10**6)}\n"
    sent = [b"", b"in the middle of a li", b"answer me\n" * 3, (b"never reads " * 80 + b"\n") * 1000]
    trace = await run(vanish, line=line.encode(), sent=sent)
    assert trace.result == [line.upper()] * 5
    sent = b"no text: \xff\xfe\n"  # what becomes of this client is left open
    trace = await run(vanish, line=line.encode(), sent=[sent], allow=("complaints",))
    served = trace.result == [line.upper()] * 2
    assert served, f"After a client had sent {sent!r}, which is no UTF-8, two others got {trace.result!r:.200}."


@scenario
async def neighbours(kata, stage, *, lines):
    ports = []
    for _ in lines:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            ports.append(sock.getsockname()[1])
    async with contextlib.AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(upper(kata, port)) for port in ports]
        told = [("127.0.0.1", port) for port in ports]
        stage.note("listens elsewhere", [address for address in addresses if address not in told])
        return [await talk(address, line) for address, line in zip(told, lines, strict=True)]


@result
async def test_it_listens_where_it_is_told_to(run, rng):
    """The server listens on the host and port that it was given; two of them do not get in each other's way."""
    lines = [f"server {rng.randrange(10**6)}\n" for _ in range(2)]
    trace = await run(neighbours, lines=[line.encode() for line in lines])
    assert trace.noted("listens elsewhere") == [[]]
    assert trace.result == [line.upper() for line in lines]
