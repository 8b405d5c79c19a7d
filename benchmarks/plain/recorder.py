"""What the plain suites share: delays in units of real time, and jobs that write down when they run."""

import asyncio
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

UNIT = float(os.environ.get("UNIT", "0.1"))
"""Real seconds that stand for one virtual second of the course's own suites."""


class Recorder:
    """Async jobs with delays, whose starts and ends are written down."""

    def __init__(self, delays):
        self.delays = delays
        self.began = asyncio.get_running_loop().time()
        self.starts, self.ends, self.order, self.cancelled = {}, {}, [], []
        self.running = self.peak = 0

    def now(self):
        return (asyncio.get_running_loop().time() - self.began) / UNIT

    async def job(self, name):
        self.order.append(name)
        self.starts[name] = self.now()
        self.running += 1
        self.peak = max(self.peak, self.running)
        delay = self.delays(name) if callable(self.delays) else self.delays
        try:
            if isinstance(delay, Exception):
                await asyncio.sleep(UNIT)
                raise delay
            await asyncio.sleep(delay * UNIT)
            return f"result of {name}"
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.running -= 1
            self.ends[name] = self.now()


def about(value):
    return pytest.approx(value, abs=0.34)


async def go_home(tasks):
    """Cancel those who are still about."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Call:
    """What one call of `Calls` does: wait, then return or raise; cancelled, clean up, then end as `then` says."""

    delay: float
    error: type[Exception] | None = None
    cleanup: float = 0
    then: str = "cancelled"


@dataclass
class Span:
    """One call as it went; `value` is what it brought, result or error."""

    args: tuple
    start: float
    end: float | None = None
    outcome: str = "running"
    value: object = None
    cancelled_at: float | None = None
    interrupted: bool = False


class Calls:
    """An async callable that writes its calls down; its script is for all of them, by argument or by turn."""

    def __init__(self, script):
        self.script = script
        self.began = monotonic()
        self.spans = []
        self.running = self.peak = 0

    def now(self):
        return (monotonic() - self.began) / UNIT

    def of(self, name):
        return next(span for span in self.spans if span.args[0] == name)

    def values(self, names):
        return [self.of(name).value for name in names]

    def outcomes(self):
        return [span.outcome for span in self.spans]

    async def __call__(self, *args):
        step = self.script
        if isinstance(step, dict | list):
            step = step[args[0] if isinstance(step, dict) else len(self.spans)]
        span = Span(args, self.now())
        self.spans.append(span)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            span.value = await self._play(span, step if isinstance(step, Call) else Call(step))
            span.outcome = "done"
            return span.value
        except asyncio.CancelledError:
            span.outcome = "cancelled"
            raise
        except Exception as error:
            span.value, span.outcome = error, "failed"
            raise
        finally:
            self.running -= 1
            span.end = self.now()

    async def _play(self, span, call):
        value = f"result {len(self.spans)}"
        try:
            await asyncio.sleep(call.delay * UNIT)
        except asyncio.CancelledError:
            span.cancelled_at = self.now()
            await self._clean_up(span, call.cleanup)
            if call.then == "cancelled":
                raise
            if call.then == "returns":
                return value
        if call.error:
            raise call.error(value)
        return value

    async def _clean_up(self, span, cleanup):
        try:
            if cleanup:
                await asyncio.sleep(cleanup * UNIT)
        except asyncio.CancelledError:
            span.interrupted = True
            raise


def monotonic():
    """The loop's time where there is one: it may be another than the machine's."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


async def cancel_at(moment, coroutine):
    """Run this as a task, cancel it at that moment, and see that it ends with CancelledError."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(moment * UNIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def failure_of(coroutine):
    """The error that it raises, bare or the first of a group."""
    try:
        await coroutine
    except Exception as error:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        return error
    pytest.fail("It should have raised an error.")


class Clock:
    """Counts units of real time, with a loop or without."""

    def __init__(self):
        self.began = time.monotonic()

    def now(self):
        return (time.monotonic() - self.began) / UNIT


@contextmanager
def ticking(until):
    """Sees to it that the loop, until that moment, comes to what it has to do each unit."""
    due = [place + 0.25 for place in range(20) if place + 0.25 < until]
    clock, ticks = Clock(), []
    for moment in due:
        asyncio.get_running_loop().call_later(moment * UNIT, lambda: ticks.append(clock.now()))
    yield
    assert ticks == about(due)


async def end_of_cancelled(awaitable, *moments):
    """Await it in a task that is cancelled at these moments; gives the moment at which CancelledError comes out."""

    async def use():
        return await awaitable

    task, clock = asyncio.create_task(use()), Clock()
    for moment in moments:
        await asyncio.sleep((moment - clock.now()) * UNIT)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return clock.now()
