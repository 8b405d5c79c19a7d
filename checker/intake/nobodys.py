"""What lies beside submissions and is nobody's work: what systems, tools, teachers and this program leave there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from checker.intake.names import OTHER_ARCHIVES, USUAL, is_junk, kata_of
from checker.intake.tree import Entry, Tree, Unreadable, join

_GRADEBOOK = "gradebook.sqlite"
_REPORTS = {
    _GRADEBOOK, f"{_GRADEBOOK}-wal", f"{_GRADEBOOK}-shm", "grades.csv", "tests.csv", "canvas.csv", "moodle.csv",
    "grades.json", "ctrf.json", "junit.xml", "summary.md",
}  # fmt: skip
"""What `kata grade` writes into its output folder, beside the folder `gradescope`."""
_PAPERS = re.compile(r"readme(?:\..*)?\Z|.*\.(?:csv|tsv|toml)\Z", re.IGNORECASE | re.DOTALL)
"""Files of the teacher's that lie beside submissions."""


def visible(tree: Tree, folder: str, katas: Collection[str]) -> list[Entry]:
    """What lies in a folder of the batch, without what systems, tools and this program leave there."""
    return [entry for entry in tree.entries(folder) if _nobodys(tree, join(folder, entry.name), entry, katas) is None]


def passed_over(tree: Tree, root: str, katas: Collection[str]) -> Iterator[str]:
    """A sentence on each name where the submissions begin, or above, that is not visible and may be somebody's."""
    parts = root.split("/") if root else []
    for folder in ("/".join(parts[:number]) for number in range(len(parts) + 1)):
        for entry in sorted(_entries(tree, folder), key=lambda each: each.name):
            path = join(folder, entry.name)
            if why := _nobodys(tree, path, entry, katas):
                yield f"{path} is left out: {why}."


def is_paper(name: str) -> bool:
    """Whether a loose file is the teacher's: a roster, a course file, a README."""
    return _PAPERS.match(name) is not None


def _nobodys(tree: Tree, path: str, entry: Entry, katas: Collection[str]) -> str | None:
    """Why a name is taken for nobody's, empty where nobody need be told; None if it may be somebody's.

    A folder with katas in it is a learner's, whatever it is called and whatever else lies in it.
    """
    if entry.kind != "folder":
        return _no_work(entry.name)
    why = _no_learner(tree, path, entry.name)
    return None if why is None or _holds_kata(tree, path, katas) else why


def _no_work(name: str) -> str | None:
    """The same for a file, by its name alone."""
    if not is_junk(name) and name not in _REPORTS:
        return None
    hidden = name.startswith(".") and not name.startswith("._")  # the latter are macOS's, one beside each file
    return "its name begins with a dot" if hidden and _is_handed_in(name) else ""


def _no_learner(tree: Tree, path: str, name: str) -> str | None:
    """The same for a folder, by its name and by what else than katas lies in it."""
    if name in USUAL or name.lower() in ("__macosx", "__pycache__"):
        return ""
    if name.startswith("."):
        return "its name begins with a dot"
    if name.lower() in ("venv", "env"):  # a learner may be called so; then it holds no environment
        return "it holds a virtual environment" if "pyvenv.cfg" in names_in(tree, path) else None
    if is_junk(name):
        return "its name is one that tools use"
    if not _is_output(tree, path):
        return None
    own = any(place.startswith(f"{path}/") for place in tree.without) or (path == "gradescope" and "." in tree.without)
    return "" if own else "it holds what an earlier batch has written"


def _holds_kata(tree: Tree, path: str, katas: Collection[str]) -> bool:
    """Whether katas lie in a folder itself, or in its folder `katas`."""
    entries = _entries(tree, path)
    entries += _entries(tree, join(path, "katas")) if any(entry.name == "katas" for entry in entries) else []
    return any(entry.kind == "file" and kata_of(entry.name, katas) for entry in entries)


def _is_handed_in(name: str) -> bool:
    """Whether a file's name is one of those that learners hand in."""
    return name.lower().endswith((".py", ".ipynb", ".zip")) or OTHER_ARCHIVES.match(name) is not None


def _is_output(tree: Tree, path: str) -> bool:
    """Whether a folder is one into which this program has written, and holds nothing else that could be graded.

    It need not be the output folder of this time: that the tree leaves out, and it may lie deeper.
    """
    entries = {entry.name: entry for entry in _entries(tree, path)}
    inner = [join(path, name) for name, entry in entries.items() if entry.kind == "folder"]
    only_folders = len(inner) == len(entries)
    if _GRADEBOOK in entries:
        only_reports = {path.rpartition("/")[2] for path in inner} <= {"gradescope"}
        return only_reports and not any(map(_is_handed_in, entries))
    if any(place.startswith(f"{path}/") for place in tree.without):
        return only_folders and all(_is_output(tree, each) for each in inner)
    reports = path.rpartition("/")[2] == "gradescope" and only_folders and inner
    return bool(reports) and all(names_in(tree, each) == {"results.json"} for each in inner)


def _entries(tree: Tree, folder: str) -> list[Entry]:
    """What lies in a folder; nothing if it cannot be read, which its row will tell."""
    try:
        return list(tree.entries(folder))
    except Unreadable:
        return []


def names_in(tree: Tree, folder: str) -> set[str]:
    """The names in a folder; none if it cannot be read, which its row will tell."""
    return {entry.name for entry in _entries(tree, folder)}
