"""Recognises known mistakes: by which tests fail, and with which words.

`kata verify --record` grades every known mistake with several seeds and keeps what it looks like, its
fingerprint; numbers are left out, since they are drawn anew for each run.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from checker.course import CourseBroken, Kata, parse, read
from checker.suite.grader import UNWRITTEN

if TYPE_CHECKING:
    from checker.suite.grader import Result

NEAR = 0.6
"""How many of all their failed tests an answer and a known mistake must share to look alike."""
EXPLAINED = 0.5
"""How many of the failed tests a mistake must explain at least, however well its own fit."""
_UNWRITTEN = (UNWRITTEN, "Your file defines no ")
"""How the messages begin that tell of nothing but what is not there yet."""
_PRIMITIVES = ("Semaphore", "Lock", "Condition", "Event", "Queue")
"""What a learner cannot have misused who never makes one."""

_ITEM = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_NUMBERS = re.compile(rf"\[{_ITEM}(?:, {_ITEM})*\]\.?")
_EMPTY = re.compile(r"""saw (?:\[\]|\(\)|\{\}|set\(\)|''|"")(?=[,.]|$)""")
_COMPARED = re.compile(r"expected (.+?), saw (.+)", re.DOTALL)
_NUMBER = re.compile(r"(?:[a-z ]+ )?(-?\d+(?:\.\d+)?)\.?")
_CALLBACK = re.compile(r"(in callback [\w.<>]+)\(.*\)(?=(?: at \S+)?: )")
_AWAITED = re.compile(r"coroutine '(?:(sleep|[A-Z]\w*\.\w+)|[^']*)' was never awaited", re.IGNORECASE)
"""A method or `sleep` was meant to be awaited there; a function of the learner's own may have any name."""
_QUOTED = re.compile(r"""(?<![A-Za-z])b?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
"""A string or bytes as Python shows them; the apostrophe of "can't" begins none."""
_DRAWN_ERROR = re.compile(r"\b[A-Z]\w*(?:Error|Exception)(?=\(#\)|: #(?: \(line #\)\.?)?\Z)")
"""An error that says nothing but a drawn value; then its class is one that the suite has drawn, too."""
_WANTED_ERROR = re.compile(r"(?<=should have raised )\w[\w.]*")


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer, as its docstring tells of it."""

    name: str
    diagnosis: str
    hint: str
    violates: tuple[str, ...]


@dataclass(frozen=True)
class Fingerprint:
    """What a mistake looks like: tests that always fail with it, and the words; tests that sometimes do."""

    always: dict[str, list[str]]
    sometimes: list[str]


def read_mistake(path: Path) -> Mistake:
    """Read a mistake's docstring: a diagnosis, a line `Hint: …`, a line `Violates: …`.

    Raises:
        CourseBroken: the docstring is not of that form, or the file no Python.
    """
    doc = ast.get_docstring(parse(path)) or ""
    found = re.fullmatch(r"(?P<diagnosis>.+?)\n\nHint: (?P<hint>.+?)\n\nViolates: (?P<violates>.+)", doc, re.DOTALL)
    if found is None:
        raise CourseBroken(f"{path}: its docstring should be a diagnosis, `Hint: …` and `Violates: …`.")
    return Mistake(
        path.stem,
        _one_line(found["diagnosis"]),
        _one_line(found["hint"]),
        tuple(word.strip() for word in found["violates"].split(",")),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def words(message: str) -> str:
    """A message without what changes from run to run: who waits where, lists, tokens, addresses, numbers.

    Of two numbers that were compared it stays which was the larger; of other things, that they were compared.
    What was not there at all, such as a call, an item or a value, remains another word than what was not right.
    """
    message = _EMPTY.sub("saw nothing", message).replace(" 0 times", " no times")
    message = _COMPARED.sub(_more_or_less, message)
    # What Pythons say differently: the arguments of a callback, and what cannot be done with a local object.
    message = _CALLBACK.sub(r"\1()", message)
    message = message.replace("Can't get local object", "Can't pickle local object")
    message = _AWAITED.sub(lambda found: f"Coroutine {found[1] or '#'} was never awaited", message)
    message = re.sub(r"\([^()]* in line [^()]*\)", "#", message)
    message = re.sub(r"\[[^\]]*\]", "#", message)
    message = _QUOTED.sub("#", message)
    message = re.sub(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8}\b|\d[\d.]*", "#", message)
    return _WANTED_ERROR.sub("#", _DRAWN_ERROR.sub("Error", message))


def _more_or_less(compared: re.Match[str]) -> str:
    lists = [_NUMBERS.fullmatch(text.strip()) for text in compared.groups()]
    if all(lists):
        return f"expected #, saw {_which(*(text[0] for text in lists if text))}"
    numbers = [_NUMBER.fullmatch(text.strip()) for text in compared.groups()]
    known = re.match(r"(?:more|less|longer|shorter|nothing|None)\b", compared[2])
    if all(numbers):
        expected, saw = (float(number[1]) for number in numbers if number)
        if saw == 0 < expected:
            return "expected #, saw nothing"
        return f"expected #, saw {'more' if saw > expected else 'less'}"
    return f"expected #, saw {known[0] if known else '#'}"


def _which(expected: str, saw: str) -> str:
    """Of two lists of numbers as they are shown: which is longer, or else has more throughout, such as later times."""
    one, other = ([float(number) for number in re.findall(_ITEM, text)] for text in (expected, saw))
    if len(one) != len(other):
        return "longer" if len(other) > len(one) else "shorter"
    if all(map(operator.ge, other, one)):
        return "more"
    return "less" if all(map(operator.le, other, one)) else "#"


def failures(results: Iterable[Result]) -> dict[str, str]:
    """The failed tests with their words."""
    return {result.name: words(result.message) for result in results if result.verdict == "failed"}


def record(gradings: list[dict[str, str]]) -> Fingerprint:
    """The fingerprint that several gradings of one mistake have in common."""
    every = set.intersection(*(set(each) for each in gradings))
    some = set.union(*(set(each) for each in gradings)) - every
    always = {name: sorted({each[name] for each in gradings}) for name in sorted(every)}
    return Fingerprint(always, sorted(some))


def save(path: Path, fingerprints: dict[str, Fingerprint]) -> None:
    """Write the fingerprints of a kata's mistakes."""
    data = {name: {"always": each.always, "sometimes": each.sometimes} for name, each in sorted(fingerprints.items())}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Fingerprint]:
    """Read the fingerprints of a kata's mistakes; none where there is no such file.

    Raises:
        CourseBroken: it is not what `save` writes.
    """
    try:
        data = msgspec.convert(json.loads(read(path)), dict[str, Fingerprint])
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, msgspec.ValidationError) as error:
        raise CourseBroken(
            f"{path} holds no fingerprints: {error}. `kata verify {path.parent.name} --record` writes them anew."
        ) from error
    return {
        name: Fingerprint(
            {test: sorted({words(text) for text in texts}) for test, texts in each.always.items()}, each.sometimes
        )
        for name, each in data.items()
    }


