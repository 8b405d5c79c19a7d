"""A grading can be played again: what answers leave to chance falls out alike with the same seed."""

import contextlib
import json
from pathlib import Path

import pytest

from checker.course import installed_course
from checker.sandbox import Unavailable
from checker.suite import scenario
from checker.world.session import GraderFault, Session

DRAWING = """\
import random
FIRST = random.random()
def draw(): return [FIRST, random.random(), list({f"url{number}" for number in range(50)})]
"""
SHUFFLED = """\
    import random
    urls = list(urls)
    random.shuffle(urls)
    return await asyncio.gather(*map(visit, urls))
"""
BY_SET = """\
    results = {url: await visit(url) for url in set(urls)}
    return list(results.values())
"""


@scenario
def drawn(kata, _stage):
    """What the submission's `draw` returns."""
    return kata.draw()


@pytest.mark.parametrize("kind", ["bwrap", "landlock", "none"])
def test_chance_and_the_order_of_sets_are_the_same_in_every_sandbox_and_run(kind, play_in):
    """Both in a process of its own, in one that has played before, and in one of another sandbox."""
    seen = []
    for _ in range(2):
        with contextlib.closing(Session(kind)) as session:
            try:
                session.probe()
            except (Unavailable, GraderFault) as error:
                pytest.skip(str(error))
            seen += [play_in(session)(DRAWING, drawn).result for _ in range(2)]
    assert len(set(seen[0][2])) == 50
    assert seen == [seen[0]] * 4


@pytest.mark.parametrize("body", [SHUFFLED, BY_SET], ids=["chance", "a set"])
def test_an_answer_that_hangs_on_chance_has_the_same_points_and_reasons(kata, tmp_path, body):
    """With the same seed; by its own luck it would pass a test in one grading, and fail it in the next."""
    text = Path(installed_course().root, "solutions", "02_gather_wait.py").read_text()
    signature = text.partition("async def visit_all")[2].partition(":\n")[0]
    answer = tmp_path / "02_gather_wait.py"
    answer.write_text(f"import asyncio\n{text}\n\nasync def visit_all{signature}:\n{body}")
    seen = [json.loads(kata("check", "2", "--path", str(answer), "--seed", "5", "--json").stdout) for _ in range(3)]
    tests = [each["katas"][0]["tests"] for each in seen]
    assert any(test["verdict"] == "failed" for test in tests[0])
    assert tests == [tests[0]] * 3
