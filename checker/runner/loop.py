"""The event loop on the virtual clock: asyncio's own selector loop with another idea of waiting."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import selectors
import weakref
from asyncio import events
from collections.abc import Callable, Generator, Mapping
from contextvars import Context
from typing import Any

from checker.runner.clock import Clock, LocalTime

RealEventLoop: Any = asyncio.SelectorEventLoop
"""The loop as Python brings it, kept since the runner puts the virtual one in its place."""


class FifoTimerHandle(asyncio.TimerHandle):
    """A timer that loses no place: of equal times the one scheduled first comes first.

    asyncio leaves the order of equal times to the heap: ten `sleep(1)` wake as 0 2 6 9 8 5 7 4 1 3.
    """

    __slots__ = ("place",)
    place: int
    """How many timers its loop had made when it made this one."""
    # asyncio's own, which the stubs leave out:
    _when: float
    _scheduled: bool
    _source_traceback: list[Any] | None

    def __lt__(self, other: Any) -> bool:
        if isinstance(other, FifoTimerHandle):
            return (self._when, self.place) < (other._when, other.place)
        return super().__lt__(other)


class VirtualSelector(selectors.BaseSelector):
    """A selector that, instead of waiting, lets the clock decide what happens next."""

    def __init__(self, clock: Clock, real: selectors.BaseSelector | None = None) -> None:
        self._real = real or selectors.DefaultSelector()
        self._clock = clock
        self.loop: VirtualEventLoop | None = None

    def select(self, timeout: float | None = None) -> list[Any]:
        """Look at the descriptors; where a `timeout` asks for waiting, the clock decides how long."""
        assert self.loop is not None
        self.loop.look_back()
        try:
            return self._select(timeout)
        finally:
            self.loop.woke_at = self._clock.now

    def _select(self, timeout: float | None) -> list[Any]:
        assert self.loop is not None
        if timeout is not None and timeout <= 0:
            events = self._real.select(0)
            if not events:
                self._clock.turned()
            return events
        # asyncio rounds its timeout and caps it at a day: the handle's own time is the exact one.
        return self._clock.idle(self.loop, self._real, self.loop.next_deadline())

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        """Close the real selector."""
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """See `selectors.BaseSelector`."""
        return self._real.get_map()


class VirtualEventLoop(RealEventLoop):  # type: ignore[misc]
    """asyncio's selector loop, which never waits: time jumps to whatever comes next.

    Args:
        clock: the clock that it lives by; None: `default_clock`, or else one of its own.  A selector in
            this place is taken as the next argument, since that is how asyncio's own class is called.
        selector: the one to look at descriptors with; None: the system's best.
    """

    default_clock: Clock | None = None
    """The clock of every loop made without one: how `asyncio.run` in a plain function gets it."""

    opened: weakref.WeakSet[VirtualEventLoop] = weakref.WeakSet()
    """Every loop made in this process, so that those left open can be named."""

    task_hook: Callable[[asyncio.Task[Any], VirtualEventLoop], None] | None = None
    """Told of every task that a loop makes."""

    blocked_hook: Callable[[float], None] | None = None
    """Told since when the thread of a loop has been blocked, as soon as the loop runs again."""

    complain: Callable[[str], None] | None = None
    """Told, in a sentence, what the loop sees going wrong."""

    def __init__(
        self, clock: Clock | selectors.BaseSelector | None = None, selector: selectors.BaseSelector | None = None
    ) -> None:
        if isinstance(clock, selectors.BaseSelector):
            clock, selector = None, clock
        self.clock = clock or self.default_clock or Clock(LocalTime())
        self.woke_at: float | None = None
        self.times_run = 0
        self._places = 0
        virtual = VirtualSelector(self.clock, selector)
        super().__init__(virtual)
        virtual.loop = self
        self.opened.add(self)

    def time(self) -> float:
        """Virtual seconds: what `Clock.now` says."""
        return self.clock.now

    @property
    def _clock_resolution(self) -> float:
        # `_run_once` fires what lies below now + resolution.  One unit in the last place is the
        # least that lets a timer at `now` itself fire at any size of `now`; more would fire too early.
        return math.ulp(self.clock.now)

    @_clock_resolution.setter
    def _clock_resolution(self, value: float) -> None:
        """Asyncio sets the system clock's; it has no meaning here."""

    def look_back(self) -> None:
        """Time goes on only while a loop waits in its selector, or else somebody held its thread up."""
        woke_at, now = self.woke_at, self.clock.now
        self.woke_at = now
        if woke_at is not None and now > woke_at and self.blocked_hook is not None:
            type(self).blocked_hook(woke_at)  # type: ignore[misc]

    def run_forever(self) -> None:
        """See `asyncio.loop.run_forever`."""
        self.times_run += 1
        self.woke_at = self.clock.now
        super().run_forever()

    def next_deadline(self) -> float | None:
        """When the first scheduled timer is due, exactly as it was scheduled."""
        return self._scheduled[0]._when if self._scheduled else None

    def wake(self) -> None:
        """Let a loop that waits in its selector, in another thread, look again."""
        with contextlib.suppress(AttributeError, OSError):
            self._write_to_self()

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        """As asyncio's, but equal times keep the order in which they were scheduled."""
        if when is None:
            raise TypeError("when cannot be None")
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        self._places += 1
        timer = FifoTimerHandle(when, callback, args, self, context)
        timer.place = self._places
        if timer._source_traceback:
            del timer._source_traceback[-1]
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """As asyncio's; `task_hook` is told of it. The name may follow a moment later."""
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        if self.task_hook is not None:
            type(self).task_hook(task, self)  # type: ignore[misc]
        return task

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        if type(self).complain is not None and not self.is_closed():
            name = getattr(agen, "__qualname__", "?")
            type(self).complain(f"The async generator {name} was left to the garbage collector, not closed.")  # type: ignore[misc]
        super()._asyncgen_finalizer_hook(agen)


@contextlib.contextmanager
def installed(clock: Clock) -> Generator[None]:
    """Let every new loop be a virtual one on `clock`, however it is made, and without a policy.

    `asyncio.run`, `Runner` and `new_event_loop` all end at the policy's loop factory; setting a
    policy would do too, but warns from Python 3.14 on.
    """
    policy = _default_policy()
    # `EventLoop` is the name of the platform's best loop from Python 3.13 on.
    places = [(policy, "_loop_factory"), (VirtualEventLoop, "default_clock")]
    places += [
        (module, name)
        for module in (asyncio, asyncio.unix_events)
        for name in ("SelectorEventLoop", "EventLoop")
        if hasattr(module, name)
    ]
    before = [getattr(place, name) for place, name in places]
    for place, name in places:
        setattr(place, name, clock if name == "default_clock" else VirtualEventLoop)
    try:
        yield
    finally:
        for (place, name), value in zip(places, before, strict=True):
            setattr(place, name, value)


def _default_policy() -> Any:
    names = ("_UnixDefaultEventLoopPolicy", "_DefaultEventLoopPolicy")
    return next(getattr(asyncio.unix_events, name) for name in names if hasattr(asyncio.unix_events, name))


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, if one does."""
    return events._get_running_loop()
