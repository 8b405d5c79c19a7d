"""Runs a command and tells, as JSON in a file, which of its processes have outlived it.

Everything that a process of the command leaves behind becomes a child of this one, also across namespaces,
since their first processes are its descendants; so what is left can be told from the processes of others.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 20.0
"""Real seconds that killed processes get to be gone; a daemon would be there for ever."""


def main() -> None:
    """Arguments: the file, then the command."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    status = subprocess.call(sys.argv[2:])
    give_up = time.monotonic() + PATIENCE
    left = descendants()
    while left and time.monotonic() < give_up:
        time.sleep(0.02)
        left = descendants()
    Path(sys.argv[1]).write_text(json.dumps({"status": status, "left": left}))


def descendants() -> list[str]:
    """The command lines of all living descendants of this process; the dead among its children are buried."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(name)] = int(fields[1])
    found: set[int] = set()
    grown = {os.getpid()}
    while grown:
        grown = {pid for pid, parent in parents.items() if parent in grown} - found
        found |= grown
    return [_command(pid) for pid in sorted(found)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")[:200] or str(pid)
    except OSError:
        return str(pid)


if __name__ == "__main__":
    main()
