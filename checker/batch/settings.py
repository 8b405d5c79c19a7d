"""The course file: weights, pass mark and points of an assignment, in a few lines of TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from checker.course import Course, UnknownKata
from checker.rows import Assignment

MAX_WEIGHT = 1_000_000
MIN_POINTS, MAX_POINTS = 0.1, 1_000_000
"""Points are written with four decimals, which have to tell one percent from the next."""


class BadSettings(ValueError):
    """A course file cannot be used; one sentence on why."""


def read_settings(path: Path | None, course: Course) -> Assignment:
    """Read a course file; without one, the defaults.

    Raises:
        BadSettings: it cannot be read, or says something that is not understood.
    """
    if path is None:
        return Assignment()
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(facts, Assignment)
        meant = {word: course.find(word).name for word in found.weights}
    except OSError as error:
        raise BadSettings(f"The course file {path} cannot be read: {error.strerror}.") from error
    except (msgspec.ValidationError, UnknownKata) as error:
        raise BadSettings(f"The course file {path}: {error} See docs/grading.md for what it may say.") from error
    except ValueError as error:  # no UTF-8, no TOML, or a number of thousands of digits
        raise BadSettings(f"The course file {path} is no TOML: {error}.") from error
    weights = {meant[word]: weight for word, weight in found.weights.items()}
    found = msgspec.structs.replace(found, weights=weights)
    if wrong := _named_twice(meant) or _wrong(found):
        raise BadSettings(f"The course file {path}: {wrong}")
    return found


def _named_twice(meant: Mapping[str, str]) -> str:
    """A sentence on two words for one kata, of which only one could have its weight; empty if there are none."""
    words: dict[str, str] = {}
    for word, name in meant.items():
        if name in words:
            return f'"{words[name]}" and "{word}" are both {name}; give each kata one weight.'
        words[name] = word
    return ""


def _wrong(found: Assignment) -> str:
    """A sentence on a number that no grade can be calculated with; empty if there is none.

    TOML knows `nan` and `inf`: only what is within its bounds is let through, since `nan` is neither below nor above.
    """
    for name in ("pass_mark", "late_penalty"):
        value = getattr(found, name)
        if not 0 <= value <= 100:
            return f"pass_mark and late_penalty are percents from 0 to 100; change {name} = {value}."
    if not MIN_POINTS <= found.points <= MAX_POINTS:
        return f"points is a number from {MIN_POINTS} to {MAX_POINTS}; change points = {found.points}."
    for name, weight in found.weights.items():
        if not 0 <= weight <= MAX_WEIGHT:
            return f'weights are numbers from 0 on, up to {MAX_WEIGHT}; change "{name}" = {weight}.'
    if found.weights and not any(found.weights.values()):
        return "weights are numbers from 0 on, not all of them 0; give a kata that counts a weight above 0."
    return ""
