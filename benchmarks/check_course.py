"""How fast is a sandboxed check of the whole course, beside plain pytest on the same tests?

    python benchmarks/check_course.py [--runs 1]

Whole processes in turn, against the reference solutions of all sixteen katas: `kata check`, sandboxed; and (a)
`python -m pytest` on the equivalent suites in `plain/`, with pytest-asyncio in real time, one unit of delay being
0.1 s, unisolated.  Reports medians of wall and processor time (all processes of each), and their ratios.
"""

from __future__ import annotations

import argparse

from side_by_side import KATA, PLAIN, PYTEST, ROOT, compare


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    runs = parser.parse_args().runs
    compare(
        {
            "kata check, all katas (sandboxed)": ([*KATA, "check", "--path", "solutions"], ROOT, {}),
            "(a) pytest, real time, unit 0.1 s": (PYTEST, PLAIN, {"UNIT": "0.1"}),
        },
        runs,
        warm_up=False,  # it takes minutes
    )


if __name__ == "__main__":
    main()
