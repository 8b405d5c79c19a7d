"""A batch's results in the formats that others read; each module writes one of them."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from pathlib import Path
from typing import cast

from checker.rows import Batch

_MODULES = {
    "csv": "tables",
    "canvas": "canvas",
    "moodle": "moodle",
    "gradescope": "gradescope",
    "junit": "junit",
    "ctrf": "ctrf",
    "json": "grades",
    "github": "github",
}
FORMATS: tuple[str, ...] = tuple(_MODULES)
FILES = {
    "csv": ("grades.csv", "tests.csv"),
    "canvas": ("canvas.csv",),
    "moodle": ("moodle.csv",),
    "gradescope": ("gradescope",),
    "junit": ("junit.xml",),
    "ctrf": ("ctrf.json",),
    "json": ("grades.json",),
    "github": ("summary.md",),
}
"""What each format writes into a batch's folder."""


def write(name: str, batch: Batch, folder: Path) -> list[Path]:
    """Write the results in one format into a folder, which is made if it is not there.

    Returns:
        What was written: files, or the folder that holds a file for each learner.

    Raises:
        ValueError: there is no such format.
        OSError: something cannot be written; a file of an earlier time is left as it was.
    """
    if name not in _MODULES:
        raise ValueError(f"There is no format {name!r}; choose from {', '.join(FORMATS)}.")
    module = importlib.import_module(f"checker.formats.{_MODULES[name]}")
    return cast("list[Path]", module.write(batch, folder))


def outdated(written: Collection[str], folder: Path) -> dict[Path, str]:
    """What an earlier batch has left in a folder in formats that are not written this time, and in which."""
    left = [(folder / file, name) for name, files in FILES.items() if name not in written for file in files]
    return {path: name for path, name in left if path.exists()}
