"""A thousand submissions, graded again and again: every one a row, and always the same row.

    python tests/scale/thousand.py [--submissions 1000] [--ways two,one,dask,killed]

Right answers, alternatives, known mistakes, stubs, broken files and hostile ones of 01_event_loop are graded with one
seed by `kata grade` in several ways: two jobs; one job; on a Dask cluster with two workers; with two jobs where the
driver and, at other moments, a worker are killed (SIGKILL) at random, and the command is given again.  Every way must
leave a row for each learner, with the same verdicts, points and messages (but for the words about a forged
conversation: which of a fork bomb's processes is first to say what it may not is chance).  Prints what each way took,
and the driver's memory while it went on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checker.course import installed_course

KATA = installed_course().find("01")
ROOT = KATA.root
COMMAND = [sys.executable, "-c", "from checker.cli import main; main()", "grade"]
LIMITS = ["--run-seconds", "5", "--run-cpu", "1", "--budget", "30", "--seed", "17", "--format", "csv"]
HOSTILE = [
    "import os\nos._exit(0)\n",
    "raise SystemExit(0)\n",
    "while True: pass\n",
    "import os\nwhile True: os.fork()\n",
    "x = bytearray(4 << 30)\n",
    "import signal, os\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\n",
    "print('\\x1b[31m' * 10**6)\n",
]
BROKEN = ["", "def visit(:\n", "x = '\xe9'", "import nothing_of_that_name\n", "a\0b", "#" * 300_000]


def write(folder: Path, many: int) -> None:
    """Write the submissions."""
    honest = [KATA.solution, *KATA.alternatives, *KATA.mistakes, KATA.stub]
    texts = [path.read_bytes() for path in honest] * 4
    texts += [text.encode("latin-1") for text in BROKEN] + [text.encode() for text in HOSTILE]
    for number in range(many):
        place = folder / f"learner{number:04}"
        place.mkdir(parents=True)
        (place / f"{KATA.name}.py").write_bytes(texts[number % len(texts)])


def rows(out: Path) -> list[tuple[object, ...]]:
    """What the gradebook says of everybody."""
    with sqlite3.connect(out / "gradebook.sqlite") as base:
        found = base.execute(
            "SELECT g.learner, g.verdict, g.score, g.problem, g.mistake,"
            " t.name, t.verdict, t.points, t.ended, CASE t.ended WHEN 'refused' THEN '' ELSE t.message END"
            " FROM gradings g LEFT JOIN tests t ON t.learner = g.learner AND t.kata = g.kata ORDER BY 1, 6"
        ).fetchall()
    base.close()
    return found


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def grade(folder: Path, out: Path, *words: str, killer: random.Random | None = None) -> list[int]:
    """Grade to the end, whatever is killed on the way; the driver's memory, every so often."""
    seen: list[int] = []
    kills = 0
    while True:
        driver = subprocess.Popen(
            [*COMMAND, str(folder), "--out", str(out), *LIMITS, *words], stdout=subprocess.DEVNULL
        )
        strike = time.monotonic() + killer.uniform(3, 20) if killer and kills < 6 else None
        while driver.poll() is None:
            time.sleep(0.2)
            seen.append(memory(driver.pid))
            if strike is not None and time.monotonic() > strike:
                kills += 1
                strike = time.monotonic() + killer.uniform(3, 20) if killer and kills < 6 else None
                workers = children(driver.pid)
                victim = killer.choice([driver.pid, *workers]) if killer and workers else driver.pid
                with_driver = victim == driver.pid
                os.kill(victim, signal.SIGKILL)
                print(f"  killed the {'driver' if with_driver else 'worker'}", flush=True)
        if driver.returncode in (0, 1):
            return [size for size in seen if size]
        if driver.returncode != -signal.SIGKILL:
            raise SystemExit(f"kata grade ended with status {driver.returncode}")


@contextmanager
def cluster() -> Iterator[str]:
    """A Dask scheduler and two workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    from distributed import Client

    port = address.rpartition(":")[2]
    words = [["scheduler", "--host", "127.0.0.1", "--port", port], *[["worker", address, "--nthreads", "1"]] * 2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", *more, "--no-dashboard"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for name, *more in words
    ]  # fmt: skip
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    """Grade in every way, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--ways", default="two,one,dask,killed")
    options = parser.parse_args()
    digests = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "in")
        write(folder, options.submissions)
        for way in options.ways.split(","):
            out = Path(scratch, way)
            began = time.monotonic()
            if way == "dask":
                with cluster() as address:
                    sizes = grade(folder, out, "--dask", address)
            elif way == "killed":
                sizes = grade(folder, out, "--jobs", "2", killer=random.Random())
            else:
                sizes = grade(folder, out, "--jobs", "2" if way == "two" else "1")
            found = rows(out)
            digests[way] = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
            learners, faults = len({row[0] for row in found}), len({row[0] for row in found if row[1] == "error"})
            middle = sizes[len(sizes) // 3] if sizes else 0
            print(
                f"{way}: {learners} rows, {faults} faults, {time.monotonic() - began:.0f} s, rows {digests[way]},"
                f" driver {middle >> 20} MiB after a third, {max(sizes, default=0) >> 20} MiB at most",
                flush=True,
            )
            shutil.copyfile(out / "gradebook.sqlite", Path(tempfile.gettempdir(), f"thousand-{way}.sqlite"))
    if len(set(digests.values())) > 1:
        raise SystemExit("The ways do not agree.")


if __name__ == "__main__":
    main()
