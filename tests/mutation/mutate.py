"""Do the suites notice when a reference solution is broken a little?  Mutants by cosmic-ray, graded by the checker.

    pip install cosmic-ray
    python tests/mutation/mutate.py [KATA …] [--jobs 2] [--out docs/mutation.json]

cosmic-ray makes every mutant that its operators know of each reference solution (one change each); the checker
grades each as it grades a submission.  A mutant that only changes an annotation does nothing, since all solutions
postpone their evaluation: it is left out.  Survivors are printed with their line, and written to `--out`; what
each means stands in docs/mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from checker.course import installed_course
from checker.grade import grade
from checker.messages import Limits
from checker.submission import Source

SEED = 11
LIMITS = Limits(wall=6.0, cpu=2)


@dataclass(frozen=True)
class Mutant:
    """One changed reference solution."""

    kata: str
    operator: str
    line: int
    before: str
    after: str
    text: str


@dataclass(frozen=True)
class Handed:
    """A mutant as a submission."""

    data: bytes

    def source(self, kata: str) -> Source:
        """See `checker.submission.Sources`."""
        return Source(Path(f"{kata}.py"), self.data)


def mutants(kata: str) -> Iterator[Mutant]:
    """Every mutant of a kata's reference solution that differs in what it does."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    path = installed_course().find(kata).solution
    text = path.read_text(encoding="utf-8")
    own, seen = _behaviour(text), set()
    tree = get_ast_from_path(path)
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():
            continue
        operator = kind()
        many = sum(1 for node in ast_nodes(tree) for _ in operator.mutation_positions(node))
        for occurrence in range(many):
            changed = mutate_code(text, operator, occurrence)
            behaviour = changed and _behaviour(changed)
            if not changed or behaviour in (own, None) or behaviour in seen:
                continue
            seen.add(behaviour)
            line, before, after = _difference(text, changed)
            yield Mutant(kata, name, line, before, after, changed)


def _behaviour(text: str) -> str | None:
    """The source without annotations and docstrings; None if it does not compile, which no suite need notice."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
            for arg in (
                *node.args.posonlyargs,
                *node.args.args,
                *node.args.kwonlyargs,
                node.args.vararg,
                node.args.kwarg,
            ):
                if arg is not None:
                    arg.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(0)
    return ast.dump(tree)


def _difference(text: str, changed: str) -> tuple[int, str, str]:
    pairs = zip(text.splitlines(), changed.splitlines(), strict=False)
    for number, (before, after) in enumerate(pairs, 1):
        if before != after:
            return number, before.strip(), after.strip()
    return 0, "", ""


def survives(mutant: Mutant) -> bool:
    """Whether a mutant passes everything."""
    course = installed_course()
    kata = course.find(mutant.kata)
    grading = grade(course, Handed(mutant.text.encode()), [kata], seed=SEED, limits=LIMITS, budget=60.0)
    return all(result.verdict == "passed" for result in grading.results)


def main() -> None:
    """Make, grade, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("katas", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    course = installed_course()
    found = [mutant for kata in course.select(options.katas) for mutant in mutants(kata.name)]
    left = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for mutant, alive in zip(found, pool.map(survives, found), strict=True):
            if alive:
                left.append(mutant)
                print(
                    f"{mutant.kata}:{mutant.line} {mutant.operator}\n  - {mutant.before}\n  + {mutant.after}",
                    flush=True,
                )
    for kata in dict.fromkeys(mutant.kata for mutant in found):
        made, stayed = (sum(each.kata == kata for each in group) for group in (found, left))
        print(f"{kata}: {made - stayed} of {made} noticed")
    print(f"{len(found) - len(left)} of {len(found)} noticed ({100 - 100 * len(left) / max(1, len(found)):.1f} %)")
    if options.out:
        told = [{name: value for name, value in asdict(each).items() if name != "text"} for each in left]
        options.out.write_text(json.dumps({"made": len(found), "survivors": told}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
