"""Says in one sentence, with the numbers, why an assertion about a trace failed."""

from __future__ import annotations

import re

from checker.suite.grader import Failure, Played, describe, shorten
from checker.trace import Answer, Count, Seconds, Trace
from checker.values import printable

current: Trace | None = None
"""The trace that the test under way looked at last."""

MAX_SENTENCE = 2000
"""Characters of it; what a submission calls its things may be long."""
ODD = "What your code did is so different from what was expected that it cannot be compared"

_WORDS = {"==": "", "<=": "at most ", ">=": "at least ", "<": "less than ", ">": "more than ", "!=": "anything but "}


def comparison(op: str, left: object, right: object, trace: Trace | None) -> str | None:
    """A failed `left op right`, in words, where `left` is an answer of a trace; None elsewhere."""
    what = _what(left, trace)
    if not what:
        return None
    right = _as_shown(right, left)
    if op in _WORDS:
        return f"{what}: expected {_WORDS[op]}{shorten(right)}, saw {shorten(left)}."
    if op in ("in", "not in"):
        return f"{what}: saw {shorten(left)}, which should {'' if op == 'in' else 'not '}be one of {shorten(right)}."
    return None


def _as_shown(right: object, left: object) -> object:
    """The numbers that moments are compared with, to be written as moments are: in seconds, and no more digits."""
    if isinstance(left, Seconds) and type(right) in (int, float):
        return Seconds(right)  # type: ignore[arg-type]
    if isinstance(left, list) and isinstance(right, list) and any(isinstance(each, Seconds) for each in left):
        return [Seconds(each) if type(each) in (int, float) else each for each in right]
    return right


def _what(left: object, trace: Trace | None) -> str:
    if isinstance(left, Seconds | Count | Answer):
        return left.what
    if trace is None:
        return ""
    if left is trace.result:
        return "Returned"
    if left is trace.error and left is not None:
        return "Raised"
    return ""


def sentence(error: BaseException, played: Played | None = None) -> str:
    """The one sentence that a failed test comes down to, and where `played` was cancelled if that is what it is about.

    A `Failure` says for itself what it is about; an assertion of a suite over a sweep's traces does not.
    """
    if not isinstance(error, AssertionError):
        # A test that trips over data which no right answer gives; `kata verify` lists such tests as faults.
        return f"{ODD} ({type(error).__name__}: {shorten(str(error))})."
    text = str(error)
    first = printable(text[:MAX_SENTENCE].partition("\n")[0].strip())
    first = re.sub(r"^(AssertionError: )?(assert )?", "", first)
    first = first or "An expectation of the suite does not hold."
    point = played.performance.strike if played is not None and not isinstance(error, Failure) else None
    if played is None or point is None or played.trace.struck_at is None or first.startswith("Cancelled"):
        return first
    return f"{cancelled(played.trace, point)}: {lowered(first)}"


def cancelled(trace: Trace, point: int) -> str:
    """When a sweep has cancelled a run, as the beginning of a sentence."""
    return f"Cancelled at {trace.struck_at!r} s (suspension point {point})"


def lowered(text: str) -> str:
    """A sentence as it goes on after a colon: in lower case, unless it begins with a name such as `KeyError`."""
    first = text.partition(" ")[0].rstrip(":,")
    return text[:1].lower() + text[1:] if first.isalpha() and first.istitle() else text


__all__ = ["comparison", "current", "describe", "sentence", "shorten"]
