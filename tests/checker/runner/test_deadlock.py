"""Deadlocks end at once and name who waits, and where; what has an end of its own is none."""

import pytest

from checker.suite import calls
from tests.checker.runner.scenarios import on_a_loop, plainly


def test_a_deadlock_of_threads_ends_at_once(play):
    """Threads that wait for each other for ever are a deadlock, told with their lines."""
    source = """
import threading
def work(stage):
    event = threading.Event()
    thread = threading.Thread(target=event.wait, name="waiter")
    thread.start()
    thread.join()
"""
    trace = play(source, plainly)
    assert trace.ended == "deadlock"
    assert [waiting.frames[-1].line for waiting in trace.waiting] == [7]


def test_a_deadlock_names_the_thread_that_died(play):
    """Who waits for ever may wait for a thread that an error has ended: that error is told with the deadlock."""
    source = """
import threading
def work(stage):
    ready = threading.Event()
    def serve():
        [].missing
        ready.set()
    threading.Thread(target=serve, name="server").start()
    ready.wait()
"""
    trace = play(source, plainly)
    assert trace.ended == "deadlock"
    assert trace.problem == (
        "Deadlock: everything waits, and nothing can ever wake it (thread MainThread in line 9 of work)."
        " Thread server died of AttributeError: 'list' object has no attribute 'missing'."
    )


LONE = {
    "a lock taken twice": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "an event that nobody sets": "threading.Event().wait()",
    "a queue that nobody fills": "queue.SimpleQueue().get()",
    "a socket that nobody sends to": "ends = socket.socketpair(); ends[0].recv(1)",
    "a server to which nobody comes": "socket.create_server(('127.0.0.1', 0)).accept()",
    "a pipe that nobody writes to": "os.read(os.pipe()[0], 1)",
    "a socket that nobody reads": "ends = socket.socketpair(); ends[0].sendall(bytes(1 << 24))",
}


@pytest.mark.parametrize("waiting", LONE.values(), ids=LONE.keys())
def test_a_deadlock_of_a_lone_thread_ends_at_once(play_confined, waiting):
    """The loop's own thread waits for what only itself could bring about: a deadlock, told with its line."""
    source = f"""
import asyncio, os, queue, socket, threading
async def work(stage):
    asyncio.get_running_loop().call_later(5, int)
    await asyncio.sleep(1)
    {waiting}
"""
    trace = play_confined(source, on_a_loop, network=True)
    assert trace.ended == "deadlock"
    assert [(waiting.name, waiting.frames[-1].line) for waiting in trace.waiting] == [("the caller", 6)]


def test_a_deadlock_at_import_ends_at_once(play):
    """The same while the file is being imported."""
    trace = play("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n", plainly)
    assert trace.ended == "deadlock"
    assert trace.problem.startswith("Importing your file does not come to its end: deadlock")
    assert [waiting.frames[-1].line for waiting in trace.waiting] == [4]


def test_a_real_time_limit_on_a_bare_lock_is_waited_for(play):
    """A lock with a time limit of its own is given up by itself: no deadlock."""
    source = """
import threading
def work(stage):
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire(timeout=0.4), lock.acquire(timeout=0.4)
"""
    assert play(source, plainly).result == (False, False)


def test_an_alarm_of_its_own_is_waited_for(play):
    """A signal that the code has asked for may wake what waits: no deadlock."""
    source = """
import os, signal
def work(stage):
    reader, writer = os.pipe()
    signal.signal(signal.SIGALRM, lambda *_: os.write(writer, b"x"))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    return os.read(reader, 1)
"""
    assert play(source, plainly).result == b"x"


def test_ctrl_c_reaches_a_lone_thread_in_a_lock(play):
    """Time goes on for a thread that waits in a lock: an interrupt comes at its moment."""
    source = """
import threading
def work(stage):
    stage.interrupt()
    try:
        threading.Lock().acquire()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    except KeyboardInterrupt:
        return stage.now
"""
    assert play(source, plainly, calls(interrupt=2.5)).result == 2.5
