"""You await the jobs in a process one after another, so their waits never overlap and its loop has
nothing else to do meanwhile.

Hint: Run one loop in a process and start up to 16 jobs on it together:
https://docs.python.org/3/library/asyncio-task.html#asyncio.gather

Violates: timing
"""

import asyncio
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any


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


@contextmanager
def _process(function: Callable[[list[Any]], Any]) -> Iterator[Connection]:
    """A process that answers messages; it ends with the block, and is killed if that fails."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_answer, args=(function, there))
    process.start()
    there.close()
    try:
        yield here
        here.send(None)
    except BaseException:
        process.kill()
        raise
    finally:
        process.join()
        process.close()
        here.close()


async def _until_readable(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pipe.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(pipe.fileno())


# What follows runs in the processes.


def _answer(function: Callable[[list[Any]], Any], pipe: Connection) -> None:
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
    return asyncio.run(_each_in_turn(job, share))


async def _each_in_turn(job: Callable[[Any], Awaitable[Any]], share: list[Any]) -> list[Any]:
    return [await job(item) for item in share]
