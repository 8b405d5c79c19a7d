"""How fast is a sandboxed `kata check 07_semaphore`, beside plain pytest on an equivalent suite?

    python benchmarks/check_vs_pytest.py [--runs 5]

Three whole processes in turn, A B C A B C …, against the same reference solution: (check) the command,
sandboxed; (a) `python -m pytest` in real time with pytest-asyncio, one unit of delay being 0.1 s; (b) the same
with looptime.  (a) and (b) isolate nothing.  Reports medians of wall and processor time (all processes of
each), and the ratio pair by pair.  Then the start-up of the command beside `python -c "import asyncio"`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KATA = [sys.executable, "-c", "from checker.cli import main; main()"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "test_07_semaphore.py"]


def measure(command: list[str], folder: Path, **variables: str) -> tuple[float, float]:
    """Wall and processor seconds of one run of a command, all its processes counted."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}; run it by hand.")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def compare(commands: dict[str, tuple[list[str], Path, dict[str, str]]], runs: int) -> None:
    """Run the commands in turn and print medians and ratios to the first of them."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, (command, folder, variables) in commands.items():
            taken = measure(command, folder, **variables)
            if turn:  # the first turn warms up
                found[name].append(taken)
    first = next(iter(found.values()))
    print(f"{'':<42}{'wall s':>8}{'cpu s':>8}{'wall ratio':>12}{'cpu ratio':>11}")
    for name, taken in found.items():
        wall, cpu = (statistics.median(each[place] for each in taken) for place in (0, 1))
        pairs = list(zip(taken, first, strict=True))
        ratios = [statistics.median(one[place] / base[place] for one, base in pairs) for place in (0, 1)]
        print(f"{name:<42}{wall:>8.2f}{cpu:>8.2f}{ratios[0]:>12.2f}{ratios[1]:>11.2f}")


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    root, plain = HERE.parent, HERE / "plain"
    compare(
        {
            "kata check 07_semaphore (sandboxed)": ([*KATA, "check", "07", "--path", "solutions"], root, {}),
            "(a) pytest, real time, unit 0.1 s": (PYTEST, plain, {"UNIT": "0.1"}),
            "(b) pytest, looptime": ([*PYTEST, "-p", "looptime", "--looptime"], plain, {"UNIT": "1"}),
        },
        runs,
    )
    print()
    compare(
        {
            'python -c "import asyncio"': ([sys.executable, "-c", "import asyncio"], root, {}),
            "kata --help": ([*KATA, "--help"], root, {}),
            "kata list": ([*KATA, "list"], root, {}),
        },
        runs * 3,
    )


if __name__ == "__main__":
    main()
