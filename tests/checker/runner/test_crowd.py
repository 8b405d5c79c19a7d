"""Threads, several loops and sockets on the virtual clock: exact, whatever the machine does."""

import pytest

from checker.suite import call, calls
from tests.checker.runner.scenarios import on_a_loop, plainly

POOL = """
import asyncio, concurrent.futures, time
async def work(stage, workers, jobs):
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    await asyncio.gather(*(loop.run_in_executor(pool, time.sleep, 1) for _ in range(jobs)))
    pool.shutdown()
"""


def test_a_pool_of_threads_of_multiprocessing_is_on_the_clock_too(play):
    """Its threads look at a pipe again and again, which ends in real time: the run goes on, as with other pools."""
    source = """
import asyncio, time
from multiprocessing.pool import ThreadPool
async def work(stage):
    def sleep():
        with ThreadPool(2) as pool:
            pool.map(time.sleep, [1] * 5, chunksize=1)
    await asyncio.to_thread(sleep)
    return stage.now
"""
    assert play(source, on_a_loop).result == 3.0


@pytest.mark.parametrize(("workers", "jobs", "seconds"), [(5, 10, 2.0), (1, 3, 3.0), (4, 4, 1.0), (3, 7, 3.0)])
def test_sleeps_in_a_pool_take_virtual_time_exactly(play, workers, jobs, seconds):
    """A pool of n threads with m sleeps of 1 s takes exactly ceil(m / n) virtual seconds."""
    assert play(POOL, on_a_loop, workers=workers, jobs=jobs).elapsed == seconds


def test_blocking_calls_in_threads_overlap_as_the_pool_allows(play):
    """Blocking collaborators are calls of the world: as many at once as there are threads."""
    source = """
import concurrent.futures
def work(stage):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return list(pool.map(stage.blocking("fetch"), range(6)))
"""
    trace = play(source, plainly, calls(fetch=dict(enumerate([3.0, 1.0, 2.0, 2.5, 1.0, 4.0]))))
    assert trace.peak("fetch") == 3
    assert trace.result == [trace.given("fetch", number) for number in range(6)]
    assert [trace.call("fetch", number).start for number in (3, 4, 5)] == [1.0, 2.0, 3.0]


def test_a_blocking_call_may_fail(play):
    """An error of the world's is raised in the thread that called."""
    source = """
def work(stage):
    try:
        stage.blocking("fetch")(1)
    except LookupError as error:
        return error
"""
    trace = play(source, plainly, calls(fetch=call(1.0, error=KeyError)))
    assert trace.result == trace.given("fetch", 1)


def test_sleeping_on_the_loop_blocks_it_and_is_told(play):
    """`time.sleep` on a running loop's thread takes virtual time and is recorded with its line."""
    source = "import time\nasync def work(stage):\n    time.sleep(1.5)\n"
    trace = play(source, on_a_loop)
    assert trace.elapsed == 1.5
    assert [(stretch.start, stretch.end, stretch.line) for stretch in trace.blocked] == [(0.0, 1.5, 3)]


BLOCKING = {
    "a pool's with block": """
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 2)
""",
    "Future.result": """
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.submit(time.sleep, 2).result()
    pool.shutdown()
""",
    "Thread.join": """
    thread = threading.Thread(target=time.sleep, args=(2,))
    thread.start()
    thread.join()
""",
    "a bare lock": """
    lock = threading.Lock()
    lock.acquire()
    def free():
        time.sleep(2)
        lock.release()
    thread = threading.Thread(target=free)
    thread.start()
    lock.acquire()
    await asyncio.sleep(0)
    thread.join()
""",
}


@pytest.mark.parametrize("body", BLOCKING.values(), ids=BLOCKING.keys())
def test_waiting_for_a_thread_on_the_loops_thread_blocks_it(play, body):
    """Whatever holds the loop's thread up while time goes on is told as blocking."""
    source = f"import asyncio, concurrent.futures, threading, time\nasync def work(stage):\n{body}"
    trace = play(source, on_a_loop)
    assert [(stretch.start, stretch.end) for stretch in trace.blocked] == [(0.0, 2.0)]


