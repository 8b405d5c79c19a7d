"""Waiting for other processes: never for a time, always for what must come about."""

import time


def until(condition, what, patience=120.0):
    """Wait until something has come about, and return it; `patience`: real seconds until it is said never to have."""
    limit = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < limit, f"never {what}"
        time.sleep(0.01)
    return found
