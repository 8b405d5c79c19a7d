"""What the sandboxes' tests share: the body of a function, run in a sandbox of each kind."""

import pytest

from checker.suite import scenario


@scenario
def look(kata, stage):
    return kata.look()


@pytest.fixture
def inside(play_confined):
    """Run the body of a function in a sandbox of each kind and return its result."""

    def run(body, **order):
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        trace = play_confined(f"import ctypes, os, socket, tempfile\ndef look():\n{lines}\n", look, **order)
        assert trace.ended == "finished", trace.problem
        assert trace.error is None, trace.error
        return trace.result

    return run


@pytest.fixture
def only(confined):
    """`only(kind)` skips a test that is about one kind."""

    def skip_unless(kind):
        if confined.kind != kind:
            pytest.skip(f"a promise of {kind} alone")

    return skip_unless
