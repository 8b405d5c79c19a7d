"""The course: which katas there are, and where their files lie."""

from __future__ import annotations

import ast
import difflib
import re
import sysconfig
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from checker.messages import Signature

_NAME = re.compile(r"(\d\d)_([a-z_]+)\Z")


class UnknownKata(LookupError):
    """No kata goes by that name; the message names the nearest ones."""


class CourseBroken(ValueError):
    """A file of the course is not as it should be: one sentence for its author, with the file's path."""


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The front matter of a brief; `Kata` tells what these mean."""

    title: str
    topic: str = ""
    minutes: float = 0
    preload: list[str] = []
    importable: bool = False
    network: bool = False
    draft: bool = False


@dataclass(frozen=True)
class Kata:
    """One kata; `name` as in `07_semaphore`, `root` the folder that holds the course."""

    name: str
    root: Path

    @property
    def number(self) -> str:
        """Its two digits."""
        return self.name[:2]

    @property
    def stub(self) -> Path:
        """What a learner starts from."""
        return self.root / "katas" / f"{self.name}.py"

    @property
    def brief(self) -> Path:
        """The text that goes with it."""
        return self.root / "katas" / f"{self.name}.md"

    @property
    def solution(self) -> Path:
        """The reference solution."""
        return self.root / "solutions" / f"{self.name}.py"

    @property
    def suite(self) -> Path:
        """The hidden suite."""
        return self.root / "tests" / "katas" / f"test_{self.name}.py"

    @property
    def alternatives(self) -> list[Path]:
        """Other right answers."""
        return sorted((self.root / "solutions" / "alternatives" / self.name).glob("*.py"))

    @property
    def mistakes(self) -> list[Path]:
        """Known wrong answers."""
        return sorted((self.root / "solutions" / "mistakes" / self.name).glob("*.py"))

    @property
    def fingerprints(self) -> Path:
        """What each known mistake looks like to the suite; written by `kata verify --record`."""
        return self.root / "solutions" / "mistakes" / self.name / "fingerprints.json"

    @cached_property
    def _parts(self) -> tuple[str, str]:
        """The brief's front matter, and all that follows it."""
        parts = read(self.brief).split("+++", 2)
        if len(parts) < 3:
            raise CourseBroken(
                f'{self.brief} has no front matter; it begins with lines such as `title = "…"` between two lines `+++`.'
            )
        return parts[1], parts[2]

    @cached_property
    def facts(self) -> Facts:
        """The brief's front matter.

        Raises:
            CourseBroken: there is none, or it says something that is not understood.
        """
        import tomllib

        try:
            return msgspec.convert(tomllib.loads(self._parts[0]), Facts)
        except tomllib.TOMLDecodeError as error:
            raise CourseBroken(f"The front matter of {self.brief} is no TOML: {error}.") from error
        except msgspec.ValidationError as error:
            raise CourseBroken(f"The front matter of {self.brief}: {error}. See docs/authoring.md.") from error

    @property
    def title(self) -> str:
        """A few words on what it is about."""
        return self.facts.title

    @property
    def preload(self) -> list[str]:
        """Modules that the runner loads before it forks."""
        return self.facts.preload

    @property
    def draft(self) -> bool:
        """Whether its proof is not complete: a draft is not part of the course yet."""
        return self.facts.draft

    @property
    def importable(self) -> bool:
        """Whether child processes of the submission must be able to import it by name."""
        return self.facts.importable

    @property
    def network(self) -> bool:
        """Whether it is about sockets; all other katas get none but unix ones, where the sandbox can tell."""
        return self.facts.network

    @cached_property
    def text(self) -> str:
        """The brief without front matter and hints."""
        return self._parts[1].partition("\n## Hint 1")[0].strip() + "\n"

    def hint(self, level: int) -> str:
        """The hint of a level from 1 to 3.

        Raises:
            CourseBroken: the brief has none.
        """
        found = re.search(rf"^## Hint {level}\n(.*?)(?=^## |\Z)", self._parts[1], re.MULTILINE | re.DOTALL)
        if found is None:
            raise CourseBroken(f"{self.brief} has no hint {level}; hints stand under `## Hint 1` to `## Hint 3`.")
        return found.group(1).strip()

    @cached_property
    def signatures(self) -> list[Signature]:
        """The names that it asks for, as the reference solution defines them.

        Not as the stub does: in a checkout that is the file in which learners write.
        """
        return signatures(parse(self.solution))


