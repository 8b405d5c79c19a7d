"""The world of one run: owns the clock and the calls, and keeps the only log that counts as evidence.

It is a machine of messages: `answer` takes one from the runner and gives the reply, if the message wants
one.  It does no input or output; `checker.world.session` carries the messages.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import random
from collections.abc import Sequence
from itertools import count
from typing import Any

from checker import messages
from checker.messages import Cleanup, Ended, Halt, Now
from checker.trace import Blocked, Noted, Seconds, Span, Task, Trace, Waiting
from checker.values import (
    MAX_NAME,
    Allowance,
    Error,
    Malformed,
    TooMuch,
    frames,
    known_name,
    plain,
    plain_error,
    printable,
    wire,
)
from checker.world.script import TOKEN, Outcome, World

START = 1000.0
"""What the runner's clock shows at first; a trace counts from the moment in which the submission was loaded."""
MAX_WAITS = 20_000
MAX_CALLS = 5_000
MAX_NOTES = 20_000
MAX_BLOCKED = 20_000
"""Blocked stretches: to each belongs a wait, in which the clock went on."""
MAX_MESSAGES = 100_000
"""Of whatever kinds; more than all limits of one kind of message allow."""
MAX_TOLD = 2_000
"""Tasks that are kept of those that the runner tells of."""
MAX_COLUMN = 1000
"""Of a line, at which an error is said to be."""
A_CALL, A_WAIT, A_NOTE, A_STRETCH, A_TASK, A_WAITER, A_COMPLAINT = 1600, 80, 180, 280, 240, 160, 16
"""Bytes of memory that each of them takes up in all that is kept here, beside its values and texts."""
SPOKE_ON = "it went on after its answer"
"""One reason for whatever follows an answer: which forged word comes first is chance."""


_BEFORE_IT_IS_LOADED = (
    messages.Loaded | messages.Wait | messages.Blocked | messages.Refused | messages.Stopped | messages.Told
)
"""What a run may say while it imports the submission."""


class OpenCall:
    """A call under way: its span, and how it is going to go."""

    def __init__(self, span: Span, outcome: Outcome) -> None:
        self.span = span
        self.outcome = outcome
        self.cleaning = False
        self.place = 0
        """Which of its entries in the queue of endings counts; a rescheduled call leaves dead ones behind."""


