"""What a submission prints or raises cannot act on the reader's terminal, log or page."""

import pytest

HOSTILE = """
import asyncio
async def run_limited(jobs, limit):
    print("\\x1b]0;owned\\x07\\x1b[2J::error file=x::gotcha\\r\\u202egnp.exe")
    raise ValueError("\\x1b[31m::error::\\x00\\u2066")
async def fetch_all(urls, limit):
    raise type("\\x1b[5mName", (Exception,), {})("x\\ny")
class Seats:
    pass
"""


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["terminal", "json"])
def test_control_characters_are_made_visible(kata, tmp_path, more):
    """Escapes, bells, returns and bidirectional marks are shown as text; no line begins with a workflow command."""
    (tmp_path / "07_semaphore.py").write_text(HOSTILE)
    done = kata("check", "7", "--path", "07_semaphore.py", *more)
    assert done.returncode == 1
    assert [char for char in done.stdout if not char.isprintable() and char != "\n"] == []
    assert [line for line in done.stdout.splitlines() if line.lstrip().startswith("::")] == []
    assert "\\\\x1b[31m" in done.stdout or "\\x1b[31m" in done.stdout


def test_colours_are_for_terminals_only(kata, tmp_path):
    """Piped output has no escape sequence; FORCE_COLOR asks for them, NO_COLOR goes before it."""
    (tmp_path / "07_semaphore.py").write_text(HOSTILE)
    words = ("check", "7", "--path", "07_semaphore.py")
    assert "\x1b[" not in kata(*words).stdout
    assert "\x1b[" in kata(*words, env={"FORCE_COLOR": "1", "TERM": "xterm"}).stdout
    assert "\x1b[3" not in kata(*words, env={"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}).stdout


@pytest.mark.parametrize("width", ["40", "100"])
def test_lines_keep_to_the_width(kata, tmp_path, width):
    """Nothing but an address, or a command to be copied, is wider than the terminal."""
    (tmp_path / "07_semaphore.py").write_text("async def run_limited(jobs, limit): return []\n")
    done = kata("check", "7", "--path", "07_semaphore.py", env={"COLUMNS": width})
    wide = [line for line in done.stdout.splitlines() if len(line) > int(width) + 2]
    wide = [line for line in wide if "https://" not in line and not line.startswith("The same numbers again: ")]
    assert wide == []
