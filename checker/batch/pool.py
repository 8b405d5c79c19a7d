"""Where the work is done: processes of this machine, or a Dask cluster.

Both are used through `submit`, which returns a future as `concurrent.futures` has it.  A worker that dies
breaks its own future and no other: `WorkerLost`.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol

from checker.runner import confine

TO_ANSWER = 10.0
"""Real seconds that a cluster's scheduler has to answer."""
LIVES = 250
"""Gradings after which a local worker is replaced by a fresh one: its memory never grows for long."""


class NoPool(RuntimeError):
    """There is nobody to do the work; says what to do."""


class NoCluster(NoPool):
    """The cluster's scheduler does not answer, or has gone."""


class Pool(Protocol):
    """Something that does work elsewhere."""

    size: int
    """How many pieces of work it does at a time."""

    def submit(self, task: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Do a piece of work."""

    def lost(self, error: BaseException) -> bool:
        """Whether that error means that the worker died, not that the work went wrong."""

    def close(self) -> None:
        """End all workers at once; what they are doing is lost."""


class LocalPool:
    """Processes of this machine.

    Args:
        jobs: how many.
        patience: real seconds after which a piece of work is given up and its worker killed: the backstop
            behind the limits that the work itself keeps.

    Raises:
        NoPool: this machine has no locks that processes could share.
    """

    def __init__(self, jobs: int, patience: float) -> None:
        import pebble

        self.size = jobs
        self._patience = patience
        try:
            get_context("spawn").Lock()
        except OSError as error:
            raise NoPool(
                f"No worker processes can be started: their locks live in /dev/shm, which cannot be written to"
                f" ({error.strerror}). Mount it so that it can."
            ) from error
        # Fresh interpreters: a fork would carry the driver's threads, locks and open gradebook along.
        self._pool: Any = pebble.ProcessPool(jobs, LIVES, _begin, [os.getpid()], get_context("spawn"))

    def submit(self, task: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """See `Pool`."""
        with _deaf():  # the first one starts the workers, and the thread that starts all later ones
            future: Future[Any] = self._pool.schedule(task, [argument], timeout=self._patience)
        return future

    def lost(self, error: BaseException) -> bool:
        """See `Pool`."""
        import pebble

        return isinstance(error, pebble.ProcessExpired | TimeoutError | CancelledError)

    def close(self) -> None:
        """See `Pool`."""
        self._pool.stop()
        self._pool.join()


def _quieten() -> None:
    """Dask and its tornado log whole tracebacks when a scheduler goes away; that is told in a sentence here."""
    logging.disable(logging.CRITICAL)


@contextmanager
def _deaf() -> Generator[None]:
    """Keep Ctrl-C waiting, and from whatever is started meanwhile: a worker would hear it before it can be told not to.

    Until Python has come up, that would be a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(driver: int) -> None:
    """A worker begins: Ctrl-C is for the driver, which ends its workers in its own time, or takes them along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # whatever it starts may want to hear it
    confine.end_with(driver)


class DaskPool:
    """A Dask cluster, through the executor interface of its client.

    Args:
        address: of the scheduler, such as `tcp://10.0.0.5:8786`.

    Raises:
        NoCluster: nobody answers there, or Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise NoCluster(
                'Dask is not installed here; install it: pip install "asyncio-katas[dask]", on every worker too.'
            ) from None
        try:
            self._client = Client(address, timeout=TO_ANSWER)
        except (OSError, ValueError, TimeoutError) as error:
            raise NoCluster(
                f"No Dask scheduler answers at {address} ({error}); is it running, and the port open?"
            ) from None
        _quieten()
        workers = self._client.nthreads()
        self.size = sum(workers.values())
        if not workers:
            self._client.close()
            raise NoCluster(f"The Dask scheduler at {address} has no workers; start some: dask worker {address}")
        self._executor = self._client.get_executor(pure=False, retries=2)

    def submit(self, task: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """See `Pool`."""
        if self._client.status != "running":
            raise NoCluster("The Dask scheduler has gone away; start it again, then give the same command again.")
        future: Future[Any] = self._executor.submit(task, argument)
        return future

    def lost(self, error: BaseException) -> bool:
        """See `Pool`."""
        from distributed import KilledWorker

        return isinstance(error, KilledWorker | CancelledError)

    def close(self) -> None:
        """See `Pool`."""
        self._client.close()
