"""You keep the processes for the next call when the work is done, so they are still there after
`crunch` has returned.

Hint: End each process and `join` it before you return:
https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.join

Violates: result
"""

import asyncio
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

OVERLAPPING = 16
"""How many jobs of `map_async` wait together in one process."""


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run `function` on every item in other processes; results, or exceptions, in order."""
    return await crunch_chunks(function, items, workers, chunk=1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    """As `crunch`, with `chunk` items a message."""
    messages = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    answers = await _in_processes(partial(_attempt_each, function), messages, workers)
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    """Run the async `job` on every item, on the loops of at most `processes` processes."""
    count = min(processes, len(items))
    shares = [items[first::count] for first in range(count)]
    results: list[Any] = [None] * len(items)
    for first, answer in enumerate(await _in_processes(partial(_run_jobs, job), shares, count)):
        results[first::count] = answer
    return results


async def _in_processes(
    function: Callable[[list[Any]], Any], messages: list[list[Any]], workers: int
) -> list[Any]:
    """`function(message)` for every message, in order; the first failure is raised."""
    answers: list[Any] = [None] * len(messages)
    todo = iter(enumerate(messages))

    async def drive() -> None:
        with _process(function) as pipe:
            for place, message in todo:
                pipe.send(message)
                await _until_readable(pipe)
                answers[place], error = pipe.recv()
                if error is not None:
                    raise error

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers, len(messages))):
                group.create_task(drive())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return answers


_idle: list[tuple[multiprocessing.Process, Connection]] = []


@contextmanager
def _process(function: Callable[[list[Any]], Any]) -> Iterator[Connection]:
    """A process that answers messages; kept for the next call, and killed if the block fails."""
    if _idle:
        process, here = _idle.pop()
    else:
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_answer, args=(there,))
        process.start()
        there.close()
    here.send(function)
    try:
        yield here
        here.send(None)
    except BaseException:
        process.kill()
        process.join()
        process.close()
        here.close()
        raise
    _idle.append((process, here))


async def _until_readable(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pipe.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(pipe.fileno())


# What follows runs in the processes.


def _answer(pipe: Connection) -> None:
    while True:
        function = pipe.recv()
        for message in iter(pipe.recv, None):
            try:
                answer = function(message), None
            except Exception as error:
                answer = None, error
            pipe.send(answer)


def _attempt_each(function: Callable[[Any], Any], message: list[Any]) -> list[bytes]:
    return [_attempt(function, item) for item in message]


def _attempt(function: Callable[[Any], Any], item: Any) -> bytes:
    """The outcome, pickled at once: what cannot travel is then the failure of this item alone."""
    try:
        return pickle.dumps(function(item))
    except Exception as error:
        return pickle.dumps(error)


def _run_jobs(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    return asyncio.run(_overlap(job, share))


async def _overlap(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    slots = asyncio.Semaphore(OVERLAPPING)

    async def run(item: Any) -> Any:
        async with slots:
            return await job(item)

    return await asyncio.gather(*map(run, share))