def test_waiting_for_threads_that_are_over_blocks_nobody(play):
    """Ending a pool whose jobs are done takes no virtual time and is no blocking."""
    source = """
import asyncio, concurrent.futures, time
async def work(stage):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 2)
"""
    trace = play(source, on_a_loop)
    assert trace.blocked == []
    assert trace.elapsed == 2.0


WAITING = {
    "Event.wait": "threading.Event().wait(2.5)",
    "Condition.wait": "with_lock(threading.Condition())",
    "Queue.get": "quiet(lambda: queue.Queue().get(timeout=2.5))",
    "Semaphore.acquire": "threading.Semaphore(0).acquire(timeout=2.5)",
    "Future.result": "quiet(lambda: concurrent.futures.Future().result(timeout=2.5))",
    "time.sleep": "time.sleep(2.5)",
    "Thread.join": "sleeper().join(2.5)",
}


@pytest.mark.parametrize("waiting", WAITING.values(), ids=WAITING.keys())
def test_time_limits_in_threads_are_virtual(play, waiting):
    """What waits in a thread with a time limit waits in virtual time, while a loop lives by the same clock."""
    source = f"""
import asyncio, concurrent.futures, contextlib, queue, threading, time
def quiet(call):
    with contextlib.suppress(Exception):
        call()
def with_lock(condition):
    with condition:
        condition.wait(2.5)
def sleeper():
    thread = threading.Thread(target=time.sleep, args=(9,), daemon=True)
    thread.start()
    return thread
def wait():
    {waiting}
async def work(stage):
    await asyncio.gather(asyncio.to_thread(wait), asyncio.sleep(1))
    return stage.now
"""
    trace = play(source, on_a_loop)
    assert trace.result == pytest.approx(2.5)
    assert trace.elapsed == 2.5


def test_a_thread_that_ends_in_time_is_joined_at_once(play):
    """A join with a time limit returns when the thread has ended, and then it really has."""
    source = """
import asyncio, threading, time
def wait():
    thread = threading.Thread(target=time.sleep, args=(1.5,))
    thread.start()
    thread.join(9)
    return thread.is_alive()
async def work(stage):
    return await asyncio.to_thread(wait), stage.now
"""
    assert play(source, on_a_loop).result == (False, 1.5)


def test_a_class_of_threads_may_have_any_attributes(play):
    """What the clock must know of a thread takes no name that a subclass may use."""
    source = """
import threading, time
class Sleeper(threading.Thread):
    def run(self):
        time.sleep(1.5)
        self._ended()
    def _ended(self):
        self.told = True
def work(stage):
    thread = Sleeper()
    thread.start()
    thread.join(9)
    return thread.told, stage.now
"""
    assert play(source, plainly).result == (True, 1.5)


def test_a_notified_condition_does_not_wait_out_its_limit(play):
    """A thread that is notified in time goes on at that time."""
    source = """
import threading, time
def work(stage):
    event = threading.Event()
    told = []
    thread = threading.Thread(target=lambda: told.append((event.wait(60), stage.now)))
    thread.start()
    time.sleep(3)
    event.set()
    thread.join()
    return told
"""
    assert play(source, plainly).result == [(True, 3.0)]


def test_two_loops_in_two_threads_share_the_clock(play):
    """Loops in several threads go through virtual time together."""
    source = """
import asyncio, threading
def work(stage):
    def run(name, delay):
        async def main():
            for _ in range(3):
                await asyncio.sleep(delay)
                stage.note(name)
        asyncio.run(main())
    threads = [threading.Thread(target=run, args=each) for each in (("a", 1.0), ("b", 1.5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
    trace = play(source, plainly)
    assert trace.noted_at("a") == [1.0, 2.0, 3.0]
    assert trace.noted_at("b") == [1.5, 3.0, 4.5]


def test_a_delay_given_as_a_moment_shows(play):
    """The loop's clock does not begin at 0: `call_at(5)` is not `call_later(5)`."""
    source = """
import asyncio
async def work(stage):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_at(5, done.set_result, None)
    await done
"""
    assert play(source, on_a_loop).elapsed == 0.0