@dataclass(frozen=True)
class Course:
    """All katas under one root."""

    root: Path

    @cached_property
    def katas(self) -> list[Kata]:
        """Every kata of the course, in order, drafts left out."""
        return [kata for kata in self._written if not kata.draft]

    @cached_property
    def _written(self) -> list[Kata]:
        """Every kata that has a suite and a brief; a draft can be meant by name."""
        names = (path.stem.removeprefix("test_") for path in (self.root / "tests" / "katas").glob("test_*.py"))
        katas = [Kata(name, self.root) for name in sorted(names) if _NAME.match(name)]
        return [kata for kata in katas if kata.brief.exists()]

    def find(self, word: str) -> Kata:
        """The kata that a learner means by `07_semaphore`, `07`, `7`, `semaphore`, or a file of that name.

        Raises:
            UnknownKata: there is none.
        """
        wanted = word.removesuffix(".py").rpartition("/")[2].lower().replace("-", "_")
        for kata in self._written:
            if wanted in (kata.name, kata.number, kata.number.lstrip("0"), kata.name[3:]):
                return kata
        near = nearest(wanted, [name for kata in self.katas for name in (kata.name, kata.name[3:])])
        names = list(dict.fromkeys(self.find(name).name for name in near))
        guess = f" Did you mean {' or '.join(names)}?" if names else ""
        raise UnknownKata(f"There is no kata {word!r}.{guess} `kata list` shows all of them.")

    def select(self, words: Iterable[str]) -> list[Kata]:
        """The katas that are meant, each once, in order of the course; all of them for no word.

        Raises:
            UnknownKata: a word means none.
        """
        chosen = {self.find(word).name for word in words}
        return [kata for kata in self._written if kata.name in chosen] if chosen else self.katas

    def lies_in(self, folder: Path) -> bool:
        """Whether a folder itself holds somebody's file for any kata."""
        return any((folder / f"{kata.name}.py").exists() for kata in self._written)


def read(path: Path) -> str:
    """The text of a file of the course.

    Raises:
        CourseBroken: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CourseBroken(f"{path} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8.") from error


def parse(path: Path) -> ast.Module:
    """The tree of a Python file of the course.

    Raises:
        CourseBroken: it is no Python.
    """
    text = read(path)
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise CourseBroken(f"{path} is no Python: {error.msg} (line {error.lineno}).") from error
    except ValueError as error:  # NUL bytes
        raise CourseBroken(f"{path} is no Python: {error}.") from error


def is_stub(data: bytes) -> bool:
    """Whether every function in a file still does nothing but raise NotImplementedError."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return bool(functions) and all(_is_to_do(function) for function in functions)


def _is_to_do(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    first = function.body[1:2] if ast.get_docstring(function) is not None else function.body[:1]
    return [ast.unparse(statement) for statement in first] == ["raise NotImplementedError"]


def nearest(word: str, names: Sequence[str]) -> list[str]:
    """Up to three names that look like the word."""
    return difflib.get_close_matches(word, names, n=3, cutoff=0.5)


def installed_course() -> Course:
    """The course that came with this package: beside it in a checkout, else in the installation's data folder.

    Raises:
        FileNotFoundError: there is none in either place.
    """
    checkout = Path(__file__).resolve().parents[1]
    shared = Path("share") / "asyncio-katas"
    places = [
        checkout,
        Path(sysconfig.get_path("data")) / shared,
        Path(sysconfig.get_path("data", "posix_user")) / shared,
    ]
    for place in places:
        if (place / "katas").is_dir() and (place / "tests" / "katas").is_dir():
            return Course(place)
    raise FileNotFoundError(
        "The course's files are missing from this installation; install it again: pip install asyncio-katas."
    )


def signatures(tree: ast.Module) -> list[Signature]:
    """The public functions and classes of a module."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            kind, parameters = "class", []
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters = _parameters(node.args)
            kind = _kind(node)
        else:
            continue
        if not node.name.startswith("_"):
            found.append(Signature(node.name, kind, parameters))
    return found


def _kind(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if isinstance(node, ast.FunctionDef):
        return "plain"
    yields = any(isinstance(inner, ast.Yield) for inner in ast.walk(node))
    return "generator" if yields else "async"


def _parameters(args: ast.arguments) -> list[str]:
    names = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    if args.vararg is not None:
        names.append(f"*{args.vararg.arg}")
    elif args.kwonlyargs:
        names.append("*")
    return names + [arg.arg for arg in args.kwonlyargs]
