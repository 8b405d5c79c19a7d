"""You run the jobs on the loop of this process: their waits overlap, but whatever they compute
blocks everybody else.

Hint: Each process needs a loop of its own, made there with `asyncio.run`:
https://docs.python.org/3/library/asyncio-runner.html#asyncio.run

Violates: result, timing
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
    slots = asyncio.Semaphore(OVERLAPPING * processes)

    async def run(item: Any) -> Any:
        async with slots:
            return await job(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(item)) for item in items]
    return [task.result() for task in tasks]


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
