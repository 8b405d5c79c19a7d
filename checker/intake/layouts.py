"""The layouts in which submissions arrive, and whose work is whose in each."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from checker.intake.metadata import METADATA, people, read_metadata, text
from checker.intake.names import OTHER_ARCHIVES, Candidate, Search, kata_of
from checker.intake.nobodys import is_paper, passed_over, visible
from checker.intake.recognise import CANVAS, MOODLE, beginning, download, recognise
from checker.intake.tree import Entry, Inner, OutOfReach, Tree, Unreadable, join, open_tree, subfolders, unforeseen
from checker.rows import Learner
from checker.submission import MAX_BYTES, Source, problem_with
from checker.values import printable


@dataclass
class Handed:
    """One learner's work as it was found; its files are read only when they are asked for."""

    learner: Learner
    answers: dict[str, Candidate] = field(default_factory=dict)
    problem: str = ""
    """Why nothing of it can be read."""
    empty: bool = False
    """Whether there is nothing at all, not even a file that is none of a kata's."""
    fault: str = ""
    """Why the grader could not look through it: its own failure, which says nothing about the work."""

    def source(self, kata: str, forbidden: Collection[tuple[int, int]] = ()) -> Source:
        """The file for a kata; what is wrong with it is told in `Source.problem`, a failure to get at it in `fault`.

        Args:
            forbidden: files (device and number) that are nobody's work, such as the course's own.
        """
        found = self.answers.get(kata)
        if self.fault:
            return Source(Path(f"{kata}.py"), fault=self.fault)
        if found is None:
            return Source(Path(f"{kata}.py"), problem=self.problem or f"No file for {kata} was handed in.")
        try:
            return _read(found, forbidden)
        except OutOfReach as error:
            fault = str(error)
        except Exception as error:  # it is this row's alone, whatever it is
            fault = unforeseen(found.path, error)
        return Source(Path(f"{kata}.py"), fault=printable(fault))

    def close(self) -> None:
        """Give up the archives that were opened for reading; should more be read, they are opened again."""
        for found in self.answers.values():
            if isinstance(found.tree, Inner):
                found.tree.close_all()


def _read(found: Candidate, forbidden: Collection[tuple[int, int]]) -> Source:
    shown = printable(found.path.rpartition("/")[2])
    path = Path(shown)
    if found.tree.identity(found.path) in forbidden:
        return Source(path, problem=f"{shown} is a hard link to a file of the course; hand in your own.")
    try:
        data = found.tree.read(found.path, MAX_BYTES + 1)
    except OutOfReach:
        raise
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


def take_in(
    path: Path, katas: Collection[str], layout: str = "auto", out: Path | None = None, *, may_be_empty: bool = False
) -> Intake:
    """Find all submissions.

    Args:
        path: a folder or a zip archive.
        katas: the names of the katas whose files count.
        layout: one of `LAYOUTS`.
        out: the folder for results; it is nobody's work, wherever it lies.
        may_be_empty: a roster says whose work is missing where there is no submission at all.

    Raises:
        Unreadable: it cannot be opened, is not of that layout, or holds no submission.
    """
    tree: Tree = open_tree(path, out)
    try:
        if (inner := download(tree, katas, layout)) is not None:
            tree.close()
            tree = inner
        chosen, found = _find(tree, katas, layout)
        if not found and may_be_empty:
            tree.notes.append(f"{path} holds no submission: everybody on the roster has handed in nothing.")
        elif not found:
            raise Unreadable(
                f"{path} holds no submission in the layout {chosen}; see --layout, or name the right folder."
            )
    except Unreadable as error:
        tree.close()
        raise Unreadable(printable(str(error))) from error
    return Intake(chosen, found, [printable(note) for note in tree.notes], tree)


def _find(tree: Tree, katas: Collection[str], layout: str) -> tuple[str, list[Handed]]:
    root = beginning(tree, katas, layout)
    entries = visible(tree, root, katas)
    tree.notes.extend(passed_over(tree, root, katas))  # nobody may lose a row in silence
    chosen = recognise(tree, root, entries, katas) if layout == "auto" else layout
    found = [_printable(each) for each in _READERS[chosen](tree, root, entries, katas)]
    found.sort(key=lambda handed: handed.learner.place)
    return chosen, _apart(found)


def _printable(handed: Handed) -> Handed:
    """With every text that came from outside made harmless."""
    learner = handed.learner
    texts = {
        name: printable(getattr(learner, name))
        for name in ("key", "name", "email", "user_id", "sis_id", "submission_id", "place")
    }
    notes = tuple(dict.fromkeys(printable(note) for note in learner.notes))
    return dataclasses.replace(
        handed,
        learner=replace(learner, notes=notes, **texts),
        problem=printable(handed.problem),
        fault=printable(handed.fault),
    )


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


# --- the layouts -------------------------------------------------------------------------------------------


