"""No sandbox: the runner in a session of its own, with an empty environment and real limits.

Keeps accidents in, not intent: a submission can read whatever the user may read.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from checker.runner.confine import Plan
from checker.sandbox.base import Sandbox, start
from checker.sandbox.box import Box
from checker.sandbox.interpreter import compile_runner, interpreter, site_packages


def launch(preload: Sequence[str]) -> Sandbox:
    """Start the runner as an ordinary child process."""
    compile_runner()
    control = socket.socketpair()
    box = Box()
    plan = Plan(temp=box.temp, swept=[box.temp], box=box.folder)
    command = interpreter([*site_packages(), box.harness], control[1].fileno(), preload, plan)
    return start("none", command, control, box=box)
