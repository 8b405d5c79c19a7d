"""Whole commands measured in turn, on the same machine: what all benchmarks share."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Container
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KATA = [sys.executable, "-c", "from checker.cli import main; main()"]
PYTEST = [sys.executable, "-m", "pytest", "-q"]
PLAIN = HERE / "plain"
"""The suites of the other side; pytest runs there."""
NAME = "07_semaphore.py"


def measure(command: list[str], folder: Path, allowed: Container[int] = (0,), **variables: str) -> tuple[float, float]:
    """Wall and processor seconds of one run of a command, all its processes counted.

    Args:
        allowed: exit statuses with which the command has done its work.
        variables: environment variables besides this process's own.
    """
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # all sides keep their byte code, as Python does by itself
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}; run it by hand.")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def compare(commands: dict[str, tuple[list[str], Path, dict[str, str]]], runs: int, *, warm_up: bool = True) -> None:
    """Run the commands in turn, A B C A B C …, and print medians and ratios to the first of them.

    Ratios are taken pair by pair.

    Args:
        runs: turns that count.
        warm_up: whether there is one more before them.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(runs + warm_up):
        for name, (command, folder, variables) in commands.items():
            taken = measure(command, folder, **variables)
            if turn or not warm_up:
                found[name].append(taken)
    first = next(iter(found.values()))
    print(f"{'':<42}{'wall s':>8}{'cpu s':>8}{'wall ratio':>12}{'cpu ratio':>11}")
    for name, taken in found.items():
        wall, cpu = (statistics.median(each[place] for each in taken) for place in (0, 1))
        pairs = list(zip(taken, first, strict=True))
        ratios = [statistics.median(one[place] / base[place] for one, base in pairs) for place in (0, 1)]
        print(f"{name:<42}{wall:>8.2f}{cpu:>8.2f}{ratios[0]:>12.2f}{ratios[1]:>11.2f}")
