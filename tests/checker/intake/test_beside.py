"""Files beside a kata that would reach the grader, were they loaded: never loaded, and named in one neutral line."""

import zipfile
from contextlib import closing

import pytest

from checker.intake import take_in
from checker.intake.names import Search
from checker.intake.tree import Folder
from tests.checker.intake.batches import KATAS, fill

ALONE = "a kata is graded by its own file alone, and nothing beside it is loaded."


def notes(folder):
    search = Search(KATAS)
    search.folder(Folder(folder), "")
    search.answers()
    return search.notes


@pytest.mark.parametrize(
    "name",
    ["conftest.py", "pytest.ini", ".pytest.ini", "sitecustomize.py", "usercustomize.py", "evil.pth", "asyncio.py",
     "json.py", "pytest.py", "katas/conftest.py", "katas/asyncio/__init__.py", "checker/__init__.py",
     "__pycache__/07_semaphore.cpython-311.pyc", "katas/__pycache__/07_semaphore.cpython-311.opt-1.pyc"],
)  # fmt: skip
def test_what_would_reach_the_grader_is_named(tmp_path, name):
    """Settings, plugins, modules of Python's names and byte code of a kata are said to be left out."""
    work = "work/07_semaphore.py" if name.startswith("checker") else "katas/07_semaphore.py"
    fill(tmp_path, work, name)
    shown = name.removesuffix("/__init__.py").removeprefix("katas/")
    assert notes(tmp_path) == [f"{shown} was left out: {ALONE}"]


@pytest.mark.parametrize(
    "names",
    [
        [
            "pyproject.toml",
            "setup.cfg",
            "tox.ini",
            "README.md",
            "helper.py",
            "test_07_semaphore.py",
            "requirements.txt",
        ],
        ["tests/conftest.py", "tests/pytest.ini", ".venv/lib/sitecustomize.py", "venv/x.pth", "notes/queue.py"],
        ["tests/katas/conftest.py", "checker/__init__.py", "checker/runner/conftest.py", "solutions/07_semaphore.py"],
        ["katas/ruff.toml", "katas/07_semaphore.md", ".git/config", ".github/conftest.py", "docs/conf.py"],
        ["__pycache__/helper.cpython-311.pyc", "katas/__pycache__/x.pyc", "code/notes.txt", "email/07.txt"],
    ],
)
def test_an_ordinary_repository_is_no_news(tmp_path, names):
    """Whoever hands in a project of their own, or a checkout of the course, has no note."""
    fill(tmp_path, "katas/07_semaphore.py", *names)
    assert notes(tmp_path) == []


def test_a_package_in_which_the_work_lies_is_not_left_out(tmp_path):
    """A folder may be called like a module of Python's, and be a package, where katas are kept."""
    fill(tmp_path, "asyncio/katas/07_semaphore.py", "asyncio/__init__.py", "asyncio/katas/__init__.py")
    assert notes(tmp_path) == []


def test_many_of_them_are_one_line(tmp_path):
    """Settings are named first; the rest is counted."""
    names = ["asyncio.py", "conftest.py", "evil.pth", "json.py", "pytest.ini"]
    fill(tmp_path, "07_semaphore.py", *names[:2])
    assert notes(tmp_path) == [f"conftest.py and asyncio.py were left out: {ALONE}"]
    fill(tmp_path, *names)
    assert notes(tmp_path) == [f"conftest.py, pytest.ini and 3 more were left out: {ALONE}"]


def test_they_are_named_in_archives_and_in_a_flat_download(tmp_path):
    """However the work arrives."""
    (tmp_path / "ada").mkdir()
    with zipfile.ZipFile(tmp_path / "ada" / "work.zip", "w") as archive:
        for name in ("ada/07_semaphore.py", "ada/conftest.py"):
            archive.writestr(name, "x = 1")
    assert notes(tmp_path / "ada") == [f"conftest.py was left out: {ALONE}"]
    fill(tmp_path / "canvas", "doejane_12_901_07_semaphore.py", "doejane_12_902_conftest.py")
    with closing(take_in(tmp_path / "canvas", KATAS)) as intake:
        assert intake.submissions[0].learner.notes == (f"conftest.py was left out: {ALONE}",)
