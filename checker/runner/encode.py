"""From living objects to plain data for the wire, the kind side of it: an honest object arrives as it is.

A list is read by `list`'s own methods and an int by `int`'s, so what a subclass says of itself does not
count; what is no plain data goes as its type's name alone.
"""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import math
import queue
import sys
import types
from typing import Any

from checker.values import (
    MAX_DEPTH,
    Alien,
    BigInt,
    BytesValue,
    DictValue,
    ErrorValue,
    Frame,
    ListValue,
    SetValue,
    TupleValue,
    Value,
    known_name,
)

MAX_TEXT = 200_000
"""Characters of one string that travel; a longer one is cut, which no right answer needs."""
MAX_ITEMS = 20_000

_known: dict[type[BaseException], str] = {}


def _modules() -> list[types.ModuleType]:
    """Those whose exception classes travel, as far as they are loaded."""
    names = ("aiohttp", "http.client", "ssl", "socket")
    return [builtins, asyncio, concurrent.futures, queue, *(sys.modules[name] for name in names if name in sys.modules)]


def learn_classes() -> None:
    """Note the well-known exception classes by identity, before any submission is loaded."""
    for module in _modules():
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseException):
                _known.setdefault(thing, known_name(thing))


def is_well_known(cls: object) -> bool:
    """Whether it is an exception class that travels."""
    name = getattr(cls, "__name__", "")
    known = isinstance(cls, type) and issubclass(cls, BaseException)
    return known and any(vars(module).get(name) is cls for module in _modules())


def known_class(name: str) -> type[BaseException]:
    """The class that a name on the wire stands for, for errors that the world raises."""
    for cls, known in _known.items():
        if known == name:
            return cls
    raise LookupError(f"No well-known exception class {name!r}.")


def encode(value: Any, depth: int = 0) -> Value:
    """The value as it travels."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is int or kind is float:
        return _scalar(value)
    if depth >= MAX_DEPTH:
        return Alien("something nested too deep")
    if issubclass(kind, bool | int | float | str):
        return _scalar(_base(value))
    if issubclass(kind, bytes | bytearray):
        return BytesValue(bytes(memoryview(value))[:MAX_TEXT])
    if issubclass(kind, list):
        return ListValue([encode(item, depth + 1) for item in _few(list.__iter__(value))])
    if issubclass(kind, tuple):
        return TupleValue([encode(item, depth + 1) for item in _few(tuple.__iter__(value))])
    if issubclass(kind, dict):
        pairs = _few(iter(dict.items(value)))
        return DictValue([(encode(key, depth + 1), encode(item, depth + 1)) for key, item in pairs])
    if issubclass(kind, set | frozenset):
        members = set.__iter__(value) if issubclass(kind, set) else frozenset.__iter__(value)
        return SetValue([encode(item, depth + 1) for item in _few(members)])
    if issubclass(kind, BaseException):
        return encode_error(value, depth)
    return Alien(_type_name(kind))


def _base(value: Any) -> Any:
    for base, read in ((int, int.__index__), (float, float.__float__), (str, str.__str__)):
        if issubclass(type(value), base):
            return read(value)
    return None


def _scalar(value: Any) -> Value:
    if type(value) is int and not -(2**63) <= value < 2**64:
        return BigInt(hex(value)[:512])
    if type(value) is float and not math.isfinite(value):
        return Alien(f"the float {value}")
    if type(value) is str:
        return text(value, MAX_TEXT)
    return value  # type: ignore[no-any-return]


def _few(items: Any) -> list[Any]:
    return [item for _, item in zip(range(MAX_ITEMS), items, strict=False)]


def _type_name(kind: type) -> str:
    return text(str(_own(type, "__name__", kind)), 80)


def encode_error(error: BaseException, depth: int = 0, seen: frozenset[int] = frozenset()) -> ErrorValue:
    """An exception as data, with the submission's frames, its context, cause and a group's members."""
    seen |= {id(error)}
    kind = type(error)
    is_group = issubclass(kind, BaseExceptionGroup)

    def link(name: str) -> ErrorValue | None:
        other = _own(BaseException, name, error)
        if other is None or id(other) in seen or depth >= 8:
            return None
        return encode_error(other, depth + 1, seen)

    members = _own(BaseExceptionGroup, "exceptions", error) if is_group and depth < 8 else ()
    args = _own(BaseException, "args", error) if depth < MAX_DEPTH else ()
    return ErrorValue(
        shown=_type_name(kind),
        classes=[_known[cls] for cls in _own(type, "__mro__", kind) if cls in _known],
        message=_text(error),
        args=[encode(arg, depth + 1) for arg in _few(tuple.__iter__(args))[:20]],
        frames=frames_of(error),
        context=link("__context__"),
        cause=link("__cause__"),
        errors=[encode_error(member, depth + 1, seen) for member in _few(members)[:100]],
        scenario_line=_scenario_line(error),
    )


def _own(owner: type, name: str, thing: Any) -> Any:
    """An attribute as the interpreter keeps it, whatever the submission's class says in its place."""
    return owner.__dict__[name].__get__(thing)


def _text(error: BaseException) -> str:
    try:
        shown = str(error)
    except BaseException as broken:  # the submission's own __str__ may do anything
        shown = f"<its __str__ raised {_type_name(type(broken))}>"
    return text(shown, 2000) if type(shown) is str else ""


def text(value: str, most: int) -> str:
    """So many characters of a text at most, as they can be sent: UTF-8 has no lone surrogates."""
    return value[:most].encode("utf-8", "backslashreplace").decode()


submission_file = "<submission>"
"""The file name under which the submission was compiled; its frames are the learner's own."""


scenario_file = ""
"""The file name of the scenario under way, and of all that has come along with it."""


def _scenario_line(error: BaseException) -> int | None:
    """Where the scenario raised an error itself; None for one that came out of whatever it had called."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code.co_filename != scenario_file:
        return None
    return trace.tb_lineno


def frames_of(error: BaseException) -> list[Frame]:
    """The submission's own frames in an error's traceback, outermost first, at most ten."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == submission_file:
            frames.append(Frame(trace.tb_lineno or 0, text(code.co_name, 200)))
        trace = trace.tb_next
    return frames[-10:]
