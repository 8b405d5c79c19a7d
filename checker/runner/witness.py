"""Sees what only the runner can see of a run, and tells it to the grader."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import types
import warnings
import weakref
from collections.abc import MutableMapping
from typing import Any

from checker import messages
from checker.runner import encode
from checker.runner.clock import Clock
from checker.runner.loop import VirtualEventLoop
from checker.values import Frame

_ABOUT_FORKING = re.compile(".*use of fork.*", re.IGNORECASE)
"""As `warnings` compiles it, so that it finds it compiled in every process that is forked."""


class Witness:
    """Sees what only the runner can see: tasks, leaks, warnings. Told to the grader, proof of nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: list[list[Any]] = []
        self._complaints: list[str] = []
        self.leaks: list[messages.Waiting] = []
        self.own_loop: VirtualEventLoop | None = None
        self._unused: MutableMapping[VirtualEventLoop, int] = weakref.WeakKeyDictionary()
        """The loops that the import has made, and how often each had run by then."""

    def install(self) -> None:
        """Listen to tasks, warnings and everything that asyncio complains about."""
        VirtualEventLoop.task_hook = self._task_made
        VirtualEventLoop.complain = self.complain
        VirtualEventLoop.default_exception_handler = self._loop_complains
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", _ABOUT_FORKING.pattern, DeprecationWarning)
        warnings.showwarning = self._warned  # type: ignore[assignment]
        sys.unraisablehook = self._unraisable
        threading.excepthook = self._thread_died

    def forget(self) -> None:
        """The import is over: what came of it was no part of the run, nor are loops that do not run any more."""
        self._tasks = [record for record in self._tasks if record[3] is None]
        self._complaints.clear()
        self._unused.update({loop: loop.times_run for loop in VirtualEventLoop.opened})

    def complain(self, text: str) -> None:
        """Note a breach of hygiene, once, as a sentence."""
        if text not in self._complaints and len(self._complaints) < 50:
            self._complaints.append(encode.text(text, 500))

    @property
    def has_something_to_say(self) -> bool:
        """Whether something was left behind or breached."""
        return bool(self.leaks or self._complaints)

    # --- listeners ---------------------------------------------------------------------------------

    def _task_made(self, task: asyncio.Task[Any], _loop: VirtualEventLoop) -> None:
        if len(self._tasks) >= 2000:
            return
        record = [task.get_name(), self._clock.now, None, None, weakref.ref(task)]
        self._tasks.append(record)

        def ended(done: asyncio.Task[Any]) -> None:
            record[0] = done.get_name()
            record[2] = self._clock.now
            # `exception()` would mark it as retrieved, which is the submission's to do.
            failed = not done.cancelled() and getattr(done, "_exception", None) is not None
            record[3] = "cancelled" if done.cancelled() else "failed" if failed else "done"

        task.add_done_callback(ended)

    def _loop_complains(self, context: dict[str, Any]) -> None:
        message = str(context.get("message") or "The event loop met an error")
        if message.startswith("Unclosed ") or "was destroyed but it is pending" in message:
            self.complain(f"{message}.")
            return
        error = context.get("exception")
        if error is None:
            self.complain(f"{message}.")
        else:
            self.complain(f"{message}: {encode.encode_error(error).shown}: {error}")

    def _warned(self, message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        where = f" (line {lineno})" if filename == encode.submission_file else ""
        text = str(message)
        if text.startswith("Unclosed client session"):
            return  # aiohttp tells the loop as well
        if category in (RuntimeWarning, ResourceWarning):
            self.complain(f"{text[:1].upper()}{text[1:]}{where}.")
        else:
            self.complain(f"{category.__name__}: {text}{where}")

    def _unraisable(self, unraisable: Any) -> None:
        error = unraisable.exc_value
        if error is not None:
            self.complain(f"Ignored error {type(error).__name__}: {error}")

    def _thread_died(self, args: Any) -> None:
        if not issubclass(args.exc_type, SystemExit):
            name = args.thread.name if args.thread is not None else "?"
            self.complain(f"Thread {name}{messages.THREAD_DIED}{args.exc_type.__name__}: {args.exc_value}")

    # --- at the end ----------------------------------------------------------------------------------

    def look_for_leaks(self, main: asyncio.Task[Any] | None) -> None:
        """Name every task that the scenario has left behind, the oldest first: asyncio keeps them in no order."""
        order = {id(record[4]()): place for place, record in enumerate(self._tasks)}
        for task in sorted(asyncio.all_tasks(), key=lambda task: order.get(id(task), len(order))):
            if task is not main:
                self.leaks.append(self._waiting_task(task))

    def look_at_loops(self) -> None:
        """Name every loop that was left open."""
        for loop in list(VirtualEventLoop.opened):
            if loop is not self.own_loop and not loop.is_closed() and self._unused.get(loop) != loop.times_run:
                self.complain("An event loop was left open.")

    def waiting(self) -> list[messages.Waiting]:
        """Every task that is not done, and the line of the submission where it waits; threads too."""
        frames = sys._current_frames()
        found = []
        for record in self._tasks:
            task = record[4]()
            if task is not None and not task.done():
                loop = task.get_loop()
                # A task that holds up its loop awaits nothing: where it stands is where its thread does.
                thread = loop._thread_id if asyncio.current_task(loop) is task else -1
                found.append(self._waiting_task(task, frames.pop(thread, None)))
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in frames.items():
            lines = _lines_below(frame)
            if lines and (ident in names):
                found.append(messages.Waiting(encode.text(f"thread {names[ident]}", 200), lines))
        return found[:100]

    def _waiting_task(self, task: asyncio.Task[Any], frame: types.FrameType | None = None) -> messages.Waiting:
        lines = _lines_below(frame) or _await_chain(task.get_coro())
        return messages.Waiting(encode.text(str(task.get_name()), 200), lines)

    def told(self, *, final: bool) -> messages.Told:
        """The last message."""
        start = self._clock.start
        for record in self._tasks:
            task = record[4]()
            if task is not None:
                record[0] = task.get_name()
        told = [
            messages.TaskTold(
                encode.text(str(name), 200), created - start, None if ended is None else ended - start, outcome
            )
            for name, created, ended, outcome, _ in self._tasks
        ]
        # Of a run that is broken off only what may explain why: the rest may come of its being broken off.
        complaints = [each for each in self._complaints if final or messages.THREAD_DIED in each]
        return messages.Told(told, self.leaks, complaints)


def _await_chain(coroutine: Any) -> list[Frame]:
    """The submission's lines in a chain of awaits, outermost first."""
    lines: list[Frame] = []
    while coroutine is not None and len(lines) < 20:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        frame = frame or getattr(coroutine, "gi_frame", None)
        if isinstance(frame, types.FrameType) and frame.f_code.co_filename == encode.submission_file:
            lines.append(Frame(frame.f_lineno or 0, encode.text(frame.f_code.co_name, 200)))
        coroutine = (
            getattr(coroutine, "cr_await", None)
            or getattr(coroutine, "ag_await", None)
            or getattr(coroutine, "gi_yieldfrom", None)
        )
    return lines


def _lines_below(frame: types.FrameType | None) -> list[Frame]:
    lines: list[Frame] = []
    while frame is not None and len(lines) < 10:
        if frame.f_code.co_filename == encode.submission_file:
            lines.insert(0, Frame(frame.f_lineno or 0, encode.text(frame.f_code.co_name, 200)))
        frame = frame.f_back
    return lines
