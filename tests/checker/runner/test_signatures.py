"""What a scenario is given in place of a submission's function: the same, held to the kata's signature."""

import types

import pytest

from checker.messages import Signature
from checker.runner.submission import CannotPlay, Kata


def kata(function):
    module = types.ModuleType("submission")
    module.split_at = function
    return Kata(module, [Signature("split_at", "plain", ["visit", "urls", "deadline"])])


def test_a_function_may_take_more_than_it_is_given():
    """More parameters with defaults, other names for what is passed by position: behaviour alone counts."""
    lenient = kata(lambda v, u, deadline, *, debug=False: (v, u, deadline, debug))
    assert lenient.split_at(1, 2, deadline=3) == (1, 2, 3, False)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda visit, urls: None, "`split_at(visit, urls)` cannot be called as the kata calls it"),
        (lambda *args: None, "calls it: `split_at(visit, urls, deadline=…)`"),
    ],
)
def test_what_cannot_be_called_is_told_with_the_call(function, told):
    """Both stand there, and which arguments come by name."""
    with pytest.raises(CannotPlay) as refused:
        kata(function).split_at(1, 2, deadline=3)
    assert told in refused.value.told.message
