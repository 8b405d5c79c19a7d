"""Where untrusted code runs: a process that sees nothing of the grader's, and ends when told to.

`launch` starts the runner's first process in the best sandbox there is.  The kinds, from the strongest:

`bwrap`     bubblewrap: namespaces of its own, a read-only Python, a seccomp filter.  See `bwrap`.
`landlock`  files, ports and signals shut off by the kernel's Landlock, all else by seccomp.  See `landlock`.
`none`      a session of its own and real limits, nothing more.  See `plain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from checker.sandbox.base import Sandbox
from checker.sandbox.unavailable import Unavailable

KINDS = ("auto", "bwrap", "landlock", "none")
_refused: set[str] = set()


def launch(kind: str, preload: Sequence[str] = ()) -> Sandbox:
    """Start a sandbox.

    Args:
        kind: one of `KINDS`; `auto` takes the best one that starts here.
        preload: modules that the runner loads before it forks.

    Raises:
        Unavailable: this machine does not offer that kind; says what to do.
    """
    if kind not in KINDS:
        raise Unavailable(f"There is no sandbox {kind!r}; choose one of {', '.join(KINDS)}.")
    if kind != "auto":
        return _launch(kind, preload)
    for each in KINDS[1:-1]:
        if each not in _refused:
            with suppress(Unavailable):
                return _launch(each, preload)
    return _launch(KINDS[-1], preload)


def refuse(kind: str) -> None:
    """Remember for this process that a kind does not start here, so that `auto` does not try it again."""
    _refused.add(kind)


def _launch(kind: str, preload: Sequence[str]) -> Sandbox:
    if kind == "bwrap":
        from checker.sandbox import bwrap

        return bwrap.launch(preload)
    if kind == "landlock":
        from checker.sandbox import landlock

        return landlock.launch(preload)
    from checker.sandbox import plain

    return plain.launch(preload)


__all__ = ["KINDS", "Sandbox", "Unavailable", "launch", "refuse"]
