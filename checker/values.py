"""Values as they cross the wall: plain data only.

Scalars travel as themselves, everything else tagged, so that a list is a list and a tuple is a tuple
on the other side too.  Whatever is no plain data arrives as an `Alien`, equal to nothing; an exception
arrives as an `Error`, told by the well-known classes that it really is an instance of.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import msgspec

MAX_DEPTH = 64
"""How deep a value may nest."""
MAX_HASHED = 1000
"""Members of a set or dict."""
MAX_NAME, MAX_MESSAGE, MAX_FRAMES = 100, 2000, 20
"""Characters of a class's or function's name and of an error's message, and frames, that are kept."""
MAX_VALUES = 30_000
"""Values that one run may send altogether, each member of a container counted."""
MAX_KEPT = 16 << 20
"""Bytes of memory that all that one run sends may take up in the grader, as Python keeps it."""
MAX_KEPT_BY_TEST = 64 << 20
"""Bytes of memory that all runs of one test may take up together: a sweep looks at all of its own at the end."""
AN_ERROR, A_FRAME = 400, 100
"""Bytes that an `Error` and a `Frame` take up, beside their texts and what an error holds."""


class Malformed(ValueError):
    """What came from the runner is no legal message; says why, in words for the report."""


class TooMuch(Malformed):
    """A run has sent more than the grader keeps of one; says of what, in words for the report."""


class ListValue(msgspec.Struct, tag="l", array_like=True, frozen=True):
    """A list."""

    items: list[Value]


class TupleValue(msgspec.Struct, tag="t", array_like=True, frozen=True):
    """A tuple."""

    items: list[Value]


class SetValue(msgspec.Struct, tag="s", array_like=True, frozen=True):
    """A set or frozenset."""

    items: list[Value]


class DictValue(msgspec.Struct, tag="d", array_like=True, frozen=True):
    """A dict, as pairs in order."""

    pairs: list[tuple[Value, Value]]


class BytesValue(msgspec.Struct, tag="b", array_like=True, frozen=True):
    """Bytes; tagged, since msgspec cannot tell text from bytes inside a union."""

    data: bytes


class BigInt(msgspec.Struct, tag="i", array_like=True, frozen=True):
    """An int beyond 64 bits, as hexadecimal text."""

    digits: str


class Frame(msgspec.Struct, array_like=True, frozen=True):
    """A line of the submission; the grader prints its own copy of that line."""

    line: int
    function: str


class ErrorValue(msgspec.Struct, tag="e", array_like=True, frozen=True):
    """An exception: `classes` are the well-known classes it really is an instance of."""

    shown: str
    classes: list[str]
    message: str
    args: list[Value]
    frames: list[Frame] = []
    context: ErrorValue | None = None
    cause: ErrorValue | None = None
    errors: list[ErrorValue] = []
    scenario_line: int | None = None


def with_article(noun: str) -> str:
    """A word with the article that its first letter asks for."""
    return f"a{'n' if noun[:1] in 'aeiouAEIOU' else ''} {noun}"


class Alien(msgspec.Struct, tag="o", array_like=True, frozen=True, eq=False):
    """Something that is no plain data: only its type's name travels. Equal to nothing."""

    shown: str

    def __repr__(self) -> str:
        return self.shown if " " in self.shown else f"{with_article(self.shown)} object"


Value = Union[  # noqa: UP007 - msgspec resolves the forward references in a Union
    None,
    bool,
    int,
    float,
    str,
    BytesValue,
    ListValue,
    TupleValue,
    SetValue,
    DictValue,
    BigInt,
    ErrorValue,
    Alien,
]