def diagnose(kata: Kata, results: list[Result], source: bytes) -> Mistake | None:
    """The known mistake that these results look like, if they look like one; the source decides among twins."""
    failed = failures(results)
    if all(text.startswith(_UNWRITTEN) for text in failed.values()):
        return None
    known, files = load(kata.fingerprints), {path.stem: path for path in kata.mistakes}
    names = recognise(failed, {name: known[name] for name in known if name in files})
    possible = [files[name] for name in names if _is_possible(source, files[name])]
    if not possible:
        return None
    # Some mistakes behave alike, such as a semaphore for each job and one that is given back too soon.
    return read_mistake(max(possible, key=lambda path: _likeness(source, path.read_bytes()) if possible[1:] else 0.0))


def _is_possible(source: bytes, mistake: Path) -> bool:
    """Whether a learner can have made a mistake in this source, which may behave like it and be something else.

    Nobody uses a semaphore in the wrong place who makes none, or forgets to run a coroutine function that is a plain
    one.  Nothing of the source is parsed or run.
    """
    other = mistake.read_bytes()
    kinds, others = _kinds(source), _kinds(other)
    if any(kinds[name] != others[name] for name in kinds.keys() & others.keys()):
        return False
    said = read_mistake(mistake).diagnosis.lower()
    told_of = [name for name in _PRIMITIVES if re.search(rf"\b{name.lower()}\b", said) and f"{name}(".encode() in other]
    return all(_uses(source, name.encode()) for name in told_of)


def _uses(source: bytes, name: bytes) -> bool:
    """Whether a source makes a `Lock`, say, or has one in hand: calls its methods, or enters it."""
    return re.search(rb"%b(?:\(|\.\w)|with [\w.]*%b" % (name, name), source, re.IGNORECASE) is not None


def _kinds(source: bytes) -> dict[bytes, bytes]:
    """The functions at the top of a source, each with `async ` or nothing before its `def`."""
    return {name: kind for kind, name in re.findall(rb"^(async )?def (\w+)", source, re.MULTILINE)}


def _opposite(one: str, other: str) -> bool:
    """Whether these words are the same but for more where the other says less."""
    return one.replace("saw more", "saw less") == other.replace("saw more", "saw less")


def _likeness(one: bytes, other: bytes) -> float:
    """How alike two sources look, from 0 to 1, as words; nothing of them is parsed or run."""
    import difflib

    split: list[list[str]] = [
        re.findall(r"\w+|[^\w\s]", text.decode("utf-8", "replace"))[:4000] for text in (one, other)
    ]
    return difflib.SequenceMatcher(None, split[0], split[1], autojunk=False).ratio()


def recognise(failed: dict[str, str], fingerprints: dict[str, Fingerprint]) -> list[str]:
    """The mistakes whose fingerprints fit best.

    A mistake may be meant if it explains exactly the failed tests; or half of them at least, and every word fits; or
    shares most of its failed tests.  Half of the words at least must fit in any case: a learner who has made another
    mistake is told nothing rather than that.  So it is where one has seen more than expected and the other less.
    Tests of what is not written yet count neither way.

    Of several, those fit best that have the most fitting words, less what speaks against them: other words, tests
    that ought to fail as well, and failures that they do not explain.
    """
    unwritten = {name for name, text in failed.items() if text.startswith(_UNWRITTEN)}
    seen = set(failed) - unwritten

    def rank(each: Fingerprint) -> float | None:
        always, unexplained = set(each.always) - unwritten, seen - set(each.always) - set(each.sometimes)
        both = always & seen
        fits = sum(failed[name] in each.always[name] for name in both)
        exact = both == always and not unexplained
        near = len(both) >= NEAR * len(always | unexplained)
        whole = fits == len(always) and fits >= EXPLAINED * len(seen)
        if not always or 2 * fits < len(both) or not (exact or near or whole):
            return None
        others = {name for name in both if failed[name] not in each.always[name]}
        if any(_opposite(failed[name], text) for name in others for text in each.always[name]):
            return None
        against = len(both) - fits + len(always - both) + len(unexplained)
        # In proportion: which of the tests fail only sometimes is known from few gradings.
        return (fits - against) / len(always)

    ranked = [(found, name) for name, each in fingerprints.items() if (found := rank(each)) is not None]
    best = max(ranked, default=(0.0, ""))[0]
    return [name for found, name in ranked if found == best]
