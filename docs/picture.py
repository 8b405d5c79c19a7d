"""Draws docs/check.svg, the README's picture, from what `kata check` really prints.

python docs/picture.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Grade a known mistake in colour, and draw the part of the report that tells of the failure."""
    with tempfile.TemporaryDirectory() as workspace:
        shutil.copyfile(ROOT / "solutions/mistakes/07_semaphore/chunks_of_limit.py", Path(workspace, "07_semaphore.py"))
        printed = subprocess.run(
            [sys.executable, "-c", "from checker.cli import main; main()", "check", "7", "--seed", "3"],
            cwd=workspace,
            env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "92", "TERM": "xterm-256color"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    lines = printed.splitlines()
    first = max(place for place, line in enumerate(lines) if "The next job starts" in line)
    console = Console(record=True, width=92, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text("$ kata check 07_semaphore", style="bold"))
    for line in [lines[0], "", *lines[first:]]:
        console.print(Text.from_ansi(line))
    console.save_svg(str(ROOT / "docs" / "check.svg"), title="kata check")


if __name__ == "__main__":
    main()