@dataclass(frozen=True, eq=False, slots=True)
class Error:
    """An exception as the grader sees it: data, never the object.

    Two errors are equal when they are of the same well-known class and hold the same arguments.
    """

    shown: str
    """The class's own name, as the learner knows it."""
    classes: tuple[str, ...]
    """The well-known classes that it is an instance of, the most special one first."""
    message: str
    args: tuple[Any, ...] = ()
    frames: tuple[Frame, ...] = ()
    context: Error | None = None
    cause: Error | None = None
    errors: tuple[Error, ...] = ()
    """The errors that a group holds."""
    scenario_line: int | None = None
    """The line of the scenario that raised it, where nothing that it called did: told by the runner, for authors."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Error):
            return NotImplemented
        return self.classes[:1] == other.classes[:1] and self.args == other.args and self.errors == other.errors

    __hash__ = None  # type: ignore[assignment]

    def is_a(self, cls: type[BaseException] | str) -> bool:
        """Whether it is really an instance of `cls`, given as a class or by its `known_name`."""
        return (cls if isinstance(cls, str) else known_name(cls)) in self.classes

    def bare(self) -> Error:
        """Itself, or the one error that a group of one holds: both styles of raising it count."""
        return self.errors[0].bare() if len(self.errors) == 1 else self

    def leaves(self) -> list[Error]:
        """Itself, or the errors that a group holds at any depth.

        Of a task that is awaited within its task group the group holds the one error twice, as is usual there.
        """
        return [leaf for error in self.errors for leaf in error.leaves()] if self.errors else [self]

    def holds(self, other: Error) -> bool:
        """Whether it is `other`, or a group that holds it at any depth."""
        return self == other or any(error.holds(other) for error in self.errors)

    def __repr__(self) -> str:
        return f"{self.shown}({self.message!r})" if self.message else f"{self.shown}()"


def known_name(cls: type[BaseException]) -> str:
    """The name under which a well-known exception class travels: `ValueError`, `asyncio.CancelledError`."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


class Allowance:
    """What may still be kept of what one run sends: a few bytes on the wire may stand for much memory.

    Args:
        room: bytes of memory that it may take up; less than `MAX_KEPT` where earlier runs of its test have taken much.
    """

    def __init__(self, room: int = MAX_KEPT) -> None:
        self._left = MAX_VALUES
        self._room = room
        self.kept = 0
        """Bytes of memory that are taken up by now, rather too many than too few."""

    def spend(self, number: int = 1) -> None:
        """So many values more. Raises `TooMuch` where there have been too many."""
        self._left -= number
        if self._left < 0:
            raise TooMuch("more values than a run may send")

    def keep(self, *things: object, more: int = 0) -> None:
        """These things are kept, what they hold counted elsewhere, and so many bytes beside.

        Raises:
            TooMuch: there is no room for them.
        """
        # The size is asked of Python: one odd sign makes a text four times as large as it was on the wire.
        self.kept += more + sum(map(sys.getsizeof, things))
        if self.kept > self._room:
            run = self._room >= MAX_KEPT
            most, where = (MAX_KEPT, "one run") if run else (MAX_KEPT_BY_TEST, "the runs of one test")
            raise TooMuch(f"more than {most >> 20} MiB of arguments, results and notes in {where}")


def plain(value: Value, depth: int = 0, allowance: Allowance | None = None) -> Any:
    """The ordinary Python data that a value stands for: lists, tuples, sets, dicts, scalars, `Error`s.

    Raises:
        Malformed: the value nests deeper than `MAX_DEPTH`, a key or member cannot be hashed, or there are
            too many values.
    """
    if depth > MAX_DEPTH:
        raise Malformed(f"a value nested more than {MAX_DEPTH} deep")
    allowance = allowance or Allowance()
    allowance.spend()
    made = _plain(value, depth, allowance)
    allowance.keep(made)
    return made


def _plain(value: Value, depth: int, allowance: Allowance) -> Any:
    if isinstance(value, ListValue):
        return [plain(item, depth + 1, allowance) for item in value.items]
    if isinstance(value, TupleValue):
        return tuple(plain(item, depth + 1, allowance) for item in value.items)
    if isinstance(value, ErrorValue):
        return plain_error(value, depth, allowance)
    # Whoever chooses the members can let their hashes collide, and then time grows with the square.
    if isinstance(value, SetValue | DictValue) and _size(value) > MAX_HASHED:
        raise Malformed(f"a set or dict with more than {MAX_HASHED} members")
    try:
        if isinstance(value, SetValue):
            return {plain(item, depth + 1, allowance) for item in value.items}
        if isinstance(value, DictValue):
            return {plain(k, depth + 1, allowance): plain(v, depth + 1, allowance) for k, v in value.pairs}
    except TypeError:
        raise Malformed("a key or member that cannot be hashed") from None
    if isinstance(value, BytesValue):
        return value.data
    if isinstance(value, float) and not math.isfinite(value):
        raise Malformed("a number that is not finite")
    if isinstance(value, BigInt):
        try:
            return int(value.digits[:512], 16)
        except ValueError:
            raise Malformed("a number without digits") from None
    if isinstance(value, Alien):
        shown = value.shown[:MAX_NAME]
        allowance.keep(shown)
        return Alien(shown)
    return value


