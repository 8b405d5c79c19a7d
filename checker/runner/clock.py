"""The runner's end of the virtual clock: who sleeps until when, and how time goes on.

Time belongs to a `TimeSource`, in a graded run the grader's world.  The clock here only knows what it
was last told (`now`) and asks for more when nothing can run.  Two ways lead there:

*Alone* - one thread, no sockets, no child processes: the loop's own `select` asks, which costs one
round trip, a look at the loop's own pipe and one for children (2 µs).

*In a crowd* - threads, several loops, sockets, children: only an onlooker outside this process can
tell that all of it is asleep, since a thread that wants the interpreter lock looks asleep from within
(`checker.runner.observer`).  A driver thread asks that onlooker, and moves time when all is quiet.
Without an onlooker (tests of the loop alone) a crowd waits for real, in step with real time.
"""

from __future__ import annotations

import _thread
import heapq
import math
import os
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import selectors

    from checker.runner.loop import VirtualEventLoop

real_monotonic = time.monotonic
real_sleep = time.sleep

LONGEST_SELECT = 24 * 3600.0
"""Real seconds."""


class TimeSource(Protocol):
    """Whoever owns the time."""

    def wait(self, until: float | None, point: bool, /) -> tuple[float, list[Callable[[], object]]]:
        """Move time on, to `until` at most (seconds of `Clock.now`; None: no timer of the runner's).

        At a suspension `point` nobody has anything left to do: whoever owns the time may cancel somebody instead.

        Returns the time that it is then, and what has ended by it, as deliveries to be made in order.
        Raises `Deadlock` where nothing can ever happen again.
        """

    def spinning(self) -> None:
        """The loop has turned very often and no time has passed; may raise or end the process."""


class Deadlock(RuntimeError):
    """Nothing is ready, nothing is scheduled and nothing outside is at work."""


class Spinning(RuntimeError):
    """The loop turns and turns, and no time passes."""


class LocalTime:
    """Time that nobody else owns: jumps to wherever it is asked to. For tests of the loop alone."""

    def wait(self, until: float | None, _point: bool, /) -> tuple[float, list[Callable[[], object]]]:
        """It is that time at once; without any, nothing can happen any more."""
        if until is None:
            raise Deadlock("Nothing is ready and nothing is scheduled.")
        return until, []

    def spinning(self) -> None:
        """End the run with an error."""
        raise Spinning("The loop turned too often without any time passing.")


class Onlooker(Protocol):
    """Tells, from outside this process, when all of it is asleep."""

    def wait_until_quiet(self, patience: int = 0) -> bool:
        """Block until every thread is asleep and nothing is in flight.

        Args:
            patience: how often the moment of real time may be doubled.

        Returns:
            True: all is quiet.  False: a child process is alive, and a moment of real time has gone by.
        """


