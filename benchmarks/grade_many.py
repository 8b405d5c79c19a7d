"""How many katas a second does `kata grade` score, beside a fresh pytest process for each submission, and a peer?

    python benchmarks/grade_many.py [--submissions 40] [--runs 3]

Submissions of 07_semaphore (right, mistaken, stub, in turn) are graded as whole processes, in turn: by `kata grade`,
sandboxed, with one job that is held to one processor, with one job, and with two; and (a) by one `python -m pytest`
process each, unisolated, on the equivalent plain suite in `plain/` with pytest-asyncio in real time (one unit of
delay is 0.1 s), one at a time.  Since (a) takes long, it grades a tenth of the submissions.  Then submissions that
hold the whole course, for the rate in katas.  (b) is check50, which grades a program that greets with two checks of
its own kind, one process a submission, unisolated; left out where it is not installed.  Reports medians: katas (or
exercises) a second, and processor seconds for one of them (all processes counted).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from side_by_side import KATA, NAME, PLAIN, PYTEST, ROOT, measure

GREETING = 'name = input("Name? ")\nprint(f"hello, {name}")\n'
GREETING_CHECKS = '''\
import check50

@check50.check()
def exists():
    """hello.py exists"""
    check50.exists("hello.py")

@check50.check(exists)
def greets():
    """greets by name"""
    check50.run("python3 hello.py").stdin("Veronica").stdout("Veronica").exit()
'''


def sources() -> list[Path]:
    """Answers of the kinds that a batch holds."""
    mistakes = sorted((ROOT / "solutions/mistakes/07_semaphore").glob("*.py"))
    return [ROOT / "solutions" / NAME, mistakes[0], ROOT / "katas" / NAME, mistakes[1]]


def mean(taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Submissions a second and processor seconds for one, of commands run one after the other."""
    return len(taken) / sum(wall for wall, _ in taken), sum(cpu for _, cpu in taken) / len(taken)


def graded(batch: Path, katas: int, *words: str, hold: bool = False) -> tuple[float, float]:
    """Katas a second and processor seconds a kata of one `kata grade`; `hold`: all of it on one processor."""
    holding = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))] if hold else []
    with tempfile.TemporaryDirectory() as out:
        wall, cpu = measure([*holding, *KATA, "grade", str(batch), "--out", out, *words], ROOT, allowed=(0, 1))
    return katas / wall, cpu / katas


def one_process_each(many: int) -> tuple[float, float]:
    """The same for one pytest process a submission."""
    command = [*PYTEST, f"test_{NAME}"]
    return mean([measure(command, PLAIN, (0, 1), ANSWER=str(sources()[number % 4])) for number in range(many)])


def peer(many: int, scratch: Path) -> tuple[float, float]:
    """The same for check50 and its own kind of exercise."""
    checks, answer = scratch / "checks", scratch / "answer"
    for folder in (checks, answer):
        folder.mkdir(exist_ok=True)
    (checks / "__init__.py").write_text(GREETING_CHECKS)
    (checks / ".cs50.yaml").write_text("check50:\n  checks: __init__.py\n")
    (answer / "hello.py").write_text(GREETING)
    command = [str(Path(sys.executable).with_name("check50")), "--dev", "--output", "json", "--", str(checks)]
    return mean([measure(command, answer) for _ in range(many)])


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
            few = max(1, options.submissions // 10)
            results = {
                "kata grade, one job, one processor": graded(one, options.submissions, "--jobs", "1", hold=True),
                "kata grade, one job": graded(one, options.submissions, "--jobs", "1"),
                "kata grade, two jobs": graded(one, options.submissions, "--jobs", "2"),
                "kata grade, whole courses, two jobs": graded(whole, 4 * len(katas), "--jobs", "2"),
                "(a) a pytest process each, real time": one_process_each(few),
            }
            if Path(sys.executable).with_name("check50").exists():
                results["(b) check50, two checks of a greeting"] = peer(few, Path(scratch))
            for name, result in results.items():
                found.setdefault(name, []).append(result)
    print(f"{'':<40}{'katas/s':>9}{'cpu s/kata':>12}")
    for name, results in found.items():
        rate, cpu = (statistics.median(each[place] for each in results) for place in (0, 1))
        print(f"{name:<40}{rate:>9.2f}{cpu:>12.3f}")


if __name__ == "__main__":
    main()
