"""Loads the answer that a plain suite asks: the reference solution, or the file named by ANSWER."""

import gc
import importlib.util
import os
import sys
from pathlib import Path

import pytest

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"


def pytest_collection_finish():
    """Keep what pytest itself holds out of later collections, which take up to half a unit each."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def kata(request, monkeypatch):
    """The module of the kata that the test file is named after, loaded anew for each test."""
    name = request.path.stem.removeprefix("test_")
    spec = importlib.util.spec_from_file_location(f"kata_{name}", os.environ.get("ANSWER") or SOLUTIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where pickle looks for what goes to another process
    spec.loader.exec_module(module)
    return module
