"""Known mistakes are recognised by which tests fail, and with which words."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.diagnosis import Fingerprint, _is_possible, load, read_mistake, recognise, record, save, words

ROOT = Path(__file__).resolve().parents[2]

ONE = Fingerprint({"test_a": ["late"], "test_b": ["wrong"]}, ["test_c"])
OTHER = Fingerprint({"test_a": ["early"], "test_b": ["wrong"]}, [])
SMALL = Fingerprint({"test_a": ["late"]}, [])
ALL = {"one": ONE, "other": OTHER, "small": SMALL}


@pytest.mark.parametrize(
    ("failed", "names"),
    [
        ({"test_a": "late", "test_b": "wrong"}, ["one"]),
        ({"test_a": "early", "test_b": "wrong"}, ["other"]),
        ({"test_a": "late", "test_b": "wrong", "test_c": "x"}, ["one"]),
        ({"test_a": "late"}, ["small"]),
        ({"test_a": "late", "test_z": "x"}, ["small"]),
        ({"test_z": "x"}, []),
        ({}, []),
    ],
)
def test_the_best_fitting_mistake_is_named(failed, names):
    """All of the failures explained goes before some of them, and fitting words before fitting tests."""
    assert recognise(failed, ALL) == names


def test_a_mistake_that_leaves_most_failures_unexplained_is_not_named():
    """One test that fits is no reason to accuse somebody where everything fails."""
    assert recognise({"test_a": "late", "y": "x", "z": "x"}, {"small": SMALL}) == []


@pytest.mark.parametrize("text", ["Not written yet: it raises NotImplementedError.", "Your file defines no class `A`."])
def test_what_is_not_written_yet_speaks_neither_for_nor_against_a_mistake(text):
    """The rest of a stub fails too, and tests of a mistake may be among what does."""
    unwritten = dict.fromkeys(("x", "y", "z"), text)
    assert recognise({"test_a": "late", **unwritten}, {"small": SMALL}) == ["small"]
    assert recognise({"test_a": "late", "test_b": text, **unwritten}, {"one": ONE}) == ["one"]
    assert recognise(unwritten | {"test_b": text, "test_a": text}, {"one": ONE}) == []


@pytest.mark.parametrize(
    ("nothing", "something"),
    [
        ("`f` started at: expected [0, 1], saw [].", "`f` started at: expected [0, 1], saw [0, 2]."),
        ("Returned: expected ['a'], saw None.", "Returned: expected ['a'], saw ['b']."),
        ("Returned: expected 'a', saw ''.", "Returned: expected 'a', saw 'b'."),
        ("Most at once: expected 4, saw 0.", "Most at once: expected 4, saw 1."),
        ("`f(1)` was called 0 times, expected once.", "`f(1)` was called 2 times, expected once."),
    ],
)
def test_nothing_at_all_is_another_word_than_something_wrong(nothing, something):
    """Whoever calls nothing has not made the mistake of calling it too late."""
    assert words(nothing) != words(something)


def test_lists_of_numbers_are_longer_shorter_or_more_or_less_throughout():
    """Starts that come too late are another mistake than those that come too early, or that are too few."""
    said = [
        words(f"starts: expected [0, 1.5, 2], saw {saw}.") for saw in ("[0, 7, 8]", "[0, 0, 1]", "[0]", "[1, 0, 3]")
    ]
    assert said == [f"starts: expected #, saw {word}" for word in ("more", "less", "shorter", "#")]
    assert words("starts: expected [0], saw [0, 1].").endswith("longer")
    assert words("expected [1e999, 1..2], saw [1e999, --].") == "expected #, saw #"


MISTAKE = '''"""{diagnosis}

Hint: Look again.

