"""A folder of the machine's for one sandbox that has no file system of its own."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from checker.runner import sweep
from checker.sandbox.interpreter import PACKAGE
from checker.sandbox.user import SpareUser, claimed, is_root, passable

REMOVAL = 10.0
"""Real seconds that removing a sandbox's folder may take."""
YOUNG = 60.0
"""Real seconds in which a folder may be without its lock since it is just being made."""
SHARED = "/dev/shm"
"""Where semaphores lie, everybody's in one folder."""
_PREFIX = "kata-sandbox-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Box:
    """A new folder with two in it, locked while its grader lives, so that others can tell whether it is abandoned.

    Args:
        uid: the user that the sandbox's runs are; 0: whoever the grader is.
    """

    def __init__(self, uid: int = 0) -> None:
        place = tempfile.gettempdir()
        if uid and not passable(place):
            place = "/tmp"
        _remove_abandoned(place)
        if uid:
            _remove_abandoned_among_others(uid)
        self._uid = uid
        self.folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        self._lock = os.open(self.folder, _FOLDER)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        harness, temp = Path(self.folder, "harness"), Path(self.folder, "tmp")
        harness.mkdir()
        temp.mkdir()
        (harness / "checker").symlink_to(PACKAGE)
        # All is the zygote's, which removes it at its end; a run is the same user, but may not change a mode.
        for each, mode in ((temp, 0o700), (harness, 0o500), (Path(self.folder), 0o500)):
            each.chmod(mode)
            if uid:
                os.chown(each, uid, uid)
        self.harness = str(harness)
        """Shows this package alone."""
        self.temp = str(temp)
        """For temporary files."""

    def remove(self) -> None:
        """Remove it with all that is in it, and what its user has elsewhere; nothing may run there any more."""
        sweep.remove(self.folder, REMOVAL)
        if self._uid:
            sweep.remove_owned(SHARED, self._uid, REMOVAL)
        os.close(self._lock)


def _remove_abandoned(place: str) -> None:
    """Remove what graders that were killed could not."""
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with suppress(OSError):
                    _remove_if_abandoned(entry.path)


def _remove_if_abandoned(folder: str) -> None:
    lock = os.open(folder, _FOLDER)
    try:
        status = os.fstat(lock)
        mine = (os.geteuid(), *SpareUser.IDS) if is_root() else (os.geteuid(),)
        if status.st_uid not in mine or time.time() - status.st_ctime < YOUNG:
            return
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its grader is alive
        sweep.remove(folder, REMOVAL)
    finally:
        os.close(lock)


def _remove_abandoned_among_others(uid: int) -> None:
    """Remove what spare users' runs have left in memory: an earlier one with this id, others where nobody has the id.

    A claim is not seen from another network namespace, which may share this folder: of others only old files go.
    """
    left = sweep.owned(SHARED, SpareUser.IDS).values()
    for user in {status.st_uid for status in left}:
        if user == uid:
            sweep.remove_owned(SHARED, user, REMOVAL)
        elif time.time() - max(status.st_ctime for status in left if status.st_uid == user) > YOUNG:
            claim = claimed(user)
            if claim is not None:
                with claim:
                    sweep.remove_owned(SHARED, user, REMOVAL)
