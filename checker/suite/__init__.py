"""What a suite's author writes with.

A suite is ordinary pytest.  `@scenario` marks what is shipped to the runner; the fixtures `run`, `sweep`
and `rng` come from the plugin; `calls` and `call` say how the world behaves; each test carries one of the
properties `timing`, `ordering`, `cancellation` and `result`, and maybe `points`.  docs/authoring.md tells
it from the beginning.
"""

from __future__ import annotations

import pytest

from checker.suite.scenario import scenario
from checker.trace import Trace
from checker.values import Error
from checker.world.script import World, call, calls, web

timing = pytest.mark.timing
ordering = pytest.mark.ordering
cancellation = pytest.mark.cancellation
result = pytest.mark.result
points = pytest.mark.points

PROPERTIES = ("timing", "ordering", "cancellation", "result")

__all__ = [
    "PROPERTIES",
    "Error",
    "Trace",
    "World",
    "call",
    "calls",
    "cancellation",
    "ordering",
    "points",
    "result",
    "scenario",
    "timing",
    "web",
]
