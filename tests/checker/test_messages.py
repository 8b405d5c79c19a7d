"""The schema of what crosses the wall: what is legal arrives as it was, anything else is malformed."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker import messages
from checker.runner import encode
from checker.values import MAX_DEPTH, Alien, Error, ListValue, Malformed, plain, wire

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PLAIN = st.recursive(
    SCALARS | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.sets(st.integers() | st.text(), max_size=4)
    ),
    max_leaves=20,
)


def travel(value):
    """A value as it arrives in the grader."""
    encode.learn_classes()
    body = messages.encode_body(messages.Returned(encode.encode(value)))
    return plain(messages.decode_untrusted(body).value)


def same(one, other):
    """Equal, and of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@given(PLAIN)
def test_plain_data_arrives_as_it_was(value):
    """Lists are lists, tuples tuples, ints ints and bools bools, on both sides of the wall."""
    assert same(travel(value), value)


@given(PLAIN)
def test_what_the_world_gives_out_is_the_same_data(value):
    """The grader's own encoding stands for the same data as the runner's."""
    assert same(plain(wire(value)), value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(body):
    """Hostile bytes either decode to exactly one message or are refused in words; nothing else comes out."""
    try:
        message = messages.decode_untrusted(body)
    except Malformed as problem:
        assert str(problem)
    else:
        assert isinstance(message, messages.FromRunner)


JUNK = st.recursive(
    SCALARS | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
TAGS = ["start", "cancelled", "wait", "blocked", "note", "returned", "raised", "refused", "stopped", "told"]


@given(st.sampled_from(TAGS), st.lists(JUNK, max_size=6))
def test_well_tagged_junk_is_a_message_or_malformed(tag, fields):
    """A right tag does not make junk a message: fields of the wrong types are refused."""
    try:
        body = msgspec.msgpack.encode([tag, *fields])
    except OverflowError:
        return
    try:
        message = messages.decode_untrusted(body)
    except Malformed:
        return
    assert messages.decode_untrusted(messages.encode_body(message)) is not None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_times_are_finite(number):
    """A time that is no finite number is no time."""
    for message in (messages.Wait(number), messages.Blocked(number)):
        with pytest.raises(Malformed, match="finite"):
            messages.decode_untrusted(messages.encode_body(message))


def test_a_result_that_is_not_finite_is_no_plain_number():
    """NaN and infinity travel as what they are called, equal to nothing."""
    assert isinstance(travel(math.nan), Alien)
    assert travel([1.0, math.inf])[1].shown == "the float inf"


def test_a_message_has_a_largest_size():
    """A body above the limit is refused before it is decoded."""
    with pytest.raises(Malformed, match="at most"):
        messages.decode_untrusted(b"\xc0" * (messages.MAX_FRAME + 1))


def test_a_value_has_a_largest_depth():
    """A value nested deeper than the limit is refused, or sent as what it is called."""
    value = []
    for _ in range(MAX_DEPTH * 3):
        value = [value]
    arrived = travel(value)
    for _ in range(MAX_DEPTH):
        arrived = arrived[0]
    assert isinstance(arrived, Alien)
    nested = ListValue([])
    for _ in range(MAX_DEPTH + 2):
        nested = ListValue([nested])
    with pytest.raises(Malformed, match="nested"):
        plain(nested)


def test_errors_travel_with_their_classes_arguments_and_causes():
    """An exception arrives as data: its real classes, arguments, context and cause, a group's members."""
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise OSError(2, "second") from error
    except OSError as error:
        arrived = travel(ExceptionGroup("both", [error, ValueError("third")]))
    first, second = arrived.errors
    assert arrived.is_a(ExceptionGroup)
    assert first.is_a(OSError)
    assert first.is_a("FileNotFoundError")
    assert first.args == (2, "second")
    assert first.cause.is_a(LookupError)
    assert second == Error("ValueError", ("ValueError", "Exception", "BaseException"), "third", ("third",))


def test_texts_that_are_no_unicode_arrive_escaped():
    """Lone surrogates cannot be sent as they are; they arrive visible."""
    assert travel("a\ud800b") == "a\\ud800b"


def test_an_error_whose_str_raises_still_arrives():
    """An exception that cannot say what it is arrives all the same."""

    class Shy(Exception):
        def __str__(self):
            raise RuntimeError

    assert "RuntimeError" in travel(Shy()).message
