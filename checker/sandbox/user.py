"""Who a sandbox runs as: where the grader is root, a spare user that owns nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from checker.runner import observer
from checker.sandbox.unavailable import Unavailable


class SpareUser:
    """A user id that nobody has, from the range that is kept for such use, for a grader that is root.

    No two sandboxes may have the same one at a time, since a user's processes can end each other: each is
    claimed by a name among the abstract unix sockets, which the kernel gives up when its owner ends.
    """

    IDS = range(61184, 65184)

    def __init__(self) -> None:
        start = int.from_bytes(os.urandom(4), "big")
        for attempt in range(len(self.IDS)):
            self.uid = self.IDS[(start + attempt) % len(self.IDS)]
            claim = claimed(self.uid)
            if claim is not None:
                self._claim = claim
                return
        raise Unavailable("No user id is free for a sandbox; end other graders first.")

    def end_all(self) -> None:
        """End every process of this user: one of its own does it, so that nobody else can be meant."""
        code = "import os, sys; uid = int(sys.argv[1]); os.setgroups([]); os.setresgid(uid, uid, uid)"
        code += "; os.setresuid(uid, uid, uid); os.kill(-1, 9)"
        subprocess.run([sys.executable, "-I", "-S", "-c", code, str(self.uid)], check=False, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        """Give the id up."""
        self._claim.close()


def claimed(uid: int) -> socket.socket | None:
    """A user id, claimed as long as this socket is open; None where a sandbox has it."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0asyncio-katas/user/{uid}")
    except OSError:
        claim.close()
        return None
    return claim


def spare_user() -> SpareUser | None:
    """A spare user where the grader is root; an ordinary user can become nobody else."""
    return SpareUser() if is_root() else None


def is_root() -> bool:
    """Whether this process may become any user; root without that right, as in some containers, is an ordinary one."""
    status = observer.read("/proc/self/status").partition(b"\nCapEff:")[2].split()
    held = int(status[0], 16) if status else 0
    return os.getuid() == 0 and all(held >> right & 1 for right in _RIGHTS_OF_ROOT)


_RIGHTS_OF_ROOT = (0, 5, 6, 7)
"""CAP_CHOWN, CAP_KILL, CAP_SETGID and CAP_SETUID of linux/capability.h."""


def passable(folder: str | Path) -> bool:
    """Whether any user can reach what lies in this folder."""
    place = Path(folder).resolve()
    return all(each.stat().st_mode & 0o001 for each in (place, *place.parents))
