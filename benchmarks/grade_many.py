"""How many katas a second does `kata grade` score, beside a fresh pytest process for each submission?

    python benchmarks/grade_many.py [--submissions 40] [--runs 3]

Submissions of 07_semaphore (right, mistaken, stub, in turn) are graded as whole processes, in turn: by
`kata grade` with one job and with two, sandboxed; and (a) by one `python -m pytest` process each, unisolated, on
the equivalent plain suite in `plain/` with pytest-asyncio in real time (one unit of delay is 0.1 s), one at a time.
Since (a) takes long, it grades a tenth of the submissions.  Then submissions that hold the whole course, for the
rate in katas.  Reports medians: katas a second, and processor seconds a kata (all processes counted).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KATA = [sys.executable, "-c", "from checker.cli import main; main()"]
PYTEST = [sys.executable, "-m", "pytest", "-q"]
NAME = "07_semaphore.py"


def sources() -> list[Path]:
    """Answers of the kinds that a batch holds."""
    mistakes = sorted((ROOT / "solutions/mistakes/07_semaphore").glob("*.py"))
    return [ROOT / "solutions" / NAME, mistakes[0], ROOT / "katas" / NAME, mistakes[1]]


def measure(command: list[str], folder: Path, **variables: str) -> tuple[float, float]:
    """Wall and processor seconds of a command, all its processes counted."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}; run it by hand.")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def graded(batch: Path, katas: int, *words: str) -> tuple[float, float]:
    """Katas a second and processor seconds a kata of one `kata grade`."""
    with tempfile.TemporaryDirectory() as out:
        wall, cpu = measure([*KATA, "grade", str(batch), "--out", out, *words], ROOT)
    return katas / wall, cpu / katas


def one_process_each(many: int) -> tuple[float, float]:
    """The same for one pytest process a submission."""
    taken = [
        measure(
            [sys.executable, "-m", "pytest", "-q", f"test_{NAME}"], HERE / "plain", ANSWER=str(sources()[number % 4])
        )
        for number in range(many)
    ]
    return many / sum(wall for wall, _ in taken), sum(cpu for _, cpu in taken) / many


def main() -> None:
    """Run everything in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        one, whole = Path(scratch, "one"), Path(scratch, "whole")
        for number in range(options.submissions):
            folder = one / f"learner{number:04}"
            folder.mkdir(parents=True)
            shutil.copyfile(sources()[number % 4], folder / NAME)
        katas = sorted((ROOT / "solutions").glob("*.py"))
        for number in range(4):
            folder = whole / f"learner{number}" / "katas"
            folder.mkdir(parents=True)
            for path in katas:
                shutil.copyfile(path, folder / path.name)
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(options.runs):
            for name, result in (
                ("kata grade, one job", graded(one, options.submissions, "--jobs", "1")),
                ("kata grade, two jobs", graded(one, options.submissions, "--jobs", "2")),
                ("kata grade, whole courses, two jobs", graded(whole, 4 * len(katas), "--jobs", "2")),
                ("(a) a pytest process each, real time", one_process_each(max(1, options.submissions // 10))),
            ):
                found.setdefault(name, []).append(result)
    print(f"{'':<40}{'katas/s':>9}{'cpu s/kata':>12}")
    for name, results in found.items():
        rate, cpu = (statistics.median(each[place] for each in results) for place in (0, 1))
        print(f"{name:<40}{rate:>9.2f}{cpu:>12.3f}")


if __name__ == "__main__":
    main()
