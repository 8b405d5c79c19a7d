"""A crew of processes that help themselves from a shared counter and report through one pipe."""

import asyncio
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self


class Report(NamedTuple):
    """What became of one item."""

    place: int
    failed: bool
    outcome: Any


class Mouth:
    """A process's end of the pipe, which all of the crew share."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._turn = multiprocessing.Lock()

    def tell(self, place: int, failed: bool, outcome: Any) -> None:
        try:
            report = pickle.dumps(Report(place, failed, outcome))
        except Exception as error:
            report = pickle.dumps(Report(place, True, error))
        with self._turn:
            self.pipe.send_bytes(report)


class Crew:
    """`async with Crew(size, target, *args) as crew:` runs `target(number, mouth, *args)`.

    However the block ends, the processes are gone after it.
    """

    def __init__(self, size: int, target: Callable[..., None], *args: Any) -> None:
        self._ear, pipe = multiprocessing.Pipe(duplex=False)
        self._mouth = Mouth(pipe)
        self._processes = [
            multiprocessing.Process(target=target, args=(number, self._mouth, *args))
            for number in range(size)
        ]

    async def __aenter__(self) -> Self:
        for process in self._processes:
            process.start()
        self._mouth.pipe.close()
        return self

    async def __aexit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        for process in self._processes:
            if error_type is not None:
                process.kill()
            process.join()
        self._ear.close()

    async def report(self) -> Report:
        """The next report; `EOFError` if all of the crew have died before."""
        loop = asyncio.get_running_loop()
        heard = loop.create_future()
        loop.add_reader(self._ear.fileno(), _set, heard)
        try:
            await heard
        finally:
            loop.remove_reader(self._ear.fileno())
        report: Report = pickle.loads(self._ear.recv_bytes())
        return report


def _set(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)


async def crunch(function: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    return await crunch_chunks(function, items, workers, 1)


async def crunch_chunks(
    function: Callable[[Any], Any], items: list[Any], workers: int, chunk: int
) -> list[Any]:
    results = list(items)
    starts = range(0, len(items), chunk)
    if items:
        next_start = multiprocessing.Value("q", 0)
        crew = Crew(min(workers, len(starts)), _crunch, function, items, chunk, next_start)
        async with crew:
            for _ in items:
                report = await crew.report()
                results[report.place] = report.outcome
    return results


def _crunch(
    _: int,
    mouth: Mouth,
    function: Callable[[Any], Any],
    items: list[Any],
    chunk: int,
    next_start: Any,
) -> None:
    while True:
        with next_start.get_lock():
            start = next_start.value
            next_start.value += chunk
        if start >= len(items):
            return
        for place, item in enumerate(items[start : start + chunk], start):
            try:
                outcome = function(item)
            except Exception as error:
                mouth.tell(place, True, error)
            else:
                mouth.tell(place, False, outcome)


async def map_async(
    job: Callable[[Any], Awaitable[Any]], items: list[Any], processes: int
) -> list[Any]:
    results = list(items)
    if items:
        size = min(processes, len(items))
        async with Crew(size, _run_jobs, job, items, size) as crew:
            for _ in items:
                report = await crew.report()
                if report.failed:
                    raise report.outcome
                results[report.place] = report.outcome
    return results


def _run_jobs(
    number: int, mouth: Mouth, job: Callable[[Any], Awaitable[Any]], items: list[Any], size: int
) -> None:
    asyncio.run(_jobs(mouth, job, dict(enumerate(items)), range(number, len(items), size)))


async def _jobs(
    mouth: Mouth, job: Callable[[Any], Awaitable[Any]], items: dict[int, Any], places: range
) -> None:
    left = iter(places)

    async def work() -> None:
        for place in left:
            try:
                outcome = await job(items[place])
            except Exception as error:
                mouth.tell(place, True, error)
            else:
                mouth.tell(place, False, outcome)

    await asyncio.gather(*(work() for _ in range(16)))
