"""Makes a process live on the virtual clock: sleeping, wall clock, waiting with a time limit."""

from __future__ import annotations

import _thread
import datetime
import os
import queue
import threading
import time
import types
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

from checker import messages
from checker.runner import stage
from checker.runner.clock import Clock, real_monotonic, real_sleep
from checker.runner.link import Link
from checker.runner.loop import VirtualEventLoop, installed

_COUNTED = ("time", "monotonic", "perf_counter")
_BY_NUMBER = {
    time.CLOCK_REALTIME: "time",
    time.CLOCK_MONOTONIC: "monotonic",
    time.CLOCK_MONOTONIC_RAW: "monotonic",
    time.CLOCK_BOOTTIME: "monotonic",
    time.CLOCK_TAI: "time",
    5: "time",  # CLOCK_REALTIME_COARSE and CLOCK_MONOTONIC_COARSE of linux/time.h, which `time` does not name
    6: "monotonic",
}
"""What the clocks of clock_gettime(2) show; all others count processor time, which is real."""
_TOLD = ("localtime", "gmtime", "ctime")
_WRITTEN = ("asctime", "strftime")
_ASKED = (*_COUNTED, "clock_gettime")
_REAL = {
    name: getattr(time, name) for name in (*_ASKED, *(f"{name}_ns" for name in _ASKED), *_TOLD, *_WRITTEN, "sleep")
}
"""`time` as Python brings it, looked up before anything is frozen."""

PROCESSORS = 8
"""So many a run sees, on any machine: pools are as large as there are processors, and verdicts would go by that."""

_real_wait = threading.Condition.wait
_real_join = threading.Thread.join
_real_start = threading.Thread.start
_real_bootstrap_inner = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]

_ENDED = "_ended_on_the_virtual_clock"
"""Attribute of a thread: an event, set at its end. A class of the submission's may well have one named `_ended`."""
_freezer: Any = None
_current: tuple[Clock, Any] | None = None
"""The clock that the process lives by, and the context that keeps new loops on it."""


def preload_freezegun() -> None:
    """Freeze the wall clock, once and before forking: freezegun searches all loaded modules."""
    global _freezer
    import freezegun

    _freezer = freezegun.freeze_time(
        datetime.datetime(2000, 1, 1),
        # freezegun takes local time for UTC unless told otherwise.
        tz_offset=datetime.timedelta(seconds=-time.timezone),
        ignore=["checker.runner"],
    )
    _freezer.factory = _freezer.start()
    # freezegun adds the offset also to a time that is asked for in a zone of its own.
    frozen: Any = datetime.datetime
    frozen.now = classmethod(lambda cls, tz=None: cls.fromtimestamp(time.time(), tz))


def install(clock: Clock, link: Link, wall_clock: float) -> None:
    """Put the whole process on the clock, in place of the one of an earlier run, if there was one.

    Args:
        wall_clock: seconds since the epoch at the start of the run, as `time.time()` gives them.
    """
    global _current
    if _current is None:
        os.register_at_fork(after_in_child=_back_to_real_time)
    else:
        _current[1].__exit__(None, None, None)
    context = installed(clock)
    context.__enter__()
    _current = clock, context

    def now() -> float:
        return wall_clock + (clock.now - clock.start)

    for name, read in (("monotonic", lambda: clock.now), ("perf_counter", lambda: clock.now), ("time", now)):
        _patch_time(name, read)
    for name in ("clock_gettime", "clock_gettime_ns"):
        _patch_by_number(name)
    for name in _TOLD:
        _patch_told(name)
    for name in _WRITTEN:
        _patch_written(name)
    threading._time = queue.time = time.monotonic  # type: ignore[attr-defined]
    _put("sleep", _virtual_sleep(clock, link))
    # A look at a pipe, as pools of threads have it too, ends only when time has gone on; processes live in real time.
    connection.time = types.SimpleNamespace(monotonic=real_monotonic, sleep=real_sleep)  # type: ignore[attr-defined]
    for name in ("cpu_count", "process_cpu_count"):  # the latter from Python 3.13 on
        if hasattr(os, name):
            setattr(os, name, lambda: PROCESSORS)
    os.sched_getaffinity = lambda _pid, /: set(range(PROCESSORS))
    VirtualEventLoop.blocked_hook = lambda since: link.send(messages.Blocked(since))
    if clock.can_watch:
        threading.Condition.wait = _virtual_condition_wait(clock, link)  # type: ignore[method-assign]
        threading.Thread.join = _recorded_join(clock, link)  # type: ignore[method-assign]
        threading.Thread.start = _watched_start(clock)  # type: ignore[method-assign]
        threading.Thread._bootstrap_inner = _told_end  # type: ignore[attr-defined]
    if _freezer is not None:
        _follow(clock, now)


