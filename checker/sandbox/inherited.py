"""What this process was started with and hands down to every run: limits that nobody below can raise again.

A run is given limits of its own.  Where the shell, the service manager or a cluster's scheduler allows less, a
right answer would fail for want of it; so nothing is graded then.
"""

from __future__ import annotations

import resource

from checker.messages import Limits
from checker.sandbox.unavailable import Unavailable

MIB = 1 << 20


def check(limits: Limits) -> None:
    """See to it that runs can have what their limits promise them.

    Raises:
        Unavailable: this process may not have as much itself; says which limit it is, and what to do.
    """
    for number, wanted, unit, what, remedy in (
        (resource.RLIMIT_NOFILE, limits.files, 1, "open files", "ulimit -n"),
        (resource.RLIMIT_AS, limits.memory, MIB, "MiB of memory", "ulimit -v; or give runs less by --memory"),
        (resource.RLIMIT_DATA, limits.memory, MIB, "MiB of data", "ulimit -d; or give runs less by --memory"),
        (resource.RLIMIT_CPU, limits.cpu + 1, 1, "s of processor time", "ulimit -t; or give runs less by --run-cpu"),
        (resource.RLIMIT_FSIZE, limits.file_size, MIB, "MiB in a file", "ulimit -f; or give runs less by --output"),
    ):
        allowed = resource.getrlimit(number)[1]
        if allowed != resource.RLIM_INFINITY and allowed < wanted:
            raise Unavailable(
                f"Here a process may have no more than {allowed // unit} {what}, and a run may need {wanted // unit}."
                f" Raise that limit ({remedy})."
            )
