"""What the runs of a sweep must show: those that are cancelled, and the one that is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checker.suite.explain import cancelled, lowered
from checker.suite.grader import Failure, Request, describe, first_breach, judge, shorten, where
from checker.trace import Trace


def judge_count(trace: Trace, point: int) -> None:
    """The runner cancels; the world has counted the moments at which it should have."""
    if trace.ended == "finished" and not trace.blocked and trace.passed >= point:
        raise Failure(f"Your code kept the cancellation at suspension point {point} from coming; that earns nothing.")


def judge_uncancelled(trace: Trace, wanted: Request) -> None:
    """What must hold of the last run, as of any, where CancelledError would look like what the others must end in."""
    error = trace.error
    if error is not None and not wanted.raises and error.bare().is_a("asyncio.CancelledError"):
        raise Failure(f"Not cancelled by the test, it raised {describe(error)}{where(error)} all the same.")
    judge(trace, wanted)


def judge_work(trace: Trace, wanted: Request, returns: Any, uncalled: Sequence[str]) -> None:
    """What must hold of the run that a sweep leaves alone."""
    missing = [label for label in wanted.world.scripts if label not in uncalled and not trace.count(label)]
    if missing and trace.error is None:
        raise Failure(f"Left alone, it never calls `{missing[0]}`.")
    if returns is not None and trace.result != returns:
        raise Failure(f"Left alone, it returned {shorten(trace.result)}, not {shorten(returns)}.")
    if returns is None and not trace.spans and not trace.notes and trace.error is None:
        raise Failure("Left alone, it does nothing: it makes no call, and only waits.")


def judge_evidence(struck: list[Trace], last: Trace) -> None:
    """A call that takes time when the run is left alone is under way at some point at which it is cancelled."""
    took_time = last.struck_at is not None or any(span.end is None or span.end > span.start for span in last.spans)
    met = any(
        span.start <= trace.struck_at and (span.end is None or span.end >= trace.struck_at)
        for trace in struck
        for span in trace.spans
        if trace.struck_at is not None
    )
    if took_time and last.spans and not met:
        raise Failure("Wherever it was cancelled, none of the calls was under way that it makes when it is left alone.")


def judge_struck(trace: Trace, wanted: Request, point: int) -> None:
    """What must hold of every cancelled run."""
    at = cancelled(trace, point)
    if trace.ended != "finished":
        raise Failure(f"{at}: {trace.problem}")
    error = trace.error
    if error is None and not wanted.raises:
        raise Failure(f"{at}, it went on and returned {shorten(trace.result)}; it must end in CancelledError.")
    breach = first_breach(trace, wanted.allow) if wanted.hygiene else ""
    if breach:
        raise Failure(f"{at}: {lowered(breach)}")
    if error is not None and not error.bare().is_a("asyncio.CancelledError"):
        on_its_way = [span.value for span in trace.spans if span.outcome == "failed"]
        if not any(error.holds(failure) for failure in on_its_way):
            raise Failure(f"{at}, it ended in {describe(error)}; it must end in CancelledError.")
