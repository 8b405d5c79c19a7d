"""What a scenario is given in place of a submission's function: the same, held to the kata's signature."""

import inspect
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


class Static:
    """`inspect` takes the first parameter of its `__call__` for `self`; Python does not."""

    @staticmethod
    def __call__(visit, urls, deadline):
        return visit, urls, deadline


def mislabelled(visit, urls, deadline):
    return visit, urls, deadline


mislabelled.__signature__ = inspect.signature(lambda urls: None)


@pytest.mark.parametrize("function", [Static(), mislabelled])
def test_what_can_be_called_is_called_whatever_its_signature_says(function):
    """Python decides what a call may look like; `inspect` may be wrong."""
    assert kata(function).split_at(1, 2, deadline=3) == (1, 2, 3)


def unlabelled(visit, urls):
    """Its signature says that the call is right, though it is not."""


unlabelled.__signature__ = inspect.signature(Static.__call__)


def failing(visit, urls, deadline):
    raise TypeError("the submission's own")


def failing_inside(*args, **keywords):
    return unlabelled(*args, **keywords)


failing_inside.__signature__ = inspect.signature(lambda urls: None)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (unlabelled, "unexpected keyword argument 'deadline'"),
        (failing, "the submission's own"),
        (failing_inside, "unexpected keyword argument 'deadline'"),
    ],
)
def test_a_type_error_that_no_signature_explains_comes_out(function, told):
    """One of what the call has run, too: it is the submission's, and its traceback shows where."""
    with pytest.raises(TypeError, match=told):
        kata(function).split_at(1, 2, deadline=3)
