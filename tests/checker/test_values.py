"""Values that cross the wall: what they may stand for is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.values import (
    MAX_DEPTH,
    MAX_HASHED,
    MAX_VALUES,
    Allowance,
    BigInt,
    DictValue,
    ListValue,
    Malformed,
    SetValue,
    inert,
    plain,
    wire,
)

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text() | st.binary()
data = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(st.integers() | st.text(), max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(data)
def test_plain_data_comes_back_as_it_was(value):
    """Lists stay lists, tuples tuples, big numbers exact."""
    back = plain(wire(value))
    assert back == value
    assert type(back) is type(value)


def test_a_set_of_colliding_numbers_is_refused():
    """Members whose hashes collide cost time by the square: large sets and dicts are refused before any is made."""
    colliding = [BigInt(hex(number * (2**61 - 1))) for number in range(2**6, 2**6 + MAX_HASHED + 1)]
    with pytest.raises(Malformed, match="with more than 1000 members"):
        plain(SetValue(colliding))
    with pytest.raises(Malformed, match="with more than 1000 members"):
        plain(DictValue([(each, None) for each in colliding]))
    assert len(plain(SetValue(colliding[1:]))) == MAX_HASHED


def test_a_run_may_send_so_many_values_altogether():
    """Empty containers cost a byte on the wire and hundreds in memory: their number is bounded over all messages."""
    allowance = Allowance()
    many = ListValue([SetValue([])] * (MAX_VALUES // 2))
    plain(many, 0, allowance)
    with pytest.raises(Malformed, match="more values than a run may send"):
        plain(many, 0, allowance)


def test_a_value_may_nest_so_deep():
    """Deep nesting ends in a sentence, not in a recursion error."""
    value = ListValue([])
    for _ in range(MAX_DEPTH + 1):
        value = ListValue([value])
    with pytest.raises(Malformed, match="nested more than"):
        plain(value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("a\n \u3000::error::x", "a\n \u3000\\x3a:error::x"),
        ("a ##[error]x", r"a \x23#[error]x"),
        ("###[error]x ##vso[task.complete]", r"#\x23#[error]x \x23#vso[task.complete]"),
        ("a::b, x[::2], :x, # [x], ## x", "a::b, x[::2], :x, # [x], ## x"),
    ],
)
def test_nothing_printed_is_a_command_to_a_server(text, shown):
    """The sign that makes it one is shown as an escape; all else stays as it was, also when that is done again."""
    assert inert(text) == inert(inert(text)) == shown
