"""What tests of the onlooker share: scripts in namespaces of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run_alone() -> Callable[..., None]:
    """`run_alone(script, *options)`: run a script in a pid namespace, and whatever else bwrap's options ask for."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("no bubblewrap")

    def run(script: str, *options: str) -> None:
        spaces = [bwrap, "--dev-bind", "/", "/", "--unshare-pid", *options, "--proc", "/proc"]
        done = subprocess.run(
            [*spaces, sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    return run
