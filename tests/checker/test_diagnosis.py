"""Known mistakes are recognised by which tests fail, and with which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.diagnosis import Fingerprint, load, read_mistake, recognise, record, save, words

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


def test_numbers_names_and_lists_are_no_words():
    """What changes from run to run is left out of a message."""
    assert words("expected [1, 2], saw [2.5] after 3 s of 'x91f'") == words("expected [], saw [7] after 11 s of 'b'")
    assert words("Can't pickle 'a.<listcomp>.<lambda>'") == words("Can't pickle 'a.<lambda>'") != words("Can't pickle")
    assert words("Deadlock (main in line 3; Task-5 in line 22).") == words("Deadlock (Task-5 in line 9).")
    assert words("raised KeyError") != words("raised ValueError")
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