def _patch_time(name: str, read: Callable[[], float]) -> None:
    _put(name, read)
    _put(f"{name}_ns", lambda: round(read() * 1_000_000_000))


def _patch_told(name: str) -> None:
    real = _REAL[name]
    _put(name, lambda seconds=None: real(time.time() if seconds is None else seconds))


def _patch_by_number(name: str) -> None:
    real, suffix = _REAL[name], name.removeprefix("clock_gettime")

    def read(number: int, /) -> Any:
        shown = _BY_NUMBER.get(number)
        return real(number) if shown is None else getattr(time, shown + suffix)()

    _put(name, read)


def _patch_written(name: str) -> None:
    real = _REAL[name]
    most = 1 if name == "asctime" else 2
    _put(name, lambda *words: real(*words) if len(words) >= most else real(*words, time.localtime()))


def _put(name: str, function: Any) -> None:
    """Put a function into `time`, named so that it travels to another process as `time`'s own."""
    function.__module__, function.__name__, function.__qualname__ = "time", name, name
    setattr(time, name, function)


def _follow(clock: Clock, now: Callable[[], float]) -> None:
    """Tick freezegun along with the clock."""
    epoch = datetime.datetime(1970, 1, 1)

    def follow() -> None:
        _freezer.factory.move_to(epoch + datetime.timedelta(seconds=now()))

    follow()
    clock.moved_hook = follow


def _virtual_sleep(clock: Clock, link: Link) -> Any:
    def sleep(seconds: float, /) -> None:
        """As `time.sleep`, on the virtual clock; on a running loop's thread that blocks the loop."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if seconds == 0:
            real_sleep(0)
            return
        with stage.BlockRecord(clock, link):
            clock.block(clock.now + seconds)

    return sleep


def _virtual_condition_wait(clock: Clock, link: Link) -> Any:
    """A `threading.Condition.wait` whose time limit is virtual, and so are those of Event, Queue and Future."""

    def wait(self: Any, timeout: float | None = None) -> bool:
        if timeout is None:
            with stage.BlockRecord(clock, link):
                return _real_wait(self)
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        if timeout <= 0:
            return _real_wait(self, 0)
        gate = _thread.allocate_lock()
        gate.acquire()
        self._waiters.append(gate)
        saved = self._release_save()
        expired = []

        def expire() -> None:
            # Called when all threads are asleep, so nobody is notifying meanwhile.
            if gate in self._waiters:
                self._waiters.remove(gate)
                expired.append(True)
                gate.release()

        call_off = clock.alarm(clock.now + timeout, expire)
        try:
            with stage.BlockRecord(clock, link):
                gate.acquire()
        finally:
            call_off()
            self._acquire_restore(saved)
        return not expired

    return wait


def _recorded_join(clock: Clock, link: Link) -> Any:
    def join(self: Any, timeout: float | None = None) -> None:
        ended = getattr(self, _ENDED, None)  # none before its start, which the real one complains of
        if timeout is not None and timeout > 0 and ended is not None and self is not threading.current_thread():
            if not ended.wait(timeout):
                return
            timeout = None  # it has only its last steps to go
        with stage.BlockRecord(clock, link):
            _real_join(self, timeout)

    return join


def _told_end(self: Any) -> None:
    """As `Thread._bootstrap_inner`; tells at its end whoever joins with a time limit."""
    try:
        _real_bootstrap_inner(self)
    finally:
        ended = getattr(self, _ENDED, None)
        if ended is not None:
            ended.set()


def _watched_start(clock: Clock) -> Any:
    def start(self: Any) -> None:
        clock.expect_crowd()
        if not self._started.is_set():
            setattr(self, _ENDED, threading.Event())
        _real_start(self)

    return start


def _back_to_real_time() -> None:
    """In a child that the submission forked: it has no world, so its time is the real one."""
    if _current is None:
        return
    clock, context = _current
    clock.forget_threads()
    context.__exit__(None, None, None)
    if _freezer is not None:
        _freezer.stop()
    for name, function in _REAL.items():
        setattr(time, name, function)
    threading._time = queue.time = real_monotonic  # type: ignore[attr-defined]
    threading.Condition.wait = _real_wait  # type: ignore[method-assign]
    threading.Thread.join = _real_join  # type: ignore[method-assign]
    threading.Thread.start = _real_start  # type: ignore[method-assign]
    threading.Thread._bootstrap_inner = _real_bootstrap_inner  # type: ignore[attr-defined]