Violates: timing
"""
import asyncio
{code}
'''


@pytest.mark.parametrize(
    ("diagnosis", "code", "source", "possible"),
    [
        ("A semaphore for each.", "asyncio.Semaphore(1)", b"import asyncio", False),
        ("A semaphore for each.", "asyncio.Semaphore(1)", b'"""A semaphore: none."""', False),
        ("A semaphore for each.", "asyncio.Semaphore(1)", b"from asyncio import BoundedSemaphore(3)", True),
        ("It lets the lock go.", "asyncio.Lock()", b"async with lock:", True),
        ("It lets the lock go.", "asyncio.Lock()", b"await self._lock.acquire()", True),
        ("It writes without a lock.", "", b"", True),
        ("It is not run.", "def visit(): pass", b"def visit(): pass", True),
        ("It is not run.", "def visit(): pass", b"x = 1\nasync def visit(): pass", False),
    ],
)
def test_nobody_is_told_of_what_does_not_stand_in_the_source(tmp_path, diagnosis, code, source, possible):
    """A semaphore that is never made, or a plain function where there is a coroutine function."""
    (tmp_path / "mistake.py").write_text(MISTAKE.format(diagnosis=diagnosis, code=code))
    assert _is_possible(source, tmp_path / "mistake.py") == possible


def emptied(name):
    return (ROOT / "katas" / f"{name}.py").read_text().replace("raise NotImplementedError", "pass")


def limited(*lines):
    return "import asyncio\nasync def run_limited(jobs, limit):\n" + "".join(f"    {line}\n" for line in lines)


BEGINNERS = {
    "04_nesting, emptied": emptied("04_nesting"),
    "09_event, emptied": emptied("09_event"),
    "01_event_loop, async by mistake": "async def visit_now(url, delay):\n    return url\n",
    "07_semaphore, no limit": limited("return await asyncio.gather(*[j() for j in jobs], return_exceptions=True)"),
    "07_semaphore, never called": limited(
        "sem = asyncio.Semaphore(limit)",
        "async def one(j):",
        "    async with sem:",
        "        return await j",
        "return await asyncio.gather(*[one(j) for j in jobs], return_exceptions=True)",
    ),
}


@pytest.mark.parametrize(("case", "source"), BEGINNERS.items(), ids=BEGINNERS.keys())
def test_a_beginners_answer_is_not_accused_of_another_mistake(kata, tmp_path, case, source):
    """Where no known mistake explains what failed, nothing is said."""
    (tmp_path / "answer.py").write_text(source)
    done = kata("check", case.partition(",")[0], "--path", "answer.py", "--seed", "7", "--json")
    assert json.loads(done.stdout)["katas"][0]["diagnosis"] is None


def test_numbers_names_and_lists_are_no_words():
    """What changes from run to run is left out of a message."""
    assert words("expected [1, 2], saw [2.5] after 3 s of 'x91f'") == words("expected [], saw [7] after 11 s of 'b'")
    assert words("Can't pickle 'a.<listcomp>.<lambda>'") == words("Can't pickle 'a.<lambda>'") != words("Can't pickle")
    assert words("Deadlock (main in line 3; Task-5 in line 22).") == words("Deadlock (Task-5 in line 9).")
    assert words("raised KeyError") != words("raised ValueError")
    assert words("It raised KeyError: 17 (line 3).") == words("It raised OSError: 8 (line 9).") != words("It raised 8.")
    assert words("It raised KeyError: 17.") == words("It raised OSError: 8.") != words("It raised OSError: 8 left.")
    assert words("It should have raised KeyError; it returned 1.") == words(
        "It should have raised OSError; it returned 2."
    )
    forgotten = "Coroutine '{}' was never awaited (line 4).".format
    assert words(forgotten("Queue.put")) != words(forgotten("sleep")) != words(forgotten("main"))
    assert words(forgotten("main")) == words(forgotten("pump.<locals>.worker"))
    assert words("In its place stands KeyError(17), expected 3.") == words(
        "In its place stands OSError(8), expected 5."
    )
    told = "Exception in callback visit.<locals>.on_end({}) at 03.py:17: TypeError: visit.<locals>.on_end() takes 0"
    assert (
        words(told.format("<Task finishe...lt='x'>")) == words(told.format("")) != words("Exception in callback f(): ")
    )
    more, less = words("taken: expected 4.0, saw 4.25."), words("taken: expected at most 9, saw 2.")
    assert more != less == words("taken: expected at most 3, saw 1.")


def test_most_of_many_failures_explained_goes_before_one_of_them():
    """A test of five that has failed in other words than usual does not give the place to one that explains a test."""
    big = Fingerprint({name: ["mixed up"] for name in "abcde"}, [])
    small = Fingerprint({"a": ["mixed up"]}, [])
    assert recognise({**dict.fromkeys("abcd", "mixed up"), "e": "late"}, {"big": big, "small": small}) == ["big"]
    assert recognise(dict.fromkeys("abcd", "mixed up"), {"big": big, "small": small}) == ["big"]
    assert recognise({"a": "mixed up", "z": "late"}, {"big": big, "small": small}) == ["small"]


def test_who_sees_less_has_not_made_the_mistake_that_shows_more():
    """However well all else fits; but where a mistake shows now more and now less, either is it."""
    more, less = words("At once: expected 5, saw 9."), words("At once: expected 5, saw 1.")
    failed = {"a": "spoilt", "b": "spoilt", "c": less}
    assert recognise(failed, {"more": Fingerprint({"a": ["spoilt"], "b": ["spoilt"], "c": [more]}, [])}) == []
    assert recognise(failed, {"both": Fingerprint({"a": ["spoilt"], "b": ["spoilt"], "c": [less, more]}, [])}) == [
        "both"
    ]


def test_words_count_for_more_than_a_test_that_fails_by_chance():
    """A mistake whose words all fit goes before one that explains one test more, in other words."""
    right = Fingerprint({name: ["false"] for name in "abcde"}, [])
    other = Fingerprint({**{name: ["true"] for name in "abc"}, **{name: ["false"] for name in "def"}}, [])
    assert recognise(dict.fromkeys("abcdef", "false"), {"right": right, "other": other}) == ["right"]


@given(st.text())
def test_words_are_words_of_words(message):
    """Leaving out what changes twice changes nothing more than once, in what is compared."""
    assert words(words(words(message))) == words(words(message))


RACING = Fingerprint({name: ["mixed up"] for name in "abcd"}, ["s", "t"])


@pytest.mark.parametrize(
    ("failed", "named"),
    [
        (dict.fromkeys("abst", "mixed up"), False),  # half of those that always fail are too few
        (dict.fromkeys("abcst", "mixed up"), True),  # those that fail only sometimes are no reason against it
        (
            {**dict.fromkeys("abcd", "something else"), "a": "mixed up"},
            False,
        ),  # nor are tests without their words one for it
    ],
)
def test_nothing_is_said_of_what_only_looks_a_little_like_a_mistake(failed, named):
    """Most of the tests, and half of the words: a learner who has made another mistake is told nothing."""
    assert recognise(failed, {"racing": RACING}) == ["racing"] * named


def test_a_fingerprint_is_what_several_gradings_have_in_common(tmp_path):
    """Tests that always fail with all their words; the rest fails sometimes. It is kept and read as it was."""
    found = record([{"a": "late", "b": "x"}, {"a": "early"}, {"a": "late", "c": "y"}])
    assert found == Fingerprint({"a": ["early", "late"]}, ["b", "c"])
    save(tmp_path / "fingerprints.json", {"mistake": found})
    assert load(tmp_path / "fingerprints.json") == {"mistake": found}
    assert load(tmp_path / "none.json") == {}


def test_a_mistake_is_read_from_its_docstring(tmp_path):
    """Diagnosis, hint and properties; a docstring of another form is told."""
    path = tmp_path / "too_late.py"
    path.write_text('"""It is too\nlate.\n\nHint: Begin earlier.\n\nViolates: timing, ordering\n"""\n')
    mistake = read_mistake(path)
    assert (mistake.name, mistake.diagnosis, mistake.hint) == ("too_late", "It is too late.", "Begin earlier.")
    assert mistake.violates == ("timing", "ordering")
    path.write_text('"""Nothing more."""\n')
    with pytest.raises(ValueError, match="should be a diagnosis"):
        read_mistake(path)