def test_a_server_cuts_its_replies_where_the_world_says(play):
    """A piece of a reply is read before the next comes; requests in threads overlap in virtual time."""
    source = """
import asyncio, socket
def get(address, path):
    with socket.create_connection(address) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\\r\\n\\r\\n".encode())
        parts = []
        while part := sock.recv(100):
            parts.append(part)
        return parts
async def work(stage):
    with stage.server() as address:
        return await asyncio.gather(*(asyncio.to_thread(get, address, path) for path in ("/a", "/b")))
"""
    pieces = {"/a": call(2.0, [b"one", b"two", b"three"]), "/b": call(1.0, [b"x"])}
    trace = play(source, on_a_loop, calls(request=pieces))
    assert trace.result == [[b"one", b"two", b"three"], [b"x"]]
    assert trace.peak("request") == 2
    assert trace.elapsed == 2.25


def test_a_client_that_hangs_up_cancels_its_request(play):
    """A request whose client closes before the reply is cancelled at that moment."""
    source = """
import asyncio
async def work(stage):
    with stage.server() as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\\r\\n\\r\\n")
        await asyncio.sleep(1.5)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)
"""
    trace = play(source, on_a_loop, calls(request=call(9.0, [b"late"])))
    assert [(span.outcome, span.cancelled_at) for span in trace.calls("request")] == [("cancelled", 1.5)]
    assert trace.noted("closed") == [1]


def test_ctrl_c_arrives_at_its_virtual_moment(play):
    """An interrupt is a KeyboardInterrupt in plain code at the moment that the world says."""
    source = """
import asyncio
def work(stage):
    stage.interrupt()
    try:
        asyncio.run(asyncio.sleep(60))
    except KeyboardInterrupt:
        return stage.now
"""
    assert play(source, plainly, calls(interrupt=2.5)).result == 2.5


def test_children_live_in_real_time(play):
    """A forked child has no world: its sleep is real, and its parent does not jump ahead of it."""
    source = """
import asyncio, datetime, os, threading, time
async def work(stage):
    pid = os.fork()
    if pid == 0:
        before = time.time()
        time.sleep(0.05)
        threading.Event().wait(0.01)
        thread = threading.Thread(target=time.sleep, args=(0.01,))
        thread.start()
        thread.join(5)
        drift = datetime.datetime.now().timestamp() - time.time()
        os._exit(7 if time.time() > before and abs(drift) < 60 else 1)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        await asyncio.sleep(0.001)
"""
    assert play(source, on_a_loop).result == 7


def test_ctrl_c_arrives_also_where_the_grader_ignores_it():
    """A grader started in the background ignores SIGINT; its runs do not."""
    import random
    import signal

    from checker.suite.scenario import ship
    from checker.world.session import Performance, Session

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    session = Session()
    try:
        source = b"""
import asyncio
def work(stage):
    stage.interrupt()
    try:
        asyncio.run(asyncio.sleep(60))
    except KeyboardInterrupt:
        return stage.now
"""
        performance = Performance("07_semaphore", source, [], ship(plainly, {}))
        assert session.play(performance, calls(interrupt=2.5), random.Random(1)).result == 2.5
    finally:
        signal.signal(signal.SIGINT, before)
        session.close()


def test_a_long_answer_on_its_way_is_no_sleep(play):
    """A message that is longer than the channel's buffer waits for its reader; no time goes on meanwhile."""
    source = """
import asyncio
async def work(stage):
    await asyncio.to_thread(int)
    asyncio.get_running_loop().call_later(60, int)
    for _ in range(5):
        stage.note("long", ["x" * 190_000] * 5)
    return stage.now, ["x" * 190_000] * 5
"""
    trace = play(source, on_a_loop)
    assert (trace.ended, trace.result[0]) == ("finished", 0.0)
    assert len(trace.result[1]) == 5


def test_workers_of_a_forkserver_are_at_work(play):
    """A worker of multiprocessing's fork server is a child at work, not one of its helpers: real time goes on."""
    source = """
import asyncio, multiprocessing, os, time
async def work(stage):
    context = multiprocessing.get_context("forkserver")
    worker = context.Process(target=time.sleep, args=(0.2,))
    await asyncio.to_thread(worker.start)
    seen = worker.pid in stage.children()
    while worker.is_alive():
        await asyncio.sleep(0.01)
    return seen, worker.exitcode
"""
    trace = play(source, on_a_loop)
    assert (trace.ended, trace.error, trace.result) == ("finished", None, (True, 0))
