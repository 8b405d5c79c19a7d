"""Whose line on the roster is whose work."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import permutations, takewhile

from msgspec.structs import replace

from checker.intake.layouts import Handed
from checker.rows import Learner

ABSENT = "Not on the roster."
UNSURE = "The roster does not say for certain who this is; give it the learner's id, login or e-mail address."
MOST_PERMUTED = 4
"""Words of a name that are put into every order; of longer names only the ends are exchanged."""

Marks = Callable[[Learner], set[str]]


def match(found: list[Handed], roster: list[Learner]) -> list[Handed]:
    """Tell who is who by the roster; add a row for everybody on it who handed in nothing, and note who is not on it.

    A learner is known by id, login or folder name, by e-mail address, and last by name, where that is one
    person's alone; names are compared without case, accents and spaces, first as they stand, then in any order of
    their words.  Whatever is more certain comes first for everybody.
    """
    roster = _each_once(roster)
    lines, hinted = _lines(found, roster)
    result = []
    for number, handed in enumerate(found):
        learner = handed.learner
        if number in lines:
            listed = roster[lines[number]]
            learner = replace(
                learner,
                name=listed.name or learner.name,
                email=learner.email or listed.email,
                user_id=learner.user_id or listed.user_id,
                sis_id=listed.sis_id or learner.sis_id,
                login=listed.login,
                section=listed.section,
            )
        else:
            learner = replace(learner, notes=(*learner.notes, UNSURE if number in hinted else ABSENT))
        result.append(dataclasses.replace(handed, learner=learner))
    keys = {handed.learner.key for handed in result}
    for number in sorted(set(range(len(roster))) - set(lines.values())):
        key = _unused(roster[number].key, keys)
        keys.add(key)
        learner = replace(roster[number], key=key, submission_id="", notes=("Handed in nothing.",))
        result.append(Handed(learner, problem="Nothing was handed in.", empty=True))
    return result


def _each_once(roster: Iterable[Learner]) -> list[Learner]:
    """The roster without second lines of those who are in two groups, and without ids that are several people's."""
    people: dict[object, Learner] = {}
    for number, listed in enumerate(roster):
        known = next((mark for mark in _marks(listed) if mark), "")
        people.setdefault((_plain(listed.name) or listed.name, known.casefold()) if known else number, listed)
    once = list(people.values())
    for name in ("user_id", "sis_id"):
        times = Counter(getattr(listed, name) for listed in once)
        once = [listed if times[getattr(listed, name)] == 1 else _without(listed, name) for listed in once]
    return once


def _marks(listed: Learner) -> list[str]:
    """By what somebody on the roster is known, the surest first, and the name last of all."""
    folder = listed.submission_id
    return [listed.user_id, listed.sis_id, listed.login, folder, listed.email]


def _without(listed: Learner, name: str) -> Learner:
    """Without an id, and called by the next one."""
    if not getattr(listed, name):
        return listed
    listed = replace(listed, **{name: ""})
    return replace(listed, key=next((mark for mark in _marks(listed) if mark), listed.name or listed.key))


def _lines(found: list[Handed], roster: list[Learner]) -> tuple[dict[int, int], set[int]]:
    """The roster's line for each number in `found`, and those that some lines might be meant for."""
    lines: dict[int, int] = {}
    hinted: set[int] = set()
    kinds = ((_kinds_of_ids, True), (_ids, True), (_emails, True), (_name, False), (_words, False))
    for marks, is_certain in (*kinds, (_rests(found), False)):
        known = _known(roster, marks)
        hits = {
            number: set().union(*(known.get(mark, ()) for mark in marks(handed.learner)))
            for number, handed in enumerate(found)
            if number not in lines
        }
        hinted.update(number for number, those in hits.items() if those)
        claims = {number: those.pop() for number, those in hits.items() if len(those) == 1}
        if not is_certain:
            rivals = Counter([*claims.values(), *lines.values()])
            claims = {number: line for number, line in claims.items() if rivals[line] == 1}
        lines |= claims
    return lines, hinted


def _known(roster: list[Learner], marks: Marks) -> Mapping[str, set[int]]:
    known: dict[str, set[int]] = {}
    for number, listed in enumerate(roster):
        for mark in marks(listed):
            known.setdefault(mark, set()).add(number)
    return known


# --- by what somebody is known ---------------------------------------------------------------------------------


def _kinds_of_ids(learner: Learner) -> set[str]:
    """Ids with what they are: the platform's number for somebody may be the school's number for somebody else."""
    ids = {"platform": learner.user_id, "school": learner.sis_id}
    return _filled(f"{kind} {number}" for kind, number in ids.items() if number)


def _ids(learner: Learner) -> set[str]:
    folder = "" if learner.place else learner.submission_id  # of somebody on the roster
    return _filled([learner.user_id, learner.sis_id, learner.key, learner.login, folder])


def _emails(learner: Learner) -> set[str]:
    """Folders may be named by them."""
    return {mark for mark in _filled([learner.email, learner.key]) if "@" in mark}


def _name(learner: Learner) -> set[str]:
    return _filled([_plain(learner.name)])


def _words(learner: Learner) -> set[str]:
    """The name in other orders of its words: platforms write `Jane Doe`, `Doe, Jane` and `doejane`."""
    words = [plain for word in re.split(r"[\W_]+", learner.name) if (plain := _plain(word))]
    if len(words) <= MOST_PERMUTED:
        return _filled("".join(order) for order in permutations(words))
    return {"".join(words), "".join(words[-1:] + words[:-1]), "".join(words[1:] + words[:1])}


def _rests(found: list[Handed]) -> Marks:
    """What follows that which all folders' names begin with: GitHub Classroom names them `week3-login`."""
    parts = [handed.learner.key.split("-") for handed in found if handed.learner.place]
    shared = len(list(takewhile(lambda several: len(set(several)) == 1, zip(*parts, strict=False))))

    def rests(learner: Learner) -> set[str]:
        if not learner.place:
            return _filled([learner.submission_id, learner.login, learner.user_id, learner.sis_id])
        return _filled(["-".join(learner.key.split("-")[shared:])]) if shared and len(parts) > 1 else set()

    return rests


def _filled(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts if text}


def _plain(name: str) -> str:
    """A name's letters and digits, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if char.isalnum())


def _unused(key: str, keys: set[str]) -> str:
    """A key that nobody has yet."""
    if key not in keys:
        return key
    number = 1
    while (candidate := f"{key} (roster)" + (f" #{number}" if number > 1 else "")) in keys:
        number += 1
    return candidate
