"""What a suite tells the world: how long calls take, and what comes of them.

`calls(fetch=2.0)` lets every call of `fetch` take two virtual seconds and end with a random token.  In
place of the number may stand `call(…)`, a list (one entry a call, in starting order; the last one goes on),
a dict (by the call's first argument) or a function of the call's arguments that gives one of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Union

from checker.runner.encode import is_well_known

TOKEN = object()
"""As a result: a random token, which nobody can know before the call has ended."""


THEN = ("cancelled", "returns", "raises")
"""What can come of a cancelled call."""


class BadWorld(ValueError):
    """A world plans what no call can do; one sentence on what can be planned."""


@dataclass(frozen=True)
class Outcome:
    """How one call goes; made by `call`."""

    delay: float
    result: Any = TOKEN
    error: type[BaseException] | None = None
    cleanup: float = 0.0
    then: str = "cancelled"
    ignores: int = 0


def call(
    delay: float,
    result: Any = TOKEN,
    *,
    error: type[BaseException] | None = None,
    cleanup: float = 0.0,
    then: str = "cancelled",
    ignores: int = 0,
) -> Outcome:
    """How one call goes.

    Args:
        delay: virtual seconds until it ends by itself.
        result: what it returns; a function is called with the call's arguments, in the grader.
        error: the class of the error it raises instead, with a random token as its argument.
        cleanup: virtual seconds that it takes to end once it is cancelled.
        then: what comes of a cancelled call: `cancelled`, `returns` (a token after all) or `raises`
            (`error`, or a RuntimeError).
        ignores: how many cancellations it ignores altogether.
    """
    return Outcome(delay, result, error, cleanup, then, ignores)


Script = Union[float, Outcome, "list[Any]", "dict[Any, Any]", "Callable[..., Any]"]


@dataclass(frozen=True)
class World:
    """The world of one scenario: a script a label. Two of them join with `|`.

    Raises:
        BadWorld: a script is none, as far as that shows before its functions are called.
    """

    scripts: Mapping[str, Script] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label, script in self.scripts.items():
            _check(label, script)

    def __or__(self, other: World) -> World:
        return World({**self.scripts, **other.scripts})

    def outcome(self, label: str, place: int, args: tuple[Any, ...]) -> Outcome:
        """How the `place`-th call (from 0) of `label` goes; an unscripted one ends at once."""
        return _resolve(self.scripts.get(label, 0.0), place, args)


def calls(**scripts: Script) -> World:
    """A world in which these collaborators behave like that."""
    return World(scripts)


def web(head: Script = 1.0, body: Script = 1.0, status: Mapping[str, int] | None = None) -> World:
    """A web whose pages answer every GET; spans of requests are labelled `request`, keyed by url.

    Args:
        head: virtual seconds until a page's status and headers are there; a dict goes by url.
        body: virtual seconds from then on until its text, a random token, is there.
        status: the status by url; 200 for the others.
    """
    _check("head", head)

    def answer(url: Any) -> Outcome:
        outcome = _resolve(head, 0, (url,))
        return Outcome(outcome.delay, (status or {}).get(url, 200), outcome.error, outcome.cleanup)

    return World({"request": answer, "body": body})


def _check(label: str, script: Any) -> None:
    """Refuse what is no script."""
    if isinstance(script, Outcome):
        if wrong := _wrong(script):
            raise BadWorld(f"The world of `{label}` is wrong: {wrong}.")
    elif isinstance(script, int | float):
        _check(label, Outcome(script))
    elif isinstance(script, dict) or (isinstance(script, list) and script):
        for part in script.values() if isinstance(script, dict) else script:
            _check(label, part)
    elif not callable(script) or isinstance(script, type):
        raise BadWorld(
            f"The world of `{label}` is wrong: {script!r} is no number of virtual seconds, no `call(…)`, no list or"
            " dict of these, and no function."
        )


def _wrong(outcome: Outcome) -> str:
    """Why no call can go like that, in words; empty where one can."""
    for name in ("delay", "cleanup"):
        seconds = getattr(outcome, name)
        if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            return f"{name} is a number of virtual seconds from 0 on, not {seconds!r}"
    if outcome.error is not None and not is_well_known(outcome.error):
        return f"error is an exception class of Python, asyncio or aiohttp, not {outcome.error!r}"
    if outcome.then not in THEN:
        return f"then is one of {', '.join(THEN)}, not {outcome.then!r}"
    if not isinstance(outcome.ignores, int) or outcome.ignores < 0:
        return f"ignores is a number of cancellations from 0 on, not {outcome.ignores!r}"
    return ""


def _resolve(script: Any, place: int, args: tuple[Any, ...]) -> Outcome:
    if isinstance(script, Outcome):
        return script
    if isinstance(script, int | float):
        return Outcome(float(script))
    if isinstance(script, list):
        return _resolve(script[min(place, len(script) - 1)], place, args)
    if isinstance(script, dict):
        try:
            return _resolve(script.get(args[0] if args else None, 0.0), place, args)
        except TypeError:  # an argument that cannot be a key: not one that the suite had in mind
            return Outcome(0.0)
    try:
        found = _resolve(script(*args), place, args)
        return replace(found, delay=max(0.0, float(found.delay)), cleanup=max(0.0, float(found.cleanup)))
    except Exception:  # arguments from the submission, which the suite's function need not stand
        return Outcome(0.0)
