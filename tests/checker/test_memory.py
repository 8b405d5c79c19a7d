"""The grader's own memory: whatever a submission sends, a grading takes no more than so much of it."""

import json
import subprocess
import sys

import pytest

from checker.course import installed_course
from tests.checker.conftest import ROOT

MOST = 256
"""MiB of memory beyond what a right answer takes, as docs/security.md promises."""

GRADING = """
import json, sys
from pathlib import Path
from checker.course import installed_course
from checker.grade import grade
from checker.submission import Submission

course = installed_course()
results = grade(course, Submission(Path(sys.argv[1])), [course.find("01")], seed=1).results
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps([int(peak) >> 10, [result.message for result in results], [result.verdict for result in results]]))
"""

HOSTILE = '''
import asyncio
import gc
import inspect
import struct

TEXT = b"\\xdb" + struct.pack(">I", 1_000_000) + "\\N{GRINNING FACE}".encode() + b"a" * 999_996

def flood(*bodies):
    """Send these messages in each run."""
    link = [thing for thing in gc.get_objects() if type(thing).__name__ == "Link"][-1]
    for body in bodies:
        link._send(struct.pack(">I", len(body)) + body)

async def visit(url, delay):
    SEND
    for _ in range(70):
        await asyncio.sleep(delay / 70)
    return f"{url} visited"

def visit_now(url, delay):
    return asyncio.run(visit(url, delay))

async def resolve(thing):
    return await thing if inspect.isawaitable(thing) else thing
'''
NOTE = r'b"\x94\xa4note\xa1x" + TEXT + b"\xc0"'
WAITING = r'b"\x93\xa7stopped\xa4halt\xdd\0\0\xc3\x50" + b"\x91\xa0" * 50_000'
SENT = {
    "more than a run may": f"flood(*[{NOTE}] * 8)",
    "more than a test's runs may": f"flood(*[{NOTE}] * 3)",
    "as much as a test's runs may": f"flood(*[{NOTE}] * ('once' not in globals())); globals()['once'] = 1",
    "what takes up most while it is read": f"flood({WAITING})",
    "stretches without number": r'flood(*[b"\x92\xa7blocked\x00"] * 100_000)',
}


def graded(path):
    """Peak memory of the process that grades it, in MiB, then messages and verdicts."""
    command = [sys.executable, "-c", GRADING, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def usual():
    """MiB that the grading of a right answer takes."""
    return graded(installed_course().find("01").solution)[0]


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT.keys())
def test_a_grading_takes_a_bounded_amount_of_memory(sent, usual, tmp_path):
    """Far less than the limit of one run, which is a gibibyte, and nothing of it is the grader's fault."""
    path = tmp_path / "01_event_loop.py"
    path.write_text(HOSTILE.replace("SEND", sent))
    peak, messages, verdicts = graded(path)
    assert peak < usual + MOST
    assert "error" not in verdicts
    assert "failed" not in verdicts or any("too much to keep" in each or "its own way" in each for each in messages)
