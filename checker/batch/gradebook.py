"""The gradebook: an SQLite file in the output folder, written as results come.

Each learner's grading of a kata is one transaction, so `kill -9` loses what is being graded and nothing
else.  Only one process writes: the folder is locked while a batch runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from checker.rows import Grading, Learner, Test

NAME = "gradebook.sqlite"
_FORMAT = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS learners (
    learner TEXT PRIMARY KEY, position INTEGER NOT NULL, present INTEGER NOT NULL, name TEXT NOT NULL,
    email TEXT NOT NULL, user_id TEXT NOT NULL, submission_id TEXT NOT NULL, late INTEGER NOT NULL,
    place TEXT NOT NULL, notes TEXT NOT NULL, sis_id TEXT NOT NULL, login TEXT NOT NULL, section TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS gradings (
    learner TEXT NOT NULL, kata TEXT NOT NULL, key TEXT NOT NULL, verdict TEXT NOT NULL, score REAL NOT NULL,
    max_score REAL NOT NULL, sha256 TEXT NOT NULL, seed INTEGER NOT NULL, python TEXT NOT NULL, version TEXT NOT NULL,
    sandbox TEXT NOT NULL, seconds REAL NOT NULL, finished TEXT NOT NULL, problem TEXT NOT NULL,
    mistake TEXT NOT NULL, diagnosis TEXT NOT NULL, PRIMARY KEY (learner, kata));
CREATE TABLE IF NOT EXISTS tests (
    learner TEXT NOT NULL, kata TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
    property TEXT NOT NULL, verdict TEXT NOT NULL, points REAL NOT NULL, max_points REAL NOT NULL,
    message TEXT NOT NULL, ended TEXT NOT NULL, PRIMARY KEY (learner, kata, number));
"""
_CURRENT = "CREATE TEMP TABLE current (learner TEXT, kata TEXT, PRIMARY KEY (learner, kata))"
"""Which gradings are of what is handed in now, graded as it is asked for now: this process's own knowledge."""
_GRADING = [name for name in Grading.__struct_fields__ if name != "tests"]
_TEST = list(Test.__struct_fields__)


class BookFault(RuntimeError):
    """The gradebook cannot be used; says why and what to do next."""


class InUse(BookFault):
    """Somebody else is grading into this folder."""


