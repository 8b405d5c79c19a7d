"""Which of a learner's files is the answer to which kata."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from checker.intake import beside
from checker.intake.tree import MAX_DEPTH, Inner, OutOfReach, Tree, Unreadable, join, unforeseen
from checker.submission import NOTEBOOK

MAX_SEEN = 20_000
"""Names that are looked at in one learner's work."""
MAX_ARCHIVES = 5
"""Archives that are opened in one learner's work."""
MAX_BYTE_CODE = 1000
"""Names that are looked at in one `__pycache__`."""

LONGEST_NAME = 255
"""Letters of a file's name on any usual disk; archives may claim longer ones."""

_JUNK = {"__macosx", "__pycache__", "node_modules", "site-packages", "venv", "env"}
USUAL = {".git", ".github", ".venv", ".idea", ".vscode", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
"""Hidden folders that tools make, of which nothing need be said."""
COURSE = {"solutions", "tests", "checker"}
"""Folders of a checkout of the course itself, beside its `katas`; no learner's work lies there."""
_BACKUP = re.compile(
    r"(?:.*[\s_.-])?(?:old|bak|backups?|archived?|previous|orig(?:inal)?|copy)[\s_.()\d-]*\Z", re.IGNORECASE | re.DOTALL
)
"""Folders and archives that say themselves that they hold an earlier state."""
OTHER_ARCHIVES = re.compile(
    r"(?P<stem>.+?)\.(?:7z|rar|tar|(?:tar\.)?(?:gz|bz2|xz|zst|z)|tgz|tbz2?|txz)\Z", re.IGNORECASE | re.DOTALL
)
"""Archives that are not read: most of their formats have no directory, by which they could be judged unopened."""
_MARK = re.compile(r"(?:\s*\(\d{1,4}\)|-(?P<again>\d{1,4})|\s*-?\s*copy)\Z", re.IGNORECASE)
"""What a browser, a platform or a desktop adds to a name."""
_KATA = re.compile(r"0?(?P<number>\d{1,2})[\s_-]*(?P<topic>[a-z][a-z_\s-]*)\Z", re.DOTALL)
_SCRIPTS = (".py", ".py.txt")
_NO_SCRIPTS = {
    ".ipynb": NOTEBOOK,
    ".pdf": "is a PDF; give the Python file itself",
    **dict.fromkeys((".docx", ".doc", ".odt", ".rtf"), "is a formatted document; save it as plain text (.py)"),
}
"""What people hand in instead of a Python file, and what to do about it."""


def kata_of(name: str, katas: Collection[str], suffixes: Collection[str] = _SCRIPTS) -> tuple[str, int, bool] | None:
    """The kata that a file's name means, its resubmission number, and whether the name is exactly right.

    Browsers, platforms and people rename, one after the other: `07_semaphore (1).py`, `07_semaphore-2.py`,
    `07_semaphore (1)-2.py`, `7 Semaphore.py`.
    """
    lower = name.lower().strip()
    suffix = next((each for each in suffixes if lower.endswith(each)), None)
    if suffix is None or len(name) > LONGEST_NAME:
        return None
    stem, again = _without_marks(lower.removesuffix(suffix))
    found = _KATA.match(stem)
    if found is None:
        return None
    topic = re.sub(r"[\s_-]+", "_", found["topic"]).strip("_")
    kata = f"{int(found['number']):02}_{topic}"
    if kata not in katas:
        return None
    return kata, again, name == f"{kata}.py"


def _without_marks(stem: str) -> tuple[str, int]:
    """A name without what was added to it, and the resubmission number: the outermost, which is the last one's."""
    again = 0
    stem = " ".join(stem.split())  # the marks may begin with blanks, of which a stranger's name may have hundreds
    while mark := _MARK.search(stem):
        again = again or int(mark["again"] or 0)
        stem = stem[: mark.start()]
    return stem.strip(), again


def natural(path: str) -> list[str | int]:
    """For sorting: numbers by what they are worth, and `work-2.py` after `work.py`."""
    plain = re.sub(r"\.(?:py|py\.txt|zip)\Z", "", path.lower())
    # Not more digits than int() takes from a stranger.
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d{1,18})", plain))]


def is_backup(name: str) -> bool:
    """Whether a folder or an archive is called like something earlier."""
    return len(name) <= LONGEST_NAME and _BACKUP.match(name.removesuffix(".zip")) is not None


def is_junk(name: str) -> bool:
    """Whether a name is none of a learner's: hidden, or made by a system or a tool."""
    return name.startswith(".") or name.lower() in _JUNK or name in ("Thumbs.db", "desktop.ini")


