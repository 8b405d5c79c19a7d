"""Blocking talks with bare processes, each in a thread of its own; aiomultiprocess's `Worker`."""

import asyncio
import multiprocessing
import pickle
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import aiomultiprocess

Messages = deque[tuple[int, list[Any]]]


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    return await crunch_chunks(function, items, workers, 1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    if not items:
        return []
    todo: Messages = deque(
        (start, items[start : start + chunk]) for start in range(0, len(items), chunk)
    )
    results: list[Any] = [None] * len(items)
    helpers = [_Helper(function) for _ in range(min(workers, len(todo)))]
    threads = ThreadPoolExecutor(len(helpers))
    loop = asyncio.get_running_loop()
    talks = [loop.run_in_executor(threads, helper.talk, todo, results) for helper in helpers]
    cancelled: asyncio.CancelledError | None = None
    while not all(talk.done() for talk in talks):
        try:
            await asyncio.wait(talks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError as error:
            cancelled = error
        if cancelled or any(talk.done() and talk.exception() for talk in talks):
            todo.clear()
            for helper in helpers:
                helper.process.kill()  # ends its thread's talk, with EOFError
    for helper in helpers:
        helper.process.join()
        helper.pipe.close()
    threads.shutdown(wait=False)
    failed = [talk for talk in talks if talk.exception()]
    if cancelled:
        raise cancelled
    for talk in failed:
        talk.result()
    return results


class _Helper:
    """A process and the pipe to it."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.pipe, other_end = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_listen, args=(function, other_end))
        self.process.start()
        other_end.close()

    def talk(self, todo: Messages, results: list[Any]) -> None:
        """Blocks: sends messages and waits for their answers until there are no more."""
        while True:
            try:
                start, message = todo.popleft()
            except IndexError:
                break
            self.pipe.send_bytes(pickle.dumps(message))
            answer = pickle.loads(self.pipe.recv_bytes())
            results[start : start + len(answer)] = map(pickle.loads, answer)
        self.pipe.send_bytes(b"")


def _listen(function: Callable[[Any], Any], pipe: Connection) -> None:
    while message := pipe.recv_bytes():
        answer: list[bytes] = []
        for item in pickle.loads(message):
            try:
                answer.append(pickle.dumps(function(item)))
            except Exception as error:
                answer.append(pickle.dumps(error))
        pipe.send_bytes(pickle.dumps(answer))


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    count = min(processes, len(items))
    workers = [
        aiomultiprocess.Worker(target=_share, args=(job, items[first::count]))
        for first in range(count)
    ]
    results: list[Any] = [None] * len(items)

    async def collect(first: int) -> None:
        error, share = await workers[first].join()
        if error is not None:
            raise error
        results[first::count] = share

    try:
        for worker in workers:
            worker.start()
        async with asyncio.TaskGroup() as group:
            for first in range(count):
                group.create_task(collect(first))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        for worker in workers:
            worker.kill()
            worker.aio_process.join()
    return results


async def _share(
    job: Callable[[Any], Awaitable[Any]], share: list[Any]
) -> tuple[Exception | None, list[Any]]:
    """In the worker: its items, 16 at a time, until the first failure."""
    slots = asyncio.Semaphore(16)

    async def run(item: Any) -> Any:
        async with slots:
            return await job(item)

    tasks = [asyncio.create_task(run(item)) for item in share]
    try:
        return None, list(await asyncio.gather(*tasks))
    except Exception as error:
        for task in tasks:
            task.cancel()
        return error, []
