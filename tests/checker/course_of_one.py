"""A course of one small kata, for tests of what its author is told."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from checker.course import Course, Kata, installed_course

FILES = {
    "katas/01_tiny.md": """+++
title = "Tiny"
+++
# Two at once

## Hint 1
Who waits for whom?
""",
    "katas/01_tiny.py": '''async def both(fetch):
    """Fetch 1 and 2 at the same time; returns both results."""
    raise NotImplementedError
''',
    "solutions/01_tiny.py": """import asyncio


async def both(fetch):
    return await asyncio.gather(fetch(1), fetch(2))
""",
    "solutions/mistakes/01_tiny/in_turn.py": '''"""One waits for the other.

Hint: Start both.

Violates: timing
"""


async def both(fetch):
    return [await fetch(1), await fetch(2)]
''',
    "tests/katas/test_01_tiny.py": '''from checker.suite import calls, scenario, timing


@scenario
async def play(kata, stage):
    return await kata.both(stage.calls("fetch"))


@timing
async def test_both_at_once(run):
    """Both at the same time."""
    trace = await run(play, world=calls(fetch=2.0))
    assert trace.elapsed == 2.0
''',
}


def write(root: Path, **changed: bytes | str) -> Kata:
    """Write the course into a folder, `changed` by the end of a file's name: `brief`, `suite`, `mistake` ….

    Returns its kata.
    """
    sys.modules.pop("test_01_tiny", None)  # where pytest keeps the suite that another test has written
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kata = Course(root).find("01")
    places = {"brief": kata.brief, "stub": kata.stub, "solution": kata.solution, "suite": kata.suite}
    places |= {"mistake": kata.mistakes[0], "fingerprints": kata.fingerprints}
    for what, content in changed.items():
        data = content.encode() if isinstance(content, str) else content
        places[what].write_bytes(data)
    return Course(root).find("01")


def with_checker(root: Path) -> None:
    """Put the checker beside it, so that the `kata` command started in that folder takes it for its course."""
    checker = installed_course().root / "checker"
    shutil.copytree(checker, root / "checker", ignore=shutil.ignore_patterns("__pycache__"))
