"""A submission: bytes that the grader reads, caps, and never runs."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from checker.values import lines_of, printable

MAX_BYTES = 256 * 1024
"""A larger source is not read: compiling one of 20 MB did not end within a minute."""

NOTEBOOK = "is a Jupyter notebook; save it as a Python script (Save and Export Notebook As) and give that"
_ITSELF = "give the Python file itself"
_BEGINNINGS = {
    rb"%PDF-": f"is a PDF; {_ITSELF}",
    rb"PK\x03\x04": f"is a zip archive, as Office documents are, too; {_ITSELF}",
    rb"\x1f\x8b|7z\xbc\xaf|Rar!\x1a|BZh[1-9]1AY|\xfd7zXZ": f"is a packed file; {_ITSELF}",
    rb"\xff\xfe|\xfe\xff": "is UTF-16 text; save it as UTF-8",
    rb"\{\\rtf": "is a formatted document (RTF); save it as plain text (.py)",
    rb"\s*<(?i:!doctype\s+html|html)\b": f"is a web page; {_ITSELF} (on GitHub: Download raw file)",
}
"""How files begin that are no Python source, and what each of them is."""
_NOTEBOOK = re.compile(rb'\s*\{\s*"(?:cells|metadata|nbformat)"\s*:')


@dataclass(frozen=True)
class Source:
    """One kata's file as it was handed in; with `problem`, a sentence on why it cannot be played.

    With `fault`, a sentence on why the grader cannot get at it, which says nothing about the work.
    """

    path: Path
    data: bytes = b""
    problem: str = ""
    fault: str = ""

    @property
    def lines(self) -> list[str]:
        """Its lines, for quoting in reports."""
        return lines_of(self.data.decode("utf-8-sig", "replace"))


class Sources(Protocol):
    """Whatever can tell the file for each kata."""

    def source(self, kata: str) -> Source:
        """The file for a kata, with what is wrong with it."""


@dataclass(frozen=True)
class Submission:
    """A learner's work: one file, or a folder with katas in it or in its folder `katas`."""

    path: Path

    def source(self, kata: str) -> Source:
        """Read the file for a kata; what is wrong with it is told in `Source.problem`."""
        return read(self.file(kata), kata)

    def file(self, kata: str) -> Path:
        """Where the file for a kata lies, or should lie.

        `katas` comes first: there `kata start` writes and `kata check` looks of itself, and the intake of
        `kata grade` takes the same file.
        """
        if not self.path.is_dir():
            return self.path
        places = [self.path / "katas" / f"{kata}.py", self.path / f"{kata}.py"]
        return next((place for place in places if place.exists()), places[-1])


def read(path: Path, kata: str) -> Source:
    """Read one file, capped; never follows it anywhere and never waits for a pipe."""
    shown = printable(path.name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Source(path, problem=f"There is no file {shown}. `kata start {kata}` makes one to begin with.")
    except OSError as error:
        return Source(path, problem=f"{shown} cannot be opened: {error.strerror}.")
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        return Source(path, problem=f"{shown} is {what}; it should be a Python file.")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    problem = problem_with(data, shown)
    return Source(path, b"" if problem else data, problem)


def problem_with(data: bytes, shown: str) -> str:
    """What is wrong with the bytes of a file, as a sentence; empty if nothing is."""
    if other := _something_else(data):
        return f"{shown} {other}."
    if len(data) > MAX_BYTES:
        return f"{shown} is larger than {MAX_BYTES >> 10} KiB; a kata needs a few hundred lines at most."
    if not data.strip():
        return f"{shown} is empty."
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"{shown} is not UTF-8 (line {line}); save it in that encoding."
    if "\0" in text:
        return f"{shown} holds NUL bytes; it is no Python source."
    return ""


def _something_else(data: bytes) -> str:
    """What a file is that was only named like a Python file, and what to give instead; empty if it may be one."""
    if _NOTEBOOK.match(data) and (b'"nbformat"' in data or len(data) > MAX_BYTES):  # of a long one, its end is not read
        return NOTEBOOK
    return next((what for beginning, what in _BEGINNINGS.items() if re.match(beginning, data)), "")