def _searched(learner: Learner, katas: Collection[str], look: Callable[[Search], None]) -> Handed:
    search = Search(katas)
    look(search)
    answers = search.answers()
    notes = [*learner.notes, *search.notes]
    if not answers and (why := search.nothing()):
        notes.append(why)
    return Handed(replace(learner, notes=tuple(notes)), answers, empty=search.is_empty, fault=search.fault)


def _folders(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """A folder, a checkout or an archive a learner, named as the learner is."""
    alone = sum(entry.kind == "folder" or entry.name.lower().endswith(".zip") for entry in entries) == 1
    for entry in entries:
        path = join(root, entry.name)
        if entry.kind != "folder":
            yield from _loose(tree, path, entry, katas)
        elif entry.name == "katas" and not alone:
            tree.notes.append(f"{path} is left out: beside learners' folders it is taken for the teacher's template.")
        else:
            yield _in_folders(Learner(entry.name, entry.name, place=path), tree, [path], katas)


def _in_folders(learner: Learner, tree: Tree, paths: list[str], katas: Collection[str]) -> Handed:
    def look(search: Search) -> None:
        for path in paths:
            search.folder(tree, path)

    return _searched(learner, katas, look)


def _loose(tree: Tree, path: str, entry: Entry, katas: Collection[str]) -> Iterator[Handed]:
    """A file beside learners' folders: a learner's, or told of."""
    name = entry.name
    stem = name.rpartition(".")[0]
    other = OTHER_ARCHIVES.match(name)
    if entry.kind == "link":
        yield Handed(Learner(name, name, place=path), problem="It is a link, which is not followed.")
    elif name.lower().endswith(".zip"):
        yield _searched(Learner(stem, stem, place=path), katas, lambda search: search.file(tree, path, entry.kind))
    elif other is not None:
        problem = f"{name} is an archive of a kind that is not read; hand in a folder or a zip archive."
        yield Handed(Learner(other["stem"], other["stem"], place=path), problem=problem)
    elif kata_of(name, katas) is not None:
        tree.notes.append(
            f"{path} is left out: it lies in no learner's folder; if it is somebody's, put it into theirs."
        )
    elif name.lower().endswith(".py"):
        problem = f"{name} lies in no learner's folder; put it into one, named as the kata is."
        yield Handed(Learner(stem, stem, place=path), problem=problem)
    elif not is_paper(name):
        tree.notes.append(f"{path} is left out: it is no folder, zip archive or Python file.")


def _single(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """One learner's work alone."""
    del entries
    yield _in_folders(Learner(tree.name, tree.name, place="."), tree, [root], katas)


def _moodle(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """Moodle's download: a folder `Full Name_<id>_assignsubmission_file_` each, and another one for a text online."""
    together: dict[str, tuple[Learner, list[str]]] = {}
    for entry in sorted(entries, key=lambda each: each.name):
        path = join(root, entry.name)
        match = MOODLE.match(entry.name)
        if entry.kind != "folder":
            yield from _loose(tree, path, entry, katas)
        elif match is None:
            yield _in_folders(Learner(entry.name, entry.name, place=path), tree, [path], katas)
        else:
            learner = Learner(match["user"], match["name"], user_id=match["user"], place=path)
            together.setdefault(match["user"], (learner, []))[1].append(path)
    for learner, paths in together.values():
        yield _in_folders(learner, tree, paths, katas)


def _canvas(tree: Tree, root: str, entries: list[Entry], katas: Collection[str]) -> Iterator[Handed]:
    """Canvas's download: all files of all learners side by side, told apart by their names."""
    together: dict[str, list[tuple[Entry, re.Match[str]]]] = {}
    for entry in entries:
        match = CANVAS.match(entry.name)
        if match is not None:
            together.setdefault(match["user"], []).append((entry, match))
        elif entry.kind != "file" or not is_paper(entry.name):
            place = join(root, entry.name)
            yield Handed(Learner(entry.name, entry.name, place=place), problem="Its name is not one that Canvas gives.")
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
    metadata = read_metadata(tree, join(root, METADATA))
    names = subfolders(entries)
    for entry in entries:
        if entry.kind != "folder" and entry.name != METADATA:
            yield from _loose(tree, join(root, entry.name), entry, katas)
    for name in sorted({*names, *metadata}):
        facts = metadata.get(name, {})
        path = join(root, name)
        for number, person in enumerate(people(facts) or [{}]):
            learner = Learner(
                key=name if number == 0 else f"{name} #{number + 1}",
                name=text(person.get(":name")) or text(person.get(":email")) or name,
                email=text(person.get(":email")),
                user_id=text(person.get(":sid")),
                sis_id=text(person.get(":sid")),
                submission_id=name.rpartition("_")[2],
                late=bool(facts.get(":late")),
                place=path,
            )
            if name in names:
                yield _in_folders(learner, tree, [path], katas)
            else:
                yield Handed(learner, problem="The export tells of this submission and does not hold it.")


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
