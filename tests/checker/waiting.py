"""Waiting for other processes: never for a time, always for what must come about."""

import os
import time
from pathlib import Path

from checker.runner import observer


def until(condition, what, patience=120.0):
    """Wait until something has come about, and return it; `patience`: real seconds until it is said never to have."""
    limit = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < limit, f"never {what}"
        time.sleep(0.01)
    return found


def busy(root):
    """The process below this one that has used a second of processor time: of a grading, only an endless loop does."""
    for pid in observer.descendants(root)[1:]:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[11]) > os.sysconf("SC_CLK_TCK"):
            return pid
    return None