class Gradebook:
    """The gradebook of one output folder.

    Args:
        folder: made if it is not there.
        fresh: start over, whatever was graded before.

    Raises:
        InUse: another process is grading into the folder.
        BookFault: it cannot be written, or is none of this version's.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self._lock = _lock(folder)
        if fresh:
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                with suppress(FileNotFoundError):
                    (folder / name).unlink()
        try:
            self._base = _opened(folder / NAME)
        except sqlite3.Error as error:
            os.close(self._lock)
            raise BookFault(
                f"The gradebook {folder / NAME} cannot be used: {error}. Start over with --fresh."
            ) from error
        if self.fact("format", str(_FORMAT)) != str(_FORMAT):
            self.close()
            raise BookFault(f"The gradebook {folder / NAME} is of another version; start over with --fresh.")

    def close(self) -> None:
        """Close the file and let others in."""
        self._base.close()
        os.close(self._lock)

    def fact(self, name: str, default: str) -> str:
        """A fact about the batch, written down the first time that it is asked for."""
        with self._writing():
            self._base.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, default))
        return str(self._base.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0])

    def change(self, name: str, value: str) -> None:
        """Write a fact anew."""
        with self._writing():
            self._base.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # --- learners ----------------------------------------------------------------------------------------

    def enrol(self, learners: Iterable[Learner]) -> None:
        """Write down who is part of the batch now; those of earlier times keep their gradings, unseen."""
        with self._writing():
            self._base.execute("UPDATE learners SET present = 0")
            self._base.executemany(
                "INSERT OR REPLACE INTO learners VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (each.key, place, each.name, each.email, each.user_id, each.submission_id, each.late, each.place,
                     json.dumps(each.notes), each.sis_id, each.login, each.section)
                    for place, each in enumerate(learners)
                ),
            )  # fmt: skip

    def learners(self) -> Iterator[Learner]:
        """Who is part of the batch, in its order."""
        columns = "learner, name, email, user_id, submission_id, late, place, notes, sis_id, login, section"
        with closing(self._base.cursor()) as cursor:
            for row in cursor.execute(f"SELECT {columns} FROM learners WHERE present ORDER BY position"):  # noqa: S608
                key, name, email, user_id, submission_id, late, place, notes, *more = row
                notes = tuple(json.loads(notes))
                yield Learner(key, name, email, user_id, submission_id, bool(late), place, notes, *more)

    # --- gradings ----------------------------------------------------------------------------------------

    def knows(self, learner: str, kata: str, key: str) -> bool:
        """Whether a grading with that key is there, and more than a fault of the grader's; it is current then."""
        found = self._base.execute(
            "SELECT key FROM gradings WHERE learner = ? AND kata = ? AND verdict != 'error'", (learner, kata)
        ).fetchone()
        known = bool(found == (key,))
        if known:
            with self._writing():
                self._base.execute("INSERT OR IGNORE INTO current VALUES (?, ?)", (learner, kata))
        return known

    @property
    def has_gradings(self) -> bool:
        """Whether there is any grading, of whenever."""
        return bool(self._base.execute("SELECT EXISTS (SELECT 1 FROM gradings)").fetchone()[0])

    def write(self, learner: str, gradings: Iterable[Grading]) -> None:
        """Write down what came of grading a learner's katas, all of it or nothing."""
        with self._writing():
            for each in gradings:
                self._base.execute("INSERT OR IGNORE INTO current VALUES (?, ?)", (learner, each.kata))
                self._base.execute("DELETE FROM tests WHERE learner = ? AND kata = ?", (learner, each.kata))
                marks = ", ".join("?" * (len(_GRADING) + 1))
                self._base.execute(
                    f"INSERT OR REPLACE INTO gradings (learner, {', '.join(_GRADING)}) VALUES ({marks})",  # noqa: S608
                    (learner, *(getattr(each, name) for name in _GRADING)),
                )
                self._base.executemany(
                    "INSERT INTO tests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        (learner, each.kata, number, *msgspec.structs.astuple(test))
                        for number, test in enumerate(each.tests, 1)
                    ),
                )

    def gradings(self, learner: str, katas: Iterable[str]) -> list[Grading]:
        """What is known of a learner in these katas, as far as it is current."""
        found = []
        for kata in katas:
            row = self._base.execute(
                f"SELECT {', '.join(_GRADING)} FROM gradings NATURAL JOIN current"  # noqa: S608
                " WHERE learner = ? AND kata = ?",
                (learner, kata),
            ).fetchone()
            if row is None:
                continue
            tests = self._base.execute(
                "SELECT name, title, property, verdict, points, max_points, message, ended FROM tests"
                " WHERE learner = ? AND kata = ? ORDER BY number",
                (learner, kata),
            )
            facts: dict[str, Any] = dict(zip(_GRADING, row, strict=True))
            found.append(Grading(**facts, tests=[Test(*test) for test in tests]))
        return found

    def _writing(self) -> _Transaction:
        return _Transaction(self._base, self.folder)


class _Transaction:
    """All or nothing; a full disk ends in a sentence."""

    def __init__(self, base: sqlite3.Connection, folder: Path) -> None:
        self._base = base
        self._folder = folder

    def __enter__(self) -> None:
        self._base.execute("BEGIN")

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self._base.execute("COMMIT" if error is None else "ROLLBACK")
        except sqlite3.Error as fault:
            error = error or fault
            with suppress(sqlite3.Error):
                self._base.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise BookFault(
                f"The gradebook in {self._folder} cannot be written: {error}. Nothing finished is lost; make room"
                " or mend the folder, and give the same command again."
            ) from error


def _opened(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None)
    try:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        base.executescript(_TABLES)
        base.execute(_CURRENT)
    except sqlite3.Error:
        base.close()
        raise
    return base


def _lock(folder: Path) -> int:
    """Keep others out; the system lets go of the lock when this process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BookFault(
            f"The folder {folder} cannot be written: {error.strerror}. Name another one with --out."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(
            f"Somebody else is grading into {folder}. Wait until they are done, or name another folder with --out."
        ) from None
    return descriptor