class Clock:
    """Virtual time in one process.

    Args:
        source: who owns the time.
        start: seconds that the clock shows at first; not 0, so that a delay passed off as a moment shows. As an
            attribute, what it showed when the run began.
        onlooker: who tells when a crowd is asleep; None: a crowd waits for real.
        turns: loop turns without progress after which `TimeSource.spinning` is called.
    """

    def __init__(
        self, source: TimeSource, *, start: float = 0.0, onlooker: Onlooker | None = None, turns: int = 50_000
    ) -> None:
        self.now = start
        self.start = start
        self.source = source
        self.moved_hook: Callable[[], None] | None = None
        self.has_children: Callable[[], bool] = has_children
        self._onlooker = onlooker
        self.talking = False
        """Whether a thread is sending the grader something: a long message waits for its reader as if asleep."""
        self._mutex = _thread.allocate_lock()
        self._epoch = 0
        self._alarms: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._idle_loops: dict[VirtualEventLoop, float | None] = {}
        self.threads_begun = 0
        """How many threads have been started in the run, whether or not they have ended."""
        self._driving = False
        self._dismissed: Any = None
        """Set once the driver is to go: a lock, held until it has done so."""
        # Others that were there before are none of the clock's business while they live, and no longer:
        # a number alone would let a new thread hide behind one that has ended.
        self._first_threads = [
            one
            for one in threading.enumerate()
            if one is not threading.main_thread() and not isinstance(one, threading._DummyThread)
        ]
        self._max_turns = turns
        self._turns = 0

    def restart(self) -> None:
        """Count from now on, as if the run began here; the clock itself goes on."""
        self.start = self.now
        if self.moved_hook is not None:
            self.moved_hook()

    # --- for the loop -------------------------------------------------------------------------

    def turned(self) -> None:
        """Count a turn of a loop that had something ready; too many without progress end the run."""
        self._turns += 1
        if self._turns > self._max_turns:
            self._turns = 0
            self.source.spinning()

    def idle(self, loop: VirtualEventLoop, selector: selectors.BaseSelector, deadline: float | None) -> list[Any]:
        """A loop has nothing ready until `deadline`: move on, and return the selector's events."""
        if self._alone(selector):
            # Only now: a thread that has just ended may have left word before it was counted out.
            events = selector.select(0)
            if events:
                return events
            self._advance_alone(deadline, point=True)
            return []
        if self._onlooker is None:
            return self._idle_really(selector, deadline)
        with self._mutex:
            self._idle_loops[loop] = deadline
            self._start_driver()
        try:
            events = selector.select(None)
        finally:
            with self._mutex:
                self._idle_loops.pop(loop, None)
                self._epoch += 1
        self._turns = 0
        return events

    def _alone(self, selector: selectors.BaseSelector | None = None) -> bool:
        """Whether nothing but the calling thread can make anything happen in this process."""
        if self._driving or self.threads > 0 or self.has_children():
            return False
        # A loop's own self-pipe is the one descriptor that is always registered.
        return selector is None or len(selector.get_map() or ()) <= 1

    def _idle_really(self, selector: selectors.BaseSelector, deadline: float | None) -> list[Any]:
        """Poll for real; virtual time goes in step with real time meanwhile."""
        started, before = self.now, real_monotonic()
        left = math.inf if deadline is None else max(0.0, deadline - started)
        # As asyncio does: a selector cannot be told to wait for very long.
        events = selector.select(None if deadline is None else min(left, LONGEST_SELECT))
        passed = started + min(left, real_monotonic() - before)
        if not events and deadline is not None and left <= LONGEST_SELECT:
            passed = deadline  # exactly, whatever the clock on the wall says
        # Another thread's loop may have moved time further meanwhile; it never goes back.
        self.now = max(self.now, passed)
        return events

    # --- for threads ----------------------------------------------------------------------------

    def block(self, until: float) -> None:
        """Let the calling thread sleep until a moment of virtual time, whoever it is."""
        if self._onlooker is None or self._alone():
            while self.now < until:
                self._advance_alone(until)
            return
        gate = _thread.allocate_lock()
        gate.acquire()
        self.alarm(until, gate.release)
        gate.acquire()

    def block_on(self, gate: Any) -> None:
        """Block the calling thread on a lock that somebody's delivery will release."""
        if self._onlooker is None or self._alone():
            while not gate.acquire(False):
                self._advance_alone(None)
            return
        with self._mutex:
            self._start_driver()
        gate.acquire()

    def alarm(self, when: float, wake: Callable[[], object]) -> Callable[[], None]:
        """Call `wake` (from the driver thread) at a moment of virtual time; returns what calls that off."""
        entry = (when, next(self._order), wake)
        with self._mutex:
            heapq.heappush(self._alarms, entry)
            self._start_driver()

        def call_off() -> None:
            with self._mutex:
                if entry in self._alarms:
                    self._alarms.remove(entry)
                    heapq.heapify(self._alarms)

        return call_off

    def expect_crowd(self) -> None:
        """A thread is about to start: have somebody there who notices when all of them wait for ever."""
        self.threads_begun += 1
        with self._mutex:
            self._start_driver()

    def expect_deadlock(self) -> None:
        """The only thread was seen to wait without a time limit: have somebody there who notices if it is for ever.

        Made for a signal handler, so it does nothing in the middle of an exchange with the source of time.
        """
        if self._mutex.acquire(blocking=False):
            try:
                self._start_driver()
            finally:
                self._mutex.release()

    @property
    def threads(self) -> int:
        """How many threads there are beside the main one, the clock's own and its forerunners left out."""
        count = _thread._count()  # before looking who has ended: too many is safe, too few is not
        if self._first_threads:
            self._first_threads = [one for one in self._first_threads if one.is_alive()]
        return count - len(self._first_threads) - self._driving

    @property
    def crowded(self) -> bool:
        """Whether the driver has taken over."""
        return self._driving

    @property
    def can_watch(self) -> bool:
        """Whether sleeping threads can be told from working ones, so that they may sleep virtually."""
        return self._onlooker is not None

    def exchange(self, talk: Callable[[], Any]) -> Any:
        """Run a question and answer with the grader so that the driver does not take it for sleep."""
        with self._mutex:
            self._epoch += 1
            return talk()

    # --- time -----------------------------------------------------------------------------------

    def _advance(self, until: float | None, *, point: bool = False) -> None:
        if until is not None and math.isinf(until):
            until = None
        before = self.now
        self.now, deliveries = self.source.wait(until, point)
        if self.now > before or deliveries:
            self._turns = 0
        if self.moved_hook is not None:
            self.moved_hook()
        for deliver in deliveries:
            deliver()

    def _advance_alone(self, until: float | None, *, point: bool = False) -> None:
        with self._mutex:
            # A driver may have been started since this thread was found to be alone.
            self._epoch += 1
            self._advance(until, point=point)

    def _start_driver(self) -> None:
        if not self._driving and self._onlooker is not None:
            self._driving = True
            begun = _thread.allocate_lock()
            begun.acquire()
            _thread.start_new_thread(self._drive, (begun,))
            begun.acquire()  # a thread is not counted before it runs, and `threads` takes it for counted

    def dismiss_driver(self, patience: float) -> bool:
        """At the end of a run, when nobody but the calling thread is left: have the driver go.

        Args:
            patience: real seconds that it may take.

        Returns:
            Whether the clock has no thread of its own any more.
        """
        with self._mutex:
            if not self._driving:
                return True
            self._dismissed = _thread.allocate_lock()
            self._dismissed.acquire()
        # It waits for the onlooker, who answers as soon as this thread is asleep.
        return bool(self._dismissed.acquire(timeout=patience))

    def _drive(self, begun: Any) -> None:
        assert self._onlooker is not None
        begun.release()
        patience = 0
        while True:
            with self._mutex:
                epoch = self._epoch
                asked_at = real_monotonic()
            quiet = self._onlooker.wait_until_quiet(patience)
            with self._mutex:
                if self._dismissed is not None:
                    self._driving = False
                    self._dismissed.release()
                    return
                if quiet and (self.talking or epoch != self._epoch):
                    continue  # somebody was talking to the grader, which looks like sleep from outside
                deadlines = [when for when in self._idle_loops.values() if when is not None]
                if self._alarms:
                    deadlines.append(self._alarms[0][0])
                until = min(deadlines, default=None)
                if not quiet:  # children are at work: time goes in step with real time
                    step = self.now + real_monotonic() - asked_at
                    # In ever longer steps, as long as nothing in this process runs or is to be woken.
                    sleeps = until is None and epoch == self._epoch
                    patience = patience + 1 if sleeps else 0
                    until = step if until is None else min(until, step)
                self._advance(until, point=quiet)
                while self._alarms and self._alarms[0][0] <= self.now:
                    heapq.heappop(self._alarms)[2]()
                for loop, when in self._idle_loops.items():
                    if when is not None and when <= self.now:
                        loop.wake()

    def forget_threads(self) -> None:
        """In a forked child: there is no driver any more, and time is real from here on."""
        self._onlooker = None
        self._driving = False
        self._mutex = _thread.allocate_lock()


def has_children() -> bool:
    """Whether this process has a child: one that has ended counts until it is reaped.

    Costs 2 µs.  Why one that has ended counts: whoever watches it is about to hear of it, and a
    living one may stand behind it.
    """
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
