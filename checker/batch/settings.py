"""The course file: weights, pass mark and points of an assignment, in a few lines of TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from checker.course import Course, UnknownKata
from checker.rows import Assignment


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
        weights = {course.find(name).name: weight for name, weight in found.weights.items()}
    except OSError as error:
        raise BadSettings(f"The course file {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"The course file {path} is no TOML: {error}.") from error
    except (msgspec.ValidationError, UnknownKata) as error:
        raise BadSettings(f"The course file {path}: {error} See docs/grading.md for what it may say.") from error
    if any(weight < 0 for weight in weights.values()) or (weights and not any(weights.values())):
        raise BadSettings(f"The course file {path}: weights are numbers from 0 on, not all of them 0.")
    if not (0 <= found.pass_mark <= 100 and 0 <= found.late_penalty <= 100 and found.points > 0):
        raise BadSettings(f"The course file {path}: pass_mark and late_penalty are percents, points is above 0.")
    return msgspec.structs.replace(found, weights=weights)
