"""The grader notices that it has stood still, and takes neither waiting nor working for that."""

from types import SimpleNamespace

import pytest

from checker.world import pulse
from checker.world.pulse import TOLERATED, Pulse


@pytest.fixture
def clocks(monkeypatch):
    """The clocks of the pulse, standing: `monotonic` the real seconds, `worked` those of the processor."""
    clocks = SimpleNamespace(real=100.0, worked=3.0)
    clocks.monotonic = lambda: clocks.real
    clocks.thread_time = lambda: clocks.worked
    monkeypatch.setattr(pulse, "time", clocks)
    return clocks


def test_a_standstill_is_noticed_with_its_length(clocks):
    """Each is told once, and all of them are summed up."""
    mine = Pulse()
    clocks.real += 25.0
    assert mine.beat() == 25.0
    assert mine.beat() == 0.0
    clocks.real += 7.0
    assert mine.beat(waited=1.0) == 6.0
    assert mine.lost == 31.0


@pytest.mark.parametrize(
    ("real", "worked", "waited"),
    [(TOLERATED, 0.0, 0.0), (20.0, 0.0, 20.0), (20.0, 19.5, 0.0), (0.001, 0.0, 1.0)],
    ids=["a small delay", "waiting", "working", "woken early"],
)
def test_nothing_else_is_taken_for_one(clocks, real, worked, waited):
    """Whoever makes the grader wait, or work, makes it lose no time."""
    mine = Pulse()
    clocks.real += real
    clocks.worked += worked
    assert mine.beat(waited) == 0.0
    assert mine.lost == 0.0


def test_what_was_waited_for_on_purpose_can_be_skipped(clocks):
    """A sandbox may take its time to start."""
    mine = Pulse()
    clocks.real += 25.0
    mine.skip()
    assert mine.beat() == 0.0
