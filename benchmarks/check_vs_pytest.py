"""How fast is a sandboxed `kata check 07_semaphore`, beside plain pytest on an equivalent suite?

    python benchmarks/check_vs_pytest.py [--runs 5]

Three whole processes in turn, A B C A B C …, against the same reference solution: (check) the command,
sandboxed; (a) `python -m pytest` in real time with pytest-asyncio, one unit of delay being 0.1 s; (b) the same
with looptime.  (a) and (b) isolate nothing.  Reports medians of wall and processor time (all processes of
each), and the ratio pair by pair.  Then the start-up of the command beside `python -c "import asyncio"`.
"""

from __future__ import annotations

import argparse
import sys

from side_by_side import KATA, NAME, PLAIN, PYTEST, ROOT, compare


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    pytest = [*PYTEST, f"test_{NAME}"]
    compare(
        {
            "kata check 07_semaphore (sandboxed)": ([*KATA, "check", "07", "--path", "solutions"], ROOT, {}),
            "(a) pytest, real time, unit 0.1 s": (pytest, PLAIN, {"UNIT": "0.1"}),
            "(b) pytest, looptime": ([*pytest, "-p", "looptime", "--looptime"], PLAIN, {"UNIT": "1"}),
        },
        runs,
    )
    print()
    compare(
        {
            'python -c "import asyncio"': ([sys.executable, "-c", "import asyncio"], ROOT, {}),
            "kata --help": ([*KATA, "--help"], ROOT, {}),
            "kata list": ([*KATA, "list"], ROOT, {}),
        },
        runs * 3,
    )


if __name__ == "__main__":
    main()
