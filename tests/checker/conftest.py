"""What the checker's own tests share: a sandbox to play in, and the `kata` command as a subprocess."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checker.messages import Limits
from checker.sandbox import Unavailable
from checker.suite.scenario import ship
from checker.trace import Trace
from checker.world.script import World
from checker.world.session import GraderFault, Performance, Session

ROOT = Path(__file__).resolve().parents[2]

Play = Callable[..., Trace]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Session]:
    """A sandbox of the best kind there is, for all tests."""
    session = Session(limits=Limits(cpu=3, wall=15.0), budget=float("inf"))
    yield session
    session.close()


@pytest.fixture
def play(sandbox: Session) -> Play:
    """`play(source, scenario, world, strike=None, **data)`: the trace of one run of a submission given as text."""
    return player(sandbox)


@pytest.fixture(scope="session", params=["bwrap", "landlock"])
def confined(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A sandbox of each kind that holds a submission; skips where one cannot start."""
    session = Session(request.param, limits=Limits(cpu=3, wall=15.0), budget=float("inf"))
    try:
        session.probe()
    except (Unavailable, GraderFault) as error:
        pytest.skip(str(error))
    yield session
    session.close()


@pytest.fixture
def play_confined(confined: Session) -> Play:
    """As `play`, in a sandbox of each kind."""
    return player(confined)


@pytest.fixture
def play_limited(confined: Session) -> Iterator[Callable[..., Trace]]:
    """`play_limited(limits, source, scenario, …)`: as `play_confined`, with limits of its own."""
    opened: list[Session] = []

    def play(limits: Limits, *args: Any, **data: Any) -> Trace:
        opened.append(Session(confined.kind, limits=limits, budget=float("inf")))
        return player(opened[-1])(*args, **data)

    yield play
    for session in opened:
        session.close()


def player(session: Session) -> Play:
    """The function that plays in a session."""

    def play(
        source: str, scenario: Callable[..., Any], world: World | None = None, strike: int | None = None, **data: Any
    ) -> Trace:
        more = {name: data.pop(name) for name in ("network", "importable") if name in data}
        session.forget_use()  # what other tests have used up is nothing to this one
        performance = Performance("07_semaphore", source.encode(), [], ship(scenario, data), strike=strike, **more)
        return session.play(performance, world or World(), random.Random(7))

    return play


@pytest.fixture
def play_in() -> Callable[[Session], Play]:
    """`play_in(session)(source, scenario, …)`: as `play`, in any session."""
    return player


@pytest.fixture
def kata(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the `kata` command in an empty folder, as its users do."""

    def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", **more.pop("env", {})}
        command = [sys.executable, "-c", "from checker.cli import main; main()", *words]
        return subprocess.run(
            command, cwd=more.pop("cwd", tmp_path), env=environment, capture_output=True, text=True, timeout=240, **more
        )

    return run