class Ledger:
    """The world's side of one run.

    Args:
        world: how the calls go.
        rng: draws the secret behind the tokens; nobody in the runner can know its state.
        strike: the suspension point at which the submission is to be cancelled.
        allowance: what may be kept of what the run sends.
    """

    def __init__(
        self, world: World, rng: random.Random, strike: int | None = None, allowance: Allowance | None = None
    ) -> None:
        self.trace = Trace()
        self._strike = strike
        self._points = self._tokens = 0
        self._allowance = allowance or Allowance()
        self._messages = self._stops = 0
        self._world = world
        self._secret = rng.randbytes(32)
        self._now = self._start_time = START
        self._open: dict[int, OpenCall] = {}
        self._ended: dict[int | None, Span] = {}
        self._seen: set[int] = set()
        self._counts: dict[str, int] = {}
        self._endings: list[tuple[float, int, int]] = []
        self._order = count()
        self._answered = False
        self._waits = 0
        self.closed = False
        """Whether the last message has come; nothing may follow it."""
        self.halted = ""
        self.stopped = ""
        """Which limit the runner says that it has met."""
        self.lacks = False
        """Whether the runner says that its sandbox keeps away what the submission needs."""
        self.loaded = False
        """Whether the submission's import has come to its end."""

    # --- messages ------------------------------------------------------------------------------------

    def answer(self, message: messages.FromRunner) -> messages.ToRunner | None:
        """Log a message, and give the reply that it waits for.

        Raises:
            Malformed: the message is not legal at this point.
        """
        if self.closed:
            raise Malformed(SPOKE_ON)
        self._messages += 1
        if self._messages > MAX_MESSAGES:
            raise TooMuch(f"more than {MAX_MESSAGES} messages")
        if not self.loaded and not isinstance(message, _BEFORE_IT_IS_LOADED):
            raise Malformed("it spoke of calls and answers before it was loaded")
        match message:
            case messages.Loaded():
                self._loaded()
            case messages.Wait():
                return self._wait(message)
            case messages.Start():
                self._start(message)
            case messages.Cancelled():
                return Cleanup(self._cancel(self._known(message.call)))
            case messages.Dropped():
                self._end(self._known(message.call), "dropped", None)
            case messages.Blocked():
                self._blocked(message)
            case messages.Note():
                self._note(message)
            case messages.Returned():
                self._conclude()
                self.trace.result = plain(message.value, 0, self._allowance)
            case messages.Raised():
                self._conclude()
                self.trace.error = plain_error(message.error, 0, self._allowance)
            case messages.Refused():
                self._refuse(message)
            case messages.Stopped():
                self._stopped(message)
            case messages.Told():
                self._told(message)
        return None

    def _loaded(self) -> None:
        """Time counts from here on, and nothing that came before: what a file does while it is imported is its own."""
        if self.loaded:
            raise Malformed("it was loaded twice")
        self.loaded = True
        self._start_time = self._now
        self.trace.waits.clear()
        self.trace.blocked.clear()

    def _seconds(self, moment: float | None = None, what: str = "") -> Seconds:
        return Seconds((self._now if moment is None else moment) - self._start_time, what)

    # --- calls -----------------------------------------------------------------------------------------

    def _start(self, message: messages.Start) -> None:
        if message.call in self._seen:
            raise Malformed(f"call {message.call} was started twice")
        if len(self._seen) >= MAX_CALLS:
            raise TooMuch(f"more than {MAX_CALLS} calls")
        self._seen.add(message.call)
        label, task, thread = _label(message.label), _name(message.task), _name(message.thread)
        args = tuple(plain(arg, 0, self._allowance) for arg in message.args)
        # Its label stands also in what its moments are the answers to.
        self._allowance.keep(*[label] * 4, task, thread, args, message.keywords, *message.keywords, more=A_CALL)
        if message.parent is not None:
            self._go_on(message, args)
            return
        place = self._counts[label] = self._counts.get(label, -1) + 1
        span = Span(
            label=label,
            number=message.call,
            args=args,
            keywords={name: plain(value, 0, self._allowance) for name, value in message.keywords.items()},
            start=self._seconds(what=f"`{label}` started at"),
            task=task,
            thread=thread,
            after_return=self._answered,
        )
        self.trace.spans.append(span)
        call = self._open[message.call] = OpenCall(span, self._outcome(label, place, args))
        self._schedule(call, call.outcome.delay)

    def _go_on(self, message: messages.Start, args: tuple[Any, ...]) -> None:
        """A second act of a call that has ended, such as the body after the head: its span goes on."""
        span = self._ended.pop(message.parent, None)
        if span is None or span.outcome != "done" or span.end != self._seconds():
            raise Malformed(f"call {message.call} goes on with a call that has not just ended")
        span.outcome, span.end, span.number = "open", None, message.call
        call = self._open[message.call] = OpenCall(span, self._outcome(message.label, 0, args))
        self._schedule(call, call.outcome.delay)

    def _outcome(self, label: str, place: int, args: tuple[Any, ...]) -> Outcome:
        if label in self._world.scripts:
            self.trace.asked.add(label)
        return self._world.outcome(label, place, args)

    def _known(self, number: int) -> OpenCall:
        call = self._open.get(number)
        if call is None:
            raise Malformed(f"call {number} is not under way")
        return call

    def _schedule(self, call: OpenCall, delay: float) -> None:
        call.place = next(self._order)
        heapq.heappush(self._endings, (self._now + delay, call.place, call.span.number))

    def _cancel(self, call: OpenCall) -> str:
        span = call.span
        span.cancels += 1
        if call.cleaning:
            span.interrupted += 1
            self._end(call, "cancelled", None)
            return "now"
        if span.cancelled_at is None:
            span.cancelled_at = self._seconds(what=f"`{span.label}` was cancelled at")
        if span.cancels <= call.outcome.ignores:
            return "ignore"
        if call.outcome.cleanup == 0 and call.outcome.then == "cancelled":
            self._end(call, "cancelled", None)
            return "now"
        call.cleaning = True
        self._schedule(call, call.outcome.cleanup)
        return "later"

    def _end(self, call: OpenCall, outcome: str, value: Any) -> None:
        del self._open[call.span.number]
        if self._answered:
            return  # whatever is done about a call that the answer has left open comes too late
        call.span.outcome = outcome
        call.span.end = self._seconds(what=f"`{call.span.label}` ended at")
        call.span.value = value
        if outcome == "done":
            self._ended[call.span.number] = call.span

    def _finish(self, call: OpenCall) -> Ended:
        """End a call by the clock; returns what the runner learns of it."""
        number = call.span.number
        outcome = call.outcome
        if call.cleaning and outcome.then == "cancelled":
            self._end(call, "cancelled", None)
            return Ended(number, wire(_cancelled()), failed=True)
        error = outcome.error
        if call.cleaning:
            error = (error or RuntimeError) if outcome.then == "raises" else None
        if error is not None:
            failure = self._failure(error)
            self._end(call, "failed", failure)
            return Ended(number, wire(failure), failed=True)
        result = self._result(call)
        self._end(call, "done", result)
        return Ended(number, wire(result))

    def _result(self, call: OpenCall) -> Any:
        result = call.outcome.result
        if result is TOKEN:
            return self.token()
        if callable(result):
            try:
                found = result(*call.span.args)
                wire(found)
            except Exception:  # what a submission gives, neither the suite's function nor the wire need stand
                return None
            return found
        return result

    def token(self) -> str:
        """A word that nobody can guess, also who has seen thousands of them, from which a `Random` could be told."""
        self._tokens += 1
        return hashlib.blake2b(b"%d" % self._tokens, key=self._secret, digest_size=4).hexdigest()

    def _failure(self, cls: type[BaseException]) -> Error:
        token = self.token()
        classes = tuple(known_name(base) for base in cls.__mro__ if issubclass(base, BaseException))
        return Error(cls.__name__, classes, token, (token,))

    # --- time ------------------------------------------------------------------------------------------

    def _wait(self, message: messages.Wait) -> messages.ToRunner:
        self._waits += 1
        if self._waits > MAX_WAITS:
            return self._halt("never ends")
        until = message.until
        # Who waits for what is past does not wait: such a one is no point, nor could many be made of one.
        waits = self.loaded and not self._answered and (until is None or until > self._now)
        if waits and message.point and self._is_to_be_struck():
            self.trace.struck_at = self._seconds()
            return messages.Strike()
        self._drop_dead_endings()
        if not self._endings and until is None:
            return self._halt("deadlock")
        moments = [moment for moment in (until, self._endings[0][0] if self._endings else None) if moment is not None]
        # Time only goes forward, whatever the runner asks for.
        self._now = max(self._now, min(moments))
        if not self._answered:
            self._allowance.keep(more=A_WAIT)
            self.trace.waits.append(self._seconds())
            self.trace.passed += waits and self.trace.struck_at is None
        ended = []
        while self._endings and self._endings[0][0] <= self._now:
            _, place, number = heapq.heappop(self._endings)
            call = self._open.get(number)
            if call is not None and call.place == place:
                ended.append(self._finish(call))
        return Now(self._now, ended)

    def _is_to_be_struck(self) -> bool:
        """Whether this suspension point is the one; it is counted here, since the runner is not to know."""
        if self._strike is None or self.trace.struck_at is not None:
            return False
        self._points += 1
        return self._points == self._strike

    def _drop_dead_endings(self) -> None:
        while self._endings:
            _, place, number = self._endings[0]
            call = self._open.get(number)
            if call is not None and call.place == place:
                return
            heapq.heappop(self._endings)

    def _halt(self, reason: str) -> Halt:
        self.halted = reason
        return Halt(reason)

    # --- the end ---------------------------------------------------------------------------------------

    def _conclude(self) -> None:
        if self._answered:
            raise Malformed(SPOKE_ON)
        self._answered = True
        self.trace.elapsed = self.now

    def _refuse(self, message: messages.Refused) -> None:
        if self._answered:
            raise Malformed(SPOKE_ON)
        self._answered = True
        self.trace.ended = "refused"
        self.lacks = message.kind == "sandbox"
        self.trace.problem = printable(message.message[:1000])
        self._allowance.keep(self.trace.problem)
        self.trace.decides = message.kind in ("syntax", "import")
        self.trace.problem_line = message.line
        self.trace.problem_column = None if message.column is None else min(message.column, MAX_COLUMN)
        self.trace.error = None if message.error is None else plain_error(message.error, 0, self._allowance)

    def _stopped(self, message: messages.Stopped) -> None:
        reasons = {"cpu": "timed out", "wall": "timed out", "memory": "out of memory", "turns": "never ends"}
        self._stops += 1
        if self._stops > 2:  # a second one may be: a limit is met just as the run says that it has met another
            raise Malformed(SPOKE_ON)
        self.stopped = message.reason
        ended = self.halted or reasons.get(message.reason, "crashed")
        waiting = self._waiting(message.waiting)
        if self._answered:
            # The answer was there; what came after it can only spoil the hygiene.
            self._complain([f"After its answer the run did not come to an end ({ended})."])
            self.trace.leaks += waiting
            return
        self._answered = True
        self.trace.ended = ended
        self.trace.waiting = waiting
        self.trace.elapsed = self.now

    def _told(self, message: messages.Told) -> None:
        if not self._answered:
            raise Malformed("the last message came before the answer")
        self.closed = True
        for task in message.tasks[:MAX_TOLD]:
            name, outcome = task.name[:MAX_NAME], _name(task.outcome)
            self._allowance.keep(name, outcome, more=A_TASK)
            ended = None if task.ended is None else self._told_moment(task.ended)
            self.trace.tasks.append(Task(name, self._told_moment(task.created), ended, outcome))
        self.trace.leaks += self._waiting(message.leaks)
        self._complain([text[:500] for text in message.complaints[:50]])

    def _complain(self, complaints: Sequence[str]) -> None:
        self._allowance.keep(*complaints, more=A_COMPLAINT * len(complaints))
        self.trace.complaints += complaints

    def _waiting(self, told: Sequence[messages.Waiting]) -> list[Waiting]:
        waiting = [Waiting(each.name[:MAX_NAME], frames(each.frames, self._allowance)) for each in told[:MAX_TOLD]]
        self._allowance.keep(*(each.name for each in waiting), more=A_WAITER * len(waiting))
        return waiting

    def _told_moment(self, moment: float) -> Seconds:
        """A moment that the runner tells of, held within the run."""
        if not math.isfinite(moment):
            raise Malformed("a moment that is no finite number")
        return Seconds(min(max(moment, 0.0), self._now - self._start_time))

    def _note(self, message: messages.Note) -> None:
        if len(self.trace.notes) >= MAX_NOTES:
            raise TooMuch(f"more than {MAX_NOTES} notes")
        label, thread = _label(message.label), _name(message.thread)
        if not self._answered:
            self._allowance.keep(label, thread, more=A_NOTE)
            self.trace.notes.append(Noted(label, plain(message.value, 0, self._allowance), self._seconds(), thread))

    def _blocked(self, message: messages.Blocked) -> None:
        if len(self.trace.blocked) >= MAX_BLOCKED:
            raise TooMuch(f"more than {MAX_BLOCKED} stretches in which the event loop was blocked")
        self._allowance.keep(more=A_STRETCH)
        since = min(max(message.since, self._start_time), self._now)
        self.trace.blocked.append(Blocked(self._seconds(since), self._seconds(), message.line))

    def let_go(self) -> None:
        """Nothing that the run has said counts, and none of it is kept."""
        trace = self.trace
        trace.result, trace.error = None, None
        for things in (trace.spans, trace.notes, trace.waits, trace.blocked, trace.tasks, trace.leaks, trace.waiting):
            things.clear()
        trace.complaints.clear()
        self._allowance.kept = 0

    @property
    def kept(self) -> int:
        """Bytes of memory that what the run has sent takes up by now."""
        return self._allowance.kept

    @property
    def now(self) -> Seconds:
        """The virtual time that it is."""
        return self._seconds(what="Virtual seconds taken")

    @property
    def answered(self) -> bool:
        """Whether the run has given its one answer."""
        return self._answered


def _label(label: str) -> str:
    if len(label) > MAX_NAME:
        raise Malformed(f"a label of {len(label)} characters")
    return label


def _name(name: str | None) -> str | None:
    """The name of a task or thread, or a word about it, as it is kept."""
    return None if name is None else name[: 2 * MAX_NAME]


def _cancelled() -> Error:
    return Error("CancelledError", ("asyncio.CancelledError", "BaseException"), "")