def _size(value: SetValue | DictValue) -> int:
    return len(value.items if isinstance(value, SetValue) else value.pairs)


def plain_error(value: ErrorValue, depth: int = 0, allowance: Allowance | None = None) -> Error:
    """The `Error` that a value stands for; raises `Malformed` as `plain` does."""
    if depth > MAX_DEPTH:
        raise Malformed(f"an error nested more than {MAX_DEPTH} deep")
    allowance = allowance or Allowance()
    allowance.spend(1 + len(value.classes) + len(value.frames))
    shown, classes = value.shown[:MAX_NAME], tuple(name[:MAX_NAME] for name in value.classes)
    message = value.message[:MAX_MESSAGE]
    allowance.keep(shown, message, classes, *classes, more=AN_ERROR + 8 * (len(value.args) + len(value.errors)))
    return Error(
        shown=shown,
        classes=classes,
        message=message,
        args=tuple(plain(arg, depth + 1, allowance) for arg in value.args),
        frames=frames(value.frames, allowance),
        context=None if value.context is None else plain_error(value.context, depth + 1, allowance),
        cause=None if value.cause is None else plain_error(value.cause, depth + 1, allowance),
        errors=tuple(plain_error(error, depth + 1, allowance) for error in value.errors),
        scenario_line=value.scenario_line,
    )


def wire(value: Any) -> Value:
    """The other way, on the grader's side, for results that the world gives out: plain data to a `Value`.

    Raises:
        TypeError: the value is no plain data; a suite may only give out plain data.
    """
    if value is None or type(value) in (bool, float, str):
        return value  # type: ignore[no-any-return]
    if type(value) is bytes:
        return BytesValue(value)
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else BigInt(hex(value))
    if type(value) is list:
        return ListValue([wire(item) for item in value])
    if type(value) is tuple:
        return TupleValue([wire(item) for item in value])
    if type(value) in (set, frozenset):
        return SetValue([wire(item) for item in value])
    if type(value) is dict:
        return DictValue([(wire(k), wire(v)) for k, v in value.items()])
    if isinstance(value, Error):
        return ErrorValue(value.shown, list(value.classes), value.message, [wire(arg) for arg in value.args])
    raise TypeError(f"{value!r} cannot be given out by the world; use plain data.")


def frames(told: Sequence[Frame], allowance: Allowance) -> tuple[Frame, ...]:
    """The submission's lines as they are kept."""
    kept = tuple(Frame(each.line, each.function[:MAX_NAME]) for each in told[:MAX_FRAMES])
    allowance.keep(kept, *(each.function for each in kept), more=A_FRAME * len(kept))
    return kept


def printable(text: str) -> str:
    """Text from outside, with everything that could act on a terminal or break a line made visible."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


_COMMAND = re.compile(r"^(\s*):(?=:)|(#)(?=#\w*\[)", re.MULTILINE)
"""What makes a line of a log a command to the server that keeps it.

GitHub takes `::command::` for one after whatever blanks, and `##[command]` wherever it stands; so does Azure with
`##vso[command]`, and TeamCity with `##teamcity[command]`.
"""


def inert(text: str) -> str:
    """Text to be printed, with the sign made visible, as `printable` does it, by which a line would be a command."""
    return _COMMAND.sub(lambda found: found[0][:-1] + f"\\x{ord(found[0][-1]):x}", text)


def lines_of(text: str) -> list[str]:
    """The lines as Python counts them; `splitlines` also splits at form feeds and other signs."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
