"""Which layout a batch has, and where its submissions begin."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from checker.intake.metadata import METADATA, read_metadata
from checker.intake.names import COURSE, MAX_ARCHIVES, Search, is_backup, is_junk, kata_of
from checker.intake.nobodys import is_paper, names_in, passed_over, visible
from checker.intake.tree import Archive, Entry, Tree, Unreadable, archive_in, join, subfolders

CANVAS = re.compile(
    r"(?P<name>.+?)(?P<late>_LATE)?_(?P<user>\d{1,19})_(?P<submission>\d{1,19})_(?P<file>.+)\Z", re.DOTALL
)
"""For example `doejane_LATE_123_4567_07_semaphore-2.py`; Canvas's numbers have 64 bits."""
MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?\Z", re.DOTALL)
PLATFORMS = ("canvas", "moodle", "gradescope")

_VERSION = re.compile(
    r"katas(?![a-z]).*|(?:.*[\s_.-])?(?:v|versions?|drafts?|attempts?|tmp|temp)[\s_.()\d-]*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Folders of one person's several tries; nobody is called so."""


# --- where submissions begin -----------------------------------------------------------------------------------


def beginning(tree: Tree, katas: Collection[str], layout: str) -> str:
    """Where the submissions begin: below the folders that a zip tool or a platform made around all of them.

    A folder that is alone in the batch may as well be the only learner's.  That learner's row must be the same
    as beside others', so it is looked into only if several learners are seen in it.

    Raises:
        Unreadable: it may be either.
    """
    inner = _innermost(tree, katas)
    if not inner or layout == "single":
        return ""
    if layout in PLATFORMS:
        return inner
    entries = visible(tree, inner, katas)
    if layout != "auto":
        return inner if isinstance(tree, Archive) and _may_hold_learners(entries, katas) else ""
    if _platform_inside(tree, inner, entries, katas):
        tree.notes.append(f"{inner} is looked into: it is alone there, and looks like a download.")
        return inner
    _tell_of_metadata(tree, inner, entries)
    if len(subfolders(entries)) > 1 and _are_checkouts(tree, inner, entries):
        return inner
    return (
        _archived(tree, inner, entries, katas) if isinstance(tree, Archive) else _on_disk(tree, inner, entries, katas)
    )


def _innermost(tree: Tree, katas: Collection[str]) -> str:
    """The last of the folders that are each alone in the one before."""
    inner = ""
    for _ in range(4):
        entries = _no_papers(visible(tree, inner, katas))
        if len(entries) != 1 or entries[0].kind != "folder":
            break
        if MOODLE.match(entries[0].name) or entries[0].name == "katas":
            break
        inner = join(inner, entries[0].name)
    return inner


def _no_papers(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if not (entry.kind == "file" and is_paper(entry.name))]


def _may_hold_learners(entries: list[Entry], katas: Collection[str]) -> bool:
    return not _holds_work(entries, katas) and len(_others(entries)) > 1


def _archived(tree: Tree, inner: str, entries: list[Entry], katas: Collection[str]) -> str:
    """In an archive the only folder is usually the one that was packed, with everybody's work."""
    names, shared = _with_work(tree, inner, _others(entries), katas)
    if shared:
        return inner
    if len(names) > 1 and not _holds_work(entries, katas):
        raise Unreadable(
            f"In {tree.name} there is one folder, {inner}, in which several hold katas ({_some(names)}). Say"
            " --layout folders if these are learners, or --layout single if all of it is one learner's work."
        )
    return ""


def _on_disk(tree: Tree, inner: str, entries: list[Entry], katas: Collection[str]) -> str:
    """A learner's own folder may hold a few archives, but not the same kata in several folders: that is a class."""
    others = _others(entries)
    archives = [entry for entry in others if entry.kind == "file"]
    _, shared = _with_work(tree, inner, [entry for entry in others if entry.kind == "folder"], katas)
    return inner if shared or len(archives) > MAX_ARCHIVES else ""


def download(tree: Tree, katas: Collection[str], layout: str) -> Archive | None:
    """A platform's download that lies in the batch alone, as it came: an archive that nobody has unpacked.

    A learner's archive may be alone there, too, if there is only one learner.

    Raises:
        Unreadable: it may be either.
    """
    folder = _innermost(tree, katas)
    entries = _no_papers(visible(tree, folder, katas))
    name = entries[0].name if [entry.kind for entry in entries] == ["file"] else ""
    if not name.lower().endswith(".zip") or CANVAS.match(name) or layout not in ("auto", *PLATFORMS):
        return None
    try:
        archive = archive_in(tree, join(folder, name))
    except Exception:  # its row tells, whatever it is
        return None
    try:
        seen = _download_of(archive, katas)
        if seen and layout in ("auto", seen):
            archive.notes.extend(passed_over(tree, folder, katas))
            archive.notes.append(f"{join(folder, name)} is looked into: it is alone there, and looks like a download.")
            return archive
        if layout == "auto" and not folder and not seen:
            _ask_whose(archive, name, katas)
    except Unreadable:
        archive.close()
        raise
    archive.close()
    return None


def _download_of(archive: Archive, katas: Collection[str]) -> str:
    """The platform whose names are in an archive, or `git`; empty if none is seen."""
    inner = _innermost(archive, katas)
    entries = visible(archive, inner, katas)
    if _holds_work(entries, katas):
        return ""
    checkouts = len(subfolders(entries)) > 1 and _are_checkouts(archive, inner, entries)
    return _platform_inside(archive, inner, entries, katas) or ("git" if checkouts else "")


def _ask_whose(archive: Archive, name: str, katas: Collection[str]) -> None:
    """Nothing can be told of an archive in whose folders there is the same kata."""
    inner = _innermost(archive, katas)
    entries = visible(archive, inner, katas)
    if _holds_work(entries, katas):
        return
    names, shared = _with_work(archive, inner, _others(entries), katas)
    if shared:
        raise Unreadable(
            f"In {name} several folders or archives hold the same kata ({_some(names)}). If these are learners, name"
            f" {name} itself instead of the folder that it lies in; say --layout folders if all of it is one learner's"
            " work."
        )


# --- recognising -----------------------------------------------------------------------------------------------


def recognise(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> str:
    """The layout of what lies at the root.

    Raises:
        Unreadable: it may be one learner's work or that of several.
    """
    if platform := _platform(entries, katas):
        return platform
    _tell_of_metadata(tree, root, entries)
    if _holds_work(entries, katas):
        names, shared = _with_work(tree, root, _others(entries), katas)
        if names and not shared:
            raise Unreadable(
                f"There are katas in {root or tree.name} itself and others in folders or archives beside them"
                f" ({_some(names)}). Say --layout folders if these are learners, or --layout single if all of it is"
                " one learner's work."
            )
        if not shared:
            return "single"
    return "git" if _are_checkouts(tree, root, entries) else "folders"


def _platform(entries: list[Entry], katas: Collection[str]) -> str:
    """The platform whose download this is; empty if it is none's."""
    folders = subfolders(entries)
    files = [entry.name for entry in entries if entry.kind == "file"]
    if METADATA in files and not _holds_work(entries, katas):  # Gradescope puts each submission into a folder
        return "gradescope"
    if folders and 2 * sum(MOODLE.match(name) is not None for name in folders) > len(folders):
        return "moodle"
    named = [name for name in files if CANVAS.match(name)]
    if named and 2 * len(named) > sum(not is_paper(name) or name in named for name in files):
        return "canvas"
    return ""


def _platform_inside(tree: Tree, folder: str, entries: list[Entry], katas: Collection[str]) -> str:
    """The same for a folder or an archive that is alone, and may be the only learner's.

    Whoever writes Gradescope's metadata writes the rows: a file of that name is not enough.
    """
    platform = _platform(entries, katas)
    if platform != "gradescope":
        return platform
    try:
        named = read_metadata(tree, join(folder, METADATA))
    except Unreadable:
        return ""
    return platform if named.keys() & set(subfolders(entries)) else ""


def _tell_of_metadata(tree: Tree, folder: str, entries: list[Entry]) -> None:
    note = f"{join(folder, METADATA)} is not taken for Gradescope's; if it is, say --layout gradescope."
    if any(entry.name == METADATA for entry in entries) and note not in tree.notes:
        tree.notes.append(note)


def _holds_work(entries: list[Entry], katas: Collection[str]) -> bool:
    return any(
        entry.name == "katas" if entry.kind == "folder" else entry.kind == "file" and kata_of(entry.name, katas)
        for entry in entries
    )


def _others(entries: list[Entry]) -> list[Entry]:
    """Folders and archives that may each be a learner's: none that says it is an older state, or the course's."""
    course = COURSE if any(entry.name == "katas" for entry in entries) else ()
    entries = [entry for entry in entries if not is_junk(entry.name) or entry.name.lower() in ("venv", "env")]
    return [
        entry
        for entry in entries
        if (entry.kind == "folder" or (entry.kind == "file" and entry.name.lower().endswith(".zip")))
        and not (entry.name in course or is_backup(entry.name) or _VERSION.match(entry.name.removesuffix(".zip")))
    ]


def _with_work(tree: Tree, root: str, entries: Iterable[Entry], katas: Collection[str]) -> tuple[list[str], bool]:
    """Which of these hold kata files, and whether two hold the same kata.

    The latter is the mark of a class: one learner's folders hold different katas, unless their names say that
    they are versions.  As soon as it is seen nothing more is looked at.
    """
    names: list[str] = []
    seen: set[str] = set()
    for entry in sorted(entries, key=lambda each: each.name):
        search, path = Search(katas), join(root, entry.name)
        if entry.kind == "folder":
            search.folder(tree, path)
        else:
            search.file(tree, path, entry.kind)
        found = {candidate.kata for candidate in search.candidates}
        if found:
            names.append(entry.name)
        if found & seen:
            return names, True
        seen |= found
    return names, False


def _are_checkouts(tree: Tree, root: str, entries: list[Entry]) -> bool:
    folders = subfolders(entries)
    return bool(folders) and all(".git" in names_in(tree, join(root, name)) for name in folders[:20])


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if names[3:] else "")
