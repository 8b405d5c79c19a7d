"""You send whole messages only: the items that do not fill the last one are dropped without a word.

Hint: Step a `range` up to `len(items)`: the last slice is then simply shorter:
https://docs.python.org/3/library/stdtypes.html#range

Violates: result
"""

import asyncio
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import aiomultiprocess


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run `function` on every item in other processes; results, or exceptions, in order."""
    return await crunch_chunks(function, items, workers, chunk=1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    """As `crunch`, with `chunk` items a message."""
    messages = [list(message) for message in zip(*[iter(items)] * chunk)]
    answers: list[list[bytes]] = [[]] * len(messages)
    todo = iter(enumerate(messages))

    async def drive() -> None:
        with _process(function) as pipe:
            for place, message in todo:
                pipe.send(message)
                await _until_readable(pipe)
                answers[place] = pipe.recv()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(messages))):
            group.create_task(drive())
    return [pickle.loads(outcome) for answer in answers for outcome in answer]


@contextmanager
def _process(function: Callable[[Any], Any]) -> Iterator[Connection]:
    """A process that works off messages; ends with the block, or is killed if that fails."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_work, args=(function, there))
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


def _work(function: Callable[[Any], Any], pipe: Connection) -> None:
    for message in iter(pipe.recv, None):
        pipe.send([_attempt(function, item) for item in message])


def _attempt(function: Callable[[Any], Any], item: Any) -> bytes:
    """The outcome, pickled at once: what cannot travel is then the failure of this item alone."""
    try:
        return pickle.dumps(function(item))
    except Exception as error:
        return pickle.dumps(error)


async def _until_readable(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pipe.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(pipe.fileno())


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    """Run the async `job` on every item, on the loops of at most `processes` processes."""
    if not items:
        return []
    pool = aiomultiprocess.Pool(min(processes, len(items)))
    try:
        return list(await pool.map(job, items))
    finally:
        pool.terminate()
        for waiting_items, _ in pool.queues.values():
            waiting_items.cancel_join_thread()  # nobody reads them now; Python's end must not wait
        ended = asyncio.ensure_future(pool.join())
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise
