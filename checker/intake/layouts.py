"""The layouts in which submissions arrive, how each is recognised, and whose work is whose."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from checker.intake.names import USUAL, Candidate, Search, is_junk, kata_of
from checker.intake.tree import Entry, Tree, Unreadable, join, open_tree, subfolders
from checker.rows import Learner
from checker.submission import MAX_BYTES, Source, problem_with
from checker.values import printable

CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<submission>\d+)_(?P<file>.+)\Z", re.DOTALL)
"""For example `doejane_LATE_123_4567_07_semaphore-2.py`."""
MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?\Z", re.DOTALL)
METADATA = "submission_metadata.yml"
MAX_METADATA = 32 << 20


@dataclass
class Handed:
    """One learner's work as it was found; its files are read only when they are asked for."""

    learner: Learner
    answers: dict[str, Candidate] = field(default_factory=dict)
    problem: str = ""
    """Why nothing of it can be read."""

    def source(self, kata: str, forbidden: Collection[tuple[int, int]] = ()) -> Source:
        """The file for a kata; what is wrong with it is told in `Source.problem`.

        Args:
            forbidden: files (device and number) that are nobody's work, such as the course's own.
        """
        found = self.answers.get(kata)
        if found is None:
            return Source(Path(f"{kata}.py"), problem=self.problem or f"No file for {kata} was handed in.")
        shown = printable(found.path.rpartition("/")[2])
        path = Path(shown)
        if found.tree.identity(found.path) in forbidden:
            return Source(path, problem=f"{shown} is a hard link to a file of the course; hand in your own.")
        try:
            data = found.tree.read(found.path, MAX_BYTES + 1)
        except Unreadable as error:
            return Source(path, problem=printable(str(error)))
        problem = problem_with(data, shown)
        return Source(path, b"" if problem else data, problem)


@dataclass(frozen=True)
class Intake:
    """What was found; `submissions` in the order of their places."""

    layout: str
    submissions: list[Handed]
    notes: list[str]
    tree: Tree

    def close(self) -> None:
        """No file of a submission will be read any more."""
        self.tree.close()


def take_in(path: Path, katas: Collection[str], layout: str = "auto") -> Intake:
    """Find all submissions.

    Args:
        path: a folder or a zip archive.
        katas: the names of the katas whose files count.
        layout: one of `LAYOUTS`.

    Raises:
        Unreadable: it cannot be opened, is not of that layout, or holds no submission.
    """
    tree = open_tree(path)
    try:
        chosen, found = _find(tree, katas, layout)
        if not found:
            raise Unreadable(
                f"{path} holds no submission in the layout {chosen}; see --layout, or name the right folder."
            )
    except Unreadable:
        tree.close()
        raise
    return Intake(chosen, found, [printable(note) for note in tree.notes], tree)


def _find(tree: Tree, katas: Collection[str], layout: str) -> tuple[str, list[Handed]]:
    root = _unwrapped(tree, katas)
    entries = [entry for entry in tree.entries(root) if not is_junk(entry.name)]
    # A learner may have such a name all the same, and nobody may lose a row in silence.
    hidden = [entry.name for entry in tree.entries(root) if entry.kind == "folder" and entry.name.startswith(".")]
    tree.notes.extend(f"{name} is left out: its name begins with a dot." for name in hidden if name not in USUAL)
    chosen = _recognise(entries, tree, root, katas) if layout == "auto" else layout
    found = [_printable(each) for each in _READERS[chosen](tree, root, entries, katas)]
    found.sort(key=lambda handed: handed.learner.place)
    return chosen, _apart(found)


def _printable(handed: Handed) -> Handed:
    """With every text that came from outside made harmless."""
    learner = handed.learner
    texts = {
        name: printable(getattr(learner, name))
        for name in ("key", "name", "email", "user_id", "submission_id", "place")
    }
    notes = tuple(dict.fromkeys(printable(note) for note in learner.notes))
    return Handed(replace(learner, notes=notes, **texts), handed.answers, printable(handed.problem))


def _apart(found: list[Handed]) -> list[Handed]:
    """With different keys, should two learners have been given the same."""
    seen: set[str] = set()
    for handed in found:
        key, number = handed.learner.key, 1
        while key in seen:
            number += 1
            key = f"{handed.learner.key} #{number}"
        seen.add(key)
        handed.learner = replace(handed.learner, key=key)
    return found


# --- recognising -------------------------------------------------------------------------------------------


def _unwrapped(tree: Tree, katas: Collection[str]) -> str:
    """Where the submissions begin: below folders that hold nothing but one other folder."""
    root = ""
    for _ in range(4):
        entries = [entry for entry in tree.entries(root) if not is_junk(entry.name)]
        alone = len(entries) == 1 and entries[0].kind == "folder"
        if not alone or MOODLE.match(entries[0].name) or entries[0].name == "katas":
            return root
        inner = join(root, entries[0].name)
        below = [entry for entry in tree.entries(inner) if not is_junk(entry.name)]
        names = {entry.name for entry in below}
        holds_work = "katas" in names or any(kata_of(name, katas) for name in names)
        holds_learners = METADATA in names or any(
            entry.kind == "folder" or entry.name.endswith(".zip") for entry in below
        )
        if holds_work or not holds_learners:
            return root
        root = inner
    return root


