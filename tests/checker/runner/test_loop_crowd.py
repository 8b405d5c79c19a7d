"""The loop among threads, sockets and child processes: it waits for them, and loses nothing that they send.

The clocks here have no onlooker, so a crowd waits for real.  The limits are an hour long: nothing depends
on how fast the machine is, and a limit that runs out shows that time jumped past somebody at work.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from checker.runner.clock import Clock, LocalTime
from checker.runner.loop import VirtualEventLoop, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

T = TypeVar("T")

HOUR = 3600.0
"""Virtual seconds; in a crowd they pass in step with real ones."""

CHILD = [sys.executable, "-S", "-c", "import sys; sys.stdout.write(sys.stdin.read().upper())"]
"""A process that answers when its input ends."""


def run(main: Callable[[], Coroutine[Any, Any, T]], clock: Clock | None = None) -> T:
    """Run a coroutine function on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(clock or Clock(LocalTime()))) as runner:
        return runner.run(main())


# --- threads -------------------------------------------------------------------------------------------


def test_word_from_a_thread_that_ends_at_once_is_never_lost() -> None:
    """What a thread leaves with `call_soon_threadsafe` arrives, even if the thread has ended by then."""
    clock = Clock(LocalTime())
    clock.has_children = lambda: False

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        arrived = []
        for number in range(1000):
            word = loop.create_future()
            threading.Thread(target=loop.call_soon_threadsafe, args=(word.set_result, number)).start()
            arrived.append(await word)  # a word lost would be a deadlock
        return arrived

    assert run(main, clock) == list(range(1000))


def test_word_from_many_threads_at_once_is_never_lost() -> None:
    """Threads that end in any order, while the loop goes idle and wakes up, each get through."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(50):
            words = [loop.create_future() for _ in range(8)]
            for word in words:
                threading.Thread(target=loop.call_soon_threadsafe, args=(word.set_result, None)).start()
            await asyncio.wait_for(asyncio.gather(*words), HOUR)
        return 50 * 8

    assert run(main) == 400


def test_a_timer_waits_for_a_job_in_an_executor() -> None:
    """While a job is at work in a thread, no timer further away goes off."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        at_work = threading.Event()

        def job() -> str:
            at_work.wait()
            return "done"

        loop.call_later(0.001, at_work.set)
        return await asyncio.wait_for(loop.run_in_executor(None, job), HOUR)

    assert run(main) == "done"


def test_jobs_in_threads_give_their_results_and_errors() -> None:
    """`to_thread` and `run_in_executor` work as ever."""

    async def main() -> list[Any]:
        jobs = [asyncio.to_thread(divmod, 7, divisor) for divisor in (1, 2, 0)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    *results, error = run(main)
    assert results == [(7, 0), (3, 1)]
    assert isinstance(error, ZeroDivisionError)


def test_a_new_thread_does_not_hide_behind_one_that_has_ended() -> None:
    """Threads that were there before the clock count as long as they live, and not a moment longer."""
    may_end, at_work = threading.Event(), threading.Event()
    older = threading.Thread(target=may_end.wait)
    older.start()
    clock = Clock(LocalTime())
    clock.has_children = lambda: False

    async def main() -> bool:
        await asyncio.sleep(HOUR)  # with the older thread there: no need to wait for real
        may_end.set()
        older.join()
        asyncio.get_running_loop().call_later(0.001, at_work.set)
        return await asyncio.wait_for(asyncio.to_thread(at_work.wait), HOUR)

    assert run(main, clock)


def test_time_never_goes_back_with_loops_in_two_threads() -> None:
    """Two loops on one clock, each in a thread: whoever looks never sees an earlier time than before."""
    clock = Clock(LocalTime())
    seen: list[list[float]] = [[], []]

    async def look(mine: list[float], pause: float) -> None:
        for _ in range(20):
            mine.append(asyncio.get_running_loop().time())
            await asyncio.sleep(pause)

    threads = [
        threading.Thread(target=run, args=(lambda mine=mine, pause=pause: look(mine, pause), clock))
        for mine, pause in zip(seen, (0.001, 0.0007), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(times) for times in seen] == [20, 20]
    assert [sorted(times) for times in seen] == seen


# --- sockets -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def upper_server() -> Generator[int]:
    """A thread that answers one connection with what it got, in capitals. Gives its port on loopback."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(100):
                peer.sendall(data.upper())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_an_answer_on_loopback_comes_before_a_far_timer() -> None:
    """A peer in another thread answers at once: its bytes are there long before the limit."""

    async def main(port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for word in (b"one", b"two"):
            writer.write(word)
            answers.append(await asyncio.wait_for(reader.readexactly(3), HOUR))
        writer.close()
        await writer.wait_closed()
        return answers

    with upper_server() as port:
        assert run(lambda: main(port)) == [b"ONE", b"TWO"]


def test_both_ends_in_one_loop() -> None:
    """A server and its client may live in the same loop."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()
        await writer.wait_closed()

    async def main() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        data = await asyncio.wait_for(reader.read(), HOUR)
        writer.close()
        server.close()
        await server.wait_closed()
        return data

    assert run(main) == b"HELLO\n"


def test_a_timer_is_exact_with_sockets_open_too() -> None:
    """Where nothing comes in, a timer next to an open socket goes off at exactly its time."""
    clock = Clock(LocalTime(), start=1000.0)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            loop.add_reader(ours, pytest.fail)
            await asyncio.sleep(0.001 / 3)
            loop.remove_reader(ours)
        return loop.time()

    assert run(main, clock) == 1000.0 + 0.001 / 3


@pytest.mark.parametrize("kind", [selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector])
def test_the_selector_may_be_chosen(kind: Callable[[], selectors.BaseSelector]) -> None:
    """`SelectorEventLoop(selector)` looks at descriptors with that selector, on the installed clock."""
    ours, theirs = socket.socketpair()
    chosen = kind()
    with ours, theirs, installed(Clock(LocalTime())):
        loop = asyncio.SelectorEventLoop(chosen)
        loop.add_reader(ours, loop.stop)
        assert chosen.get_key(ours).fd == ours.fileno()
        theirs.send(b"!")
        loop.run_forever()
        loop.remove_reader(ours)
        loop.close()
        assert isinstance(loop, VirtualEventLoop)


# --- child processes -----------------------------------------------------------------------------------


def test_a_child_process_is_waited_for() -> None:
    """A child under `wait_for` does not time out however long the machine takes to start it."""

    async def main() -> bytes:
        child = await asyncio.create_subprocess_exec(*CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        output, _ = await asyncio.wait_for(child.communicate(b"hello"), HOUR)
        return output

    assert run(main) == b"HELLO"


def test_a_child_that_is_only_polled_is_waited_for() -> None:
    """A loop that sleeps between looks at a child does not race ahead of it: time is real meanwhile."""
    clock = Clock(LocalTime())

    async def main() -> int:
        child = subprocess.Popen(CHILD, stdin=subprocess.DEVNULL)
        while child.poll() is None:
            await asyncio.sleep(0.001)
        return child.returncode

    before = time.monotonic()
    assert run(main, clock) == 0
    assert clock.now <= time.monotonic() - before


def test_time_jumps_again_when_the_child_is_gone() -> None:
    """A child that has ended and was waited for leaves no trace on the clock."""
    clock = Clock(LocalTime())

    async def main() -> None:
        subprocess.run(CHILD, stdin=subprocess.DEVNULL, check=True)
        clock.has_children = lambda: False  # other tests' children apart
        await asyncio.sleep(1e9)

    run(main, clock)
    assert clock.now == 1e9
