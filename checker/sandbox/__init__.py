"""Where untrusted code runs: a process that sees nothing of the grader's, and ends when told to.

`launch` starts the runner's first process in the best sandbox there is.  The kinds, from the strongest:

`bwrap`  bubblewrap: namespaces of its own, a read-only Python, a seccomp filter.  See `bwrap`.
`none`   a session of its own and real limits, nothing more.  See `plain`.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.sandbox.base import Sandbox, Unavailable

KINDS = ("auto", "bwrap", "landlock", "none")


def launch(kind: str, preload: Sequence[str] = ()) -> Sandbox:
    """Start a sandbox.

    Args:
        kind: one of `KINDS`; `auto` takes the best one that starts here.
        preload: modules that the runner loads before it forks.

    Raises:
        Unavailable: this machine does not offer that kind; says what to do.
    """
    if kind == "landlock":
        raise Unavailable("The landlock sandbox is not part of this version; use --sandbox bwrap or none.")
    if kind in ("auto", "bwrap"):
        from checker.sandbox import bwrap

        try:
            return bwrap.launch(preload)
        except Unavailable:
            if kind == "bwrap":
                raise
    from checker.sandbox import plain

    return plain.launch(preload)


__all__ = ["KINDS", "Sandbox", "Unavailable", "launch"]
