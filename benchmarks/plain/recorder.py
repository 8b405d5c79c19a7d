"""What the plain suites share: delays in units of real time, and jobs that write down when they run."""

import asyncio
import os

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
