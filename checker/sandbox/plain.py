"""No sandbox: the runner in a session of its own, with an empty environment and real limits.

Keeps accidents in, not intent: a submission can read whatever the user may read.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence

from checker.runner.confine import Plan
from checker.sandbox.base import ENVIRONMENT, Sandbox, box, compile_runner, interpreter, site_packages


def launch(preload: Sequence[str]) -> Sandbox:
    """Start the runner as an ordinary child process."""
    compile_runner()
    ours, theirs = socket.socketpair()
    folder, harness, temp = box("none")
    plan = Plan(temp=temp, swept=[temp])
    with theirs:
        process = subprocess.Popen(
            interpreter([*site_packages(), harness], theirs.fileno(), preload, plan),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("KATA_DEBUG") else subprocess.DEVNULL,
            env={**ENVIRONMENT, "HOME": temp, "TMPDIR": temp},
            cwd=temp,
            start_new_session=True,
        )
    return Sandbox("none", process, ours, folder=folder)
