"""Which of a learner's files is the answer to which kata."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from checker.intake.tree import MAX_DEPTH, Tree, Unreadable, join, open_archive

MAX_SEEN = 20_000
"""Names that are looked at in one learner's work."""
MAX_ARCHIVES = 5
"""Archives that are opened in one learner's work."""

_JUNK = {"__macosx", "__pycache__", "node_modules", "site-packages", "venv", "env"}
USUAL = {".git", ".github", ".venv", ".idea", ".vscode", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
"""Hidden folders that tools make, of which nothing need be said."""
_COURSE = {"solutions", "tests", "checker"}
"""Folders of a checkout of the course itself, beside its `katas`; no learner's work lies there."""
_COPY = re.compile(
    r"(?P<stem>.*?)(?:\s*\((?P<copy>\d{1,4})\)|-(?P<again>\d{1,4})|\s*-?\s*copy)?\Z", re.IGNORECASE | re.DOTALL
)
_KATA = re.compile(r"0?(?P<number>\d{1,2})[\s_-]*(?P<topic>[a-z][a-z_\s-]*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Candidate:
    """A file that may be the answer to a kata."""

    kata: str
    tree: Tree
    path: str
    again: int
    """Number of the resubmission, 0 for the first."""
    exact: bool
    depth: int

    @property
    def rank(self) -> tuple[int, int, int, int, str]:
        """The greatest is taken: a later resubmission, then the right name, then `katas`, then the least depth."""
        in_katas = "katas" in self.path.split("/")[:-1]
        return self.again, self.exact, in_katas, -self.depth, self.path


def kata_of(name: str, katas: Collection[str]) -> tuple[str, int, bool] | None:
    """The kata that a file's name means, its resubmission number, and whether the name is exactly right.

    Browsers, platforms and people rename: `07_semaphore (1).py`, `07_semaphore-2.py`, `7 Semaphore.py`.
    """
    lower = name.lower().strip()
    for suffix in (".py", ".py.txt"):
        if lower.endswith(suffix):
            lower = lower.removesuffix(suffix)
            break
    else:
        return None
    split = _COPY.match(lower)
    assert split is not None  # every part of the pattern may be empty
    found = _KATA.match(split["stem"].strip())
    if found is None:
        return None
    topic = re.sub(r"[\s_-]+", "_", found["topic"]).strip("_")
    kata = f"{int(found['number']):02}_{topic}"
    if kata not in katas:
        return None
    return kata, int(split["again"] or 0), name == f"{kata}.py"


def is_junk(name: str) -> bool:
    """Whether a name is none of a learner's: hidden, or made by a system or a tool."""
    return name.startswith(".") or name.lower() in _JUNK or name in ("Thumbs.db", "desktop.ini")


class Search:
    """Looks through one learner's work for answers."""

    def __init__(self, katas: Collection[str]) -> None:
        self._katas = katas
        self._seen = 0
        self._archives = 0
        self.candidates: list[Candidate] = []
        self.others: list[str] = []
        self.notes: list[str] = []

    def folder(self, tree: Tree, folder: str) -> None:
        """Look through a folder of a tree, the upper levels first."""
        waiting = [(folder, 0)]
        for path, depth in waiting:
            try:
                waiting += [(inner, depth + 1) for inner in self._level(tree, path, depth)]
            except Unreadable as error:
                self.notes.append(str(error))
            if self._seen > MAX_SEEN:
                self.notes.append(f"Only the first {MAX_SEEN} names were looked at.")
                return

    def _level(self, tree: Tree, folder: str, depth: int) -> Iterator[str]:
        entries = []
        for entry in tree.entries(folder):
            self._seen += 1
            if self._seen > MAX_SEEN:
                break
            if not is_junk(entry.name):
                entries.append(entry)
        names = {entry.name for entry in entries}
        left_out = _COURSE if "katas" in names else ()
        for entry in sorted(entries, key=lambda each: each.name):
            path = join(folder, entry.name)
            if entry.kind == "folder":
                if entry.name not in left_out and depth < MAX_DEPTH:
                    yield path
            else:
                self.file(tree, path, entry.kind, depth)

    def file(self, tree: Tree, path: str, kind: str, depth: int = 0, name: str = "") -> None:
        """Look at one file; `name`: what it is called, where the platform has changed that."""
        name = name or path.rpartition("/")[2]
        meant = kata_of(name, self._katas)
        if meant is not None and kind != "file":
            what = "a link" if kind == "link" else "no ordinary file"
            self.notes.append(f"{path} was left out: it is {what}; hand in the file itself.")
        elif meant is not None:
            kata, again, exact = meant
            self.candidates.append(Candidate(kata, tree, path, again, exact, depth))
        elif name.lower().endswith(".zip") and kind == "file":
            self._archive(tree, path)
        else:
            self.others.append(name)

    def _archive(self, tree: Tree, path: str) -> None:
        self._archives += 1
        if self._archives > MAX_ARCHIVES:
            self.notes.append(f"{path} was left out: only {MAX_ARCHIVES} archives of one learner are opened.")
            return
        try:
            archive = open_archive(tree, path, path)
        except Unreadable as error:
            self.notes.append(str(error))
            return
        self.folder(archive, "")
        self.notes += archive.notes[:20]

    def answers(self) -> dict[str, Candidate]:
        """The best candidate for each kata; that there were others is noted."""
        found: dict[str, Candidate] = {}
        for each in sorted(self.candidates, key=lambda candidate: candidate.rank):
            if each.kata in found and found[each.kata].path != each.path:
                self.notes.append(f"There are several files for {each.kata}: {found[each.kata].path} was left out.")
            found[each.kata] = each
        return dict(sorted(found.items()))