def _recognise(entries: list[Entry], tree: Tree, root: str, katas: Collection[str]) -> str:
    folders = subfolders(entries)
    files = [entry.name for entry in entries if entry.kind == "file"]
    if METADATA in files:
        return "gradescope"
    if folders and 2 * sum(MOODLE.match(name) is not None for name in folders) > len(folders):
        return "moodle"
    if files and 2 * sum(CANVAS.match(name) is not None for name in files) > len(files):
        return "canvas"
    if "katas" in folders or any(kata_of(name, katas) for name in files):
        return "single"
    if folders and all(any(each.name == ".git" for each in tree.entries(join(root, name))) for name in folders[:20]):
        return "git"
    return "folders"


# --- the layouts -------------------------------------------------------------------------------------------


def _searched(learner: Learner, katas: Collection[str], look: Callable[[Search], None]) -> Handed:
    search = Search(katas)
    look(search)
    answers = search.answers()
    notes = [*learner.notes, *search.notes]
    if not answers and (why := search.nothing()):
        notes.append(why)
    return Handed(replace(learner, notes=tuple(notes)), answers)


def _folders(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """A folder, a checkout or an archive a learner, named as the learner is."""
    for entry in entries:
        path = join(root, entry.name)
        if entry.kind == "folder":
            learner = Learner(entry.name, entry.name, place=path)
            yield _searched(learner, katas, lambda search, path=path: search.folder(tree, path))  # type: ignore[misc]
        elif entry.name.lower().endswith(".zip"):
            name = entry.name[:-4]
            learner = Learner(name, name, place=path)
            yield _searched(learner, katas, lambda search, path=path, kind=entry.kind: search.file(tree, path, kind))  # type: ignore[misc]
        elif entry.kind == "link":
            yield Handed(Learner(entry.name, entry.name, place=path), problem="It is a link, which is not followed.")


def _single(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """One learner's work alone."""
    del entries
    yield _searched(Learner(tree.name, tree.name, place="."), katas, lambda search: search.folder(tree, root))


def _moodle(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """Moodle's download: a folder `Full Name_<id>_assignsubmission_file_` each."""
    for name in subfolders(entries):
        path = join(root, name)
        match = MOODLE.match(name)
        learner = Learner(name, name, place=path)
        if match is not None:
            learner = Learner(match["user"], match["name"], user_id=match["user"], place=path)
        yield _searched(learner, katas, lambda search, path=path: search.folder(tree, path))  # type: ignore[misc]


def _canvas(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """Canvas's download: all files of all learners side by side, told apart by their names."""
    together: dict[str, list[tuple[Entry, re.Match[str]]]] = {}
    for entry in entries:
        match = CANVAS.match(entry.name)
        if match is None:
            place = join(root, entry.name)
            yield Handed(Learner(entry.name, entry.name, place=place), problem="Its name is not one that Canvas gives.")
            continue
        together.setdefault(match["user"], []).append((entry, match))
    for user, files in together.items():
        first = files[0][1]
        late = any(match["late"] for _, match in files)
        submission = max((match["submission"] for _, match in files), key=int)
        learner = Learner(user, first["name"], user_id=user, submission_id=submission, late=late)
        learner = replace(learner, place=join(root, f"{first['name']}_{user}"))

        def look(search: Search, files: list[tuple[Entry, re.Match[str]]] = files) -> None:
            for entry, match in sorted(files, key=lambda each: int(each[1]["submission"])):
                search.file(tree, join(root, entry.name), entry.kind, match["file"])

        yield _searched(learner, katas, look)


def _gradescope(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """Gradescope's export: a folder a submission, and a file that tells whose it is."""
    metadata = _metadata(tree, join(root, METADATA))
    names = subfolders(entries)
    for name in sorted({*names, *metadata}):
        facts = metadata.get(name, {})
        path = join(root, name)
        people = [each for each in _sequence(facts.get(":submitters")) if isinstance(each, Mapping)]
        for number, person in enumerate(people or [{}]):
            learner = Learner(
                key=name if number == 0 else f"{name} #{number + 1}",
                name=_text(person.get(":name")) or _text(person.get(":email")) or name,
                email=_text(person.get(":email")),
                user_id=_text(person.get(":sid")),
                submission_id=name.rpartition("_")[2],
                late=bool(facts.get(":late")),
                place=path,
            )
            if name in names:
                yield _searched(learner, katas, lambda search, path=path: search.folder(tree, path))  # type: ignore[misc]
            else:
                yield Handed(learner, problem="The export tells of this submission and does not hold it.")


def _metadata(tree: Tree, path: str) -> dict[str, Mapping[str, Any]]:
    import yaml

    try:
        data = yaml.load(tree.read(path, MAX_METADATA), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable(
            f"{path} cannot be read ({str(error).splitlines()[0]}); export the submissions again."
        ) from error
    if not isinstance(data, Mapping):
        raise Unreadable(f"{path} holds no list of submissions; export them again.")
    return {str(name): facts for name, facts in data.items() if isinstance(facts, Mapping)}


def _text(value: object) -> str:
    """A text or number of the metadata; anything else is none, since aliases can make it endless."""
    return str(value)[:1000] if isinstance(value, str | int) else ""


def _sequence(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


_READERS: dict[str, Callable[[Tree, str, list[Entry], Collection[str]], Iterator[Handed]]] = {
    "folders": _folders,
    "git": _folders,
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "single": _single,
}
LAYOUTS = ("auto", *_READERS)
"""What `--layout` takes."""
