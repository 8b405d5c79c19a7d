"""Scenarios: the functions of a suite that are shipped to the runner, by value and alone."""

from __future__ import annotations

import inspect
import io
import sys
from collections import ChainMap
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

import cloudpickle

Function = TypeVar("Function", bound=Callable[..., Any])


def scenario(function: Function) -> Function:
    """Mark a function `(kata, stage, **data)` as a scenario: it runs in the runner, not here.

    Whatever of its module it uses travels along by value; keep assertions and expected values out of it.
    """
    function.__kata_scenario__ = True  # type: ignore[attr-defined]
    return function


def names_target(function: Callable[..., Any]) -> bool:
    """Whether a scenario says itself what a sweep cancels (`stage.target`); else that is the scenario's own task."""

    def names(code: CodeType) -> bool:
        return "target" in code.co_names or any(names(inner) for inner in code.co_consts if isinstance(inner, CodeType))

    return names(function.__code__)


def ship(function: Callable[..., Any], data: dict[str, Any]) -> bytes:
    """A scenario and its data as bytes for the runner.

    Raises:
        TypeError: it is no scenario, or one that does not take these data.
    """
    if not getattr(function, "__kata_scenario__", False):
        raise TypeError(f"{function!r} is no scenario; mark it with @scenario.")
    try:
        inspect.signature(function).bind(None, None, **data)
    except TypeError as error:
        raise TypeError(f"The scenario {function.__name__} cannot be played like that: {error}.") from None
    module = sys.modules[function.__module__]
    buffer = io.BytesIO()
    cloudpickle.register_pickle_by_value(module)
    try:
        _NeutralPickler(buffer).dump((function, data))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    return buffer.getvalue()


def _neutral(code: CodeType) -> Any:
    return cloudpickle.cloudpickle._code_reduce(code.replace(co_filename="<scenario>"))


class _NeutralPickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Ships code without the name of the file that it stands in."""

    dispatch_table = ChainMap({CodeType: _neutral}, cloudpickle.Pickler.dispatch_table)