def _kind(name: str) -> str:
    """What a file that is no answer is by its name, where its owner may take it for one; else empty."""
    if name.lower().endswith(".ipynb"):
        return "a Jupyter notebook"
    return "an archive, but no zip archive" if OTHER_ARCHIVES.match(name) else ""


@dataclass(frozen=True)
class Candidate:
    """A file that may be the answer to a kata."""

    kata: str
    tree: Tree
    path: str
    again: int
    """Number of the resubmission, 0 for the first."""
    exact: bool
    inner: str
    """Its path from the top of the learner's work, or of the archive that it is in."""
    within: tuple[str, ...] = ()
    """The archives that it is in, the outermost first."""

    @property
    def folder(self) -> str:
        """Where it lies in the learner's work or in the archive."""
        return self.inner.rpartition("/")[0]

    @property
    def shown(self) -> str:
        """What it is called in notes."""
        return " in ".join([self.path, *reversed(self.within)])

    @property
    def rank(self) -> tuple[Any, ...]:
        """Of the files of one folder the greatest is taken: a later resubmission, then the right name.

        Of equals that is the one looked at last, in Canvas's case the one that was handed in last.
        """
        return self.again, self.exact, natural(self.inner)


def _folder_rank(candidates: list[Candidate]) -> tuple[Any, ...]:
    """Of the folders with files for a kata the one with the greatest rank counts.

    Nothing here depends on what the learner's own folder is called.  `katas` comes before the folder that it lies
    in, as in `Submission.file`, so that what a learner has checked is what is graded.
    """
    first = candidates[0]
    parts = first.folder.split("/") if first.folder else []
    in_katas = parts[-1:] == ["katas"]
    archives = [path.rpartition("/")[2] for path in first.within]
    return (
        -len(first.within),
        not any(is_backup(part) for part in (*parts, *archives)),
        any(each.exact or each.again for each in candidates),
        in_katas - len(parts),
        any(each.exact for each in candidates),
        in_katas,
        [natural(path) for path in first.within],
        natural(first.folder),
    )


