"""Files beside a kata that would reach Python or pytest, were they loaded; nothing loads them here.

They may lie there for honest reasons, so all that is made of them is a line among the notes.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

# Not pyproject.toml, setup.cfg and tox.ini, which every project has, that of this course too.
_SETTINGS = ("conftest.py", "pytest.ini", ".pytest.ini", "sitecustomize.py", "usercustomize.py")
_MODULES = {
    *sys.stdlib_module_names, "aiohttp", "aiomultiprocess", "aioresponses", "checker", "click", "cloudpickle",
    "freezegun", "msgspec", "pebble", "pluggy", "pytest", "pytest_asyncio", "pytest_timeout", "rich", "yaml",
}  # fmt: skip


def reaches(name: str) -> bool:
    """Whether a file with that name would be read at the start of Python or pytest, or imported for another one."""
    return name in _SETTINGS or name.endswith(".pth") or (name.endswith(".py") and is_module(name[:-3]))


def is_module(name: str) -> bool:
    """Whether a folder with that name, if it is a package, would be imported for one of Python's or the grader's."""
    return name in _MODULES


def note(names: Collection[str]) -> str:
    """One sentence on all of them, settings first."""
    first, *others = sorted(names, key=lambda name: (name not in _SETTINGS, name))
    shown = [first, *others[:1]]
    if others[1:]:
        told = f"{', '.join(shown)} and {len(others) - 1} more were"
    else:
        told = " and ".join(shown) + (" were" if others else " was")
    return f"{told} left out: a kata is graded by its own file alone, and nothing beside it is loaded."
