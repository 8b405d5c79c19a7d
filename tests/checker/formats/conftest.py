"""A batch of rows as nasty as they come, and what each format makes of a batch."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from checker.formats import write
from checker.rows import Assignment, Batch, Grading, Learner, Row, Test

KATAS = ("05_cancellation", "07_semaphore")
NASTY = (
    "=1+1",
    "+49 123",
    "-2",
    "@SUM(A1)",
    "\t=cmd|' /C calc'!A0",
    "\r=1",
    ' "=1',
    "＝1+1",
    'x";=HYPERLINK("x")',
    "a < = b; = c",
    "</script><script>alert(1)</script>",
    "]]>&amp;<![CDATA[",
    "<!--",
    "\x1b[31mred\x1b[0m \x9b31m",
    "two\nlines\r\n::error::three",
    "tab\there\x00nul\x7f",
    "\u202egnp.exe\u2066",
    "lone \ud800 \udcff \ufffe \uffff \x0b",
    "👩‍💻 Zoë Ångström 北京",
    "N" * 300,
    "| pipe ` tick \\| [x](http://x) ![i](y) *b* _i_ ~~s~~ @user www.x.org #1 :x: $x$ <b>",
    "100%25, done: 50%\n",
    "Points Possible",
    "../../etc/passwd",
    ".",
    "",
)


class Make:
    """Builds what the formats are given."""

    katas = KATAS
    nasty = NASTY

    @staticmethod
    def test(verdict="failed", message="It does not.", **more):
        points = 5.0 if verdict == "passed" else 0.0
        facts = {"name": "test_x", "title": "It holds.", "aspect": "timing", "ended": "finished"}
        return Test(verdict=verdict, points=points, max_points=5.0, message=message, **facts | more)

    @staticmethod
    def grading(kata, tests, **more):
        verdicts = {test.verdict for test in tests}
        facts = {
            "kata": kata,
            "key": "k",
            "verdict": "error" if "error" in verdicts else "failed" if "failed" in verdicts else "passed",
            "score": sum(test.points for test in tests),
            "max_score": sum(test.max_points for test in tests),
            "tests": tests,
            "sha256": "5a" * 32,
            "seed": 424242,
            "python": "3.11.7",
            "version": "1.0",
            "sandbox": "bwrap",
            "seconds": 0.1234567,
            "finished": "2026-01-02T03:04:05+00:00",
        }
        return Grading(**facts | more)

    def row(self, learner, gradings=None, status="graded", percent=62.5, passed=True):
        if gradings is None:
            tests = [self.test("passed", message=""), self.test("failed")]
            gradings = [self.grading(kata, tests) for kata in KATAS]
        return Row(learner, status, gradings, percent, percent / 5, passed)

    def batch(self, rows, **more):
        facts = {
            "assignment": Assignment(name="Week 3", points=20.0, canvas_id=77),
            "katas": KATAS,
            "rows": rows if callable(rows) else lambda: iter(rows),
            "layout": "folders",
            "seed": 424242,
            "python": "3.11.7",
            "version": "1.0",
            "sandbox": "bwrap",
            "started": 1_700_000_000.25,
            "finished": 1_700_000_060.5,
        }
        return Batch(**facts | more)

    def nasty_rows(self):
        """Every nasty text as name, key and message; then a fault, a missing and a late one, and an unfinished one."""
        for number, text in enumerate(NASTY):
            learner = Learner(f"{number}{text}", text, text, str(number), text, place=text, notes=(text,))
            learner = replace(learner, sis_id=text, login=text, section=text)
            tests = [self.test("passed", message=""), self.test(message=text, title=text)]
            yield self.row(learner, [self.grading(kata, tests, diagnosis=text) for kata in KATAS])
        fault = self.grading(KATAS[1], [], verdict="error", max_score=0.0, problem="The grader itself failed: x.")
        done = self.grading(KATAS[0], [self.test("passed")])
        yield self.row(Learner("f", "Fault", user_id="91"), [done, fault], "fault", 50.0, passed=False)
        problem = "No file for it was handed in."
        none = [self.grading(kata, [self.test(message=problem)], problem=problem, sha256="") for kata in KATAS]
        yield self.row(Learner("m", "Missing", user_id="92"), none, "missing", 0.0, passed=False)
        yield self.row(Learner("l", "Late", user_id="93", late=True), percent=80.0)
        yield self.row(Learner("u", "Unfinished", user_id="94"), [done], percent=50.0)

    def texts(self):
        """Any text, and above all those that begin or hold what some reader takes for its own."""
        any_char = st.characters(exclude_categories=())
        parts = st.one_of(st.text(any_char, max_size=8), st.sampled_from([*NASTY, *"=+-@;,\"'|<>&`\\[]\r\n\t\0 "]))
        return st.lists(parts, max_size=5).map("".join)

    @staticmethod
    def written(name, batch):
        """What a format writes: texts by their path in the folder."""
        with tempfile.TemporaryDirectory() as folder:
            paths = write(name, batch, Path(folder))
            assert all(path.exists() for path in paths)
            files = [path for path in Path(folder).rglob("*") if path.is_file()]
            return {str(path.relative_to(folder)): path.read_bytes().decode() for path in files}


@pytest.fixture(scope="session")
def make():
    """Builds what the formats are given."""
    return Make()


@pytest.fixture(scope="session")
def nasty(make):
    """A batch of every nasty row."""
    return make.batch(list(make.nasty_rows()))


@pytest.fixture(autouse=True)
def _no_step_summary(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