class Search:
    """Looks through one learner's work for answers."""

    def __init__(self, katas: Collection[str]) -> None:
        self._katas = katas
        self._seen = 0
        self._archives = 0
        self._unpacked = 0
        """Bytes of the archives that lie in other archives: there they may be packed to next to nothing."""
        self.candidates: list[Candidate] = []
        self.others: list[str] = []
        self._no_scripts: dict[str, str] = {}
        """Where for a kata there is a file of another kind: a sentence on it."""
        self._beside: set[tuple[tuple[str, ...], str, str]] = set()
        """Of files that would reach the grader the archives that they are in, the folder, and the name."""
        self.passed_over: list[str] = []
        """Folders that were not looked into, and why."""
        self.notes: list[str] = []
        self.fault = ""
        """Why the grader could not look everywhere, through no fault of the learner's."""

    def folder(self, tree: Tree, folder: str, within: tuple[str, ...] = ()) -> None:
        """Look through a folder of a tree, the upper levels first."""
        waiting = [(folder, "")]
        for path, inner in waiting:
            with self._guarded(path):
                below = self._level(tree, path, inner, within)
                waiting += [(join(path, name), join(inner, name)) for name in below]
            if self._seen > MAX_SEEN:
                self.notes.append(f"Only the first {MAX_SEEN} names were looked at.")
                return

    @contextmanager
    def _guarded(self, path: str) -> Generator[None]:
        """Whatever goes wrong over one learner's work is told in that learner's row, and ends nothing else."""
        try:
            yield
        except OutOfReach as error:
            self.fault = self.fault or str(error)
        except Unreadable as error:
            self.notes.append(str(error))
        except Exception as error:
            self.fault = self.fault or unforeseen(path, error)

    def _level(self, tree: Tree, folder: str, inner: str, within: tuple[str, ...]) -> Iterator[str]:
        """Look at the files of one folder; the names of the folders in it that are worth a look."""
        entries = []
        for entry in tree.entries(folder):
            self._seen += 1
            if self._seen > MAX_SEEN:
                break
            if not is_junk(entry.name) or (entry.kind == "file" and beside.reaches(entry.name)):
                entries.append(entry)
            elif entry.kind == "folder":
                self.passed_over.append(f"{entry.name} (a name that tools use)")
                if entry.name == "__pycache__":
                    self._byte_code(tree, join(folder, entry.name), inner, within)
        names = {entry.name for entry in entries}
        outer, _, last = inner.rpartition("/")
        if "__init__.py" in names and beside.is_module(last):
            self._beside.add((within, outer, last))
        left_out = COURSE if "katas" in names else ()
        depth = inner.count("/") + 1 if inner else 0
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.kind != "folder":
                self.file(tree, join(folder, entry.name), entry.kind, join(inner, entry.name), within)
            elif entry.name in left_out:
                self.passed_over.append(f"{entry.name} (the course's own)")
            elif depth < MAX_DEPTH:
                yield entry.name
            else:
                self.passed_over.append(f"{entry.name} (more than {MAX_DEPTH} folders deep)")

    def _byte_code(self, tree: Tree, folder: str, inner: str, within: tuple[str, ...]) -> None:
        """Look for byte code of a kata: nobody imports one, since its name begins with a number."""
        try:
            names = [entry.name for entry in islice(tree.entries(folder), MAX_BYTE_CODE)]
        except Unreadable:
            return
        for name in names:
            if kata_of(f"{name.partition('.')[0]}.py", self._katas) is not None:
                self._beside.add((within, inner, f"__pycache__/{name}"))

    def file(self, tree: Tree, path: str, kind: str, inner: str = "", within: tuple[str, ...] = ()) -> None:
        """Look at one file.

        Args:
            inner: its path from the top of the learner's work, or its name before the platform changed that.
            within: the archives that it is in, the outermost first.
        """
        inner = inner or path.rpartition("/")[2]
        name = inner.rpartition("/")[2]
        meant = kata_of(name, self._katas)
        what = {"file": "", "link": "a link"}.get(kind, "no ordinary file")
        if meant is not None and what:
            self.notes.append(f"{path} was left out: it is {what}; hand in the file itself.")
        elif meant is not None:
            self.candidates.append(Candidate(meant[0], tree, path, meant[1], meant[2], inner, within))
        elif name.lower().endswith(".zip") and kind == "file":
            self._archive(tree, path, within)
        elif kind == "file" and (other := kata_of(name, self._katas, _NO_SCRIPTS)) is not None:
            what = _NO_SCRIPTS[f".{name.lower().strip().rpartition('.')[2]}"]
            self._no_scripts.setdefault(other[0], f"{path} was left out: it {what}.")
        else:
            if kind == "file" and beside.reaches(name):
                self._beside.add((within, inner.rpartition("/")[0], name))
            what = what or _kind(name)
            self.others.append(f"{name} ({what})" if what else name)

    def _archive(self, tree: Tree, path: str, within: tuple[str, ...]) -> None:
        self._archives += 1
        if self._archives > MAX_ARCHIVES:
            self.notes.append(f"{path} was left out: only {MAX_ARCHIVES} archives of one learner are opened.")
            return
        archive = Inner(tree, path)
        with self._guarded(path):
            notes = archive.open(self._unpacked if within else 0).notes
            if within:
                self._unpacked += archive.size
            self.folder(archive, "", (*within, path))
            self.notes += notes[:20]
            archive.close()

    def answers(self) -> dict[str, Candidate]:
        """The best candidate for each kata; that there were others is noted."""
        found = {}
        for kata in sorted({each.kata for each in self.candidates}):
            folders: dict[tuple[tuple[str, ...], str], list[Candidate]] = {}
            for each in self.candidates:
                if each.kata == kata:
                    folders.setdefault((each.within, each.folder), []).append(each)
            *others, found[kata] = (
                each
                for candidates in sorted(folders.values(), key=_folder_rank)
                for each in sorted(candidates, key=lambda candidate: candidate.rank)
            )
            self.notes += [f"There are several files for {kata}: {each.shown} was left out." for each in others]
        self.notes += [note for kata, note in sorted(self._no_scripts.items()) if kata not in found]
        if names := self._on_the_way():
            self.notes.append(beside.note(names))
        return found

    def _on_the_way(self) -> set[str]:
        """What would reach the grader from where it lies: beside an answer or above it, unless it holds one itself."""
        folders: set[tuple[tuple[str, ...], str]] = {((), "")}
        for each in self.candidates:
            parts = each.folder.split("/")
            folders |= {(each.within, "/".join(parts[:number])) for number in range(len(parts) + 1)}
        return {
            name
            for within, folder, name in self._beside
            if (within, folder) in folders and (within, join(folder, name)) not in folders
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing was seen at all."""
        seen = self.candidates or self.others or self._no_scripts or self.passed_over
        return not (seen or self.notes or self.fault)

    def nothing(self) -> str:
        """Where there is no answer: what there was instead; empty if that is said already, or not known."""
        if self.fault:
            return ""
        told = [f"there are {', '.join(sorted(self.others)[:5])}"] if self.others else []
        if self.passed_over:
            told.append(f"not looked into: {', '.join(sorted(set(self.passed_over))[:5])}")
        if not told and self.notes:
            return ""
        return f"No file is named like a kata; {'; '.join(told) or 'it is empty'}."
