"""Empties folders that a submission has filled, whatever it has made of them.

Directories without permissions, names of any bytes, trees deeper than any path may be long: a folder is
emptied level by level, its subfolders moved up first, so that no path is longer than one name.  All is
done on open directories, never through a link.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Container

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


Inventory = dict[str, tuple[int, frozenset[str]]]
"""Of each folder: its mode, and the names in it."""


def opened(name: str, within: int | None = None) -> int:
    """A descriptor of a folder, never of what a link points to; its owner gets all rights on it if they lack.

    Raises:
        OSError: it is no folder, or someone else's.
    """
    try:
        return os.open(name, os.O_RDONLY | _FOLDER, dir_fd=within)
    except PermissionError:
        # By descriptor: a name might by now be a link to something else.
        place = os.open(name, os.O_PATH | _FOLDER, dir_fd=within)
        try:
            os.chmod(f"/proc/self/fd/{place}", 0o700)
            return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        finally:
            os.close(place)


def inventory(folder: str) -> Inventory:
    """The folder and those in it that lie on the same file system: mode and names of each."""
    device = os.stat(folder).st_dev
    found = {}
    waiting = [folder]
    for place in waiting:
        names = frozenset(os.listdir(place))
        found[place] = os.stat(place).st_mode & 0o7777, names
        inner = [os.path.join(place, name) for name in names]
        waiting += [path for path in inner if os.path.isdir(path) and os.stat(path).st_dev == device]
    return found


def changed(before: Inventory) -> bool:
    """Whether a folder holds anything else than its inventory says; nearly always it does not."""
    try:
        return any(
            os.stat(folder).st_mode & 0o7777 != mode or set(os.listdir(folder)) != names
            for folder, (mode, names) in before.items()
        )
    except OSError:
        return True


def restore(before: Inventory, seconds: float) -> bool:
    """Remove what an inventory does not name; False as with `empty`."""
    try:
        for folder, (mode, _) in before.items():
            if os.stat(folder).st_mode & 0o7777 != mode:  # one that belongs to another user cannot have been changed
                os.chmod(folder, mode)
    except OSError:
        return False
    return all(empty(folder, seconds, names) for folder, (_, names) in before.items()) and not changed(before)


def empty(folder: str, seconds: float, kept: frozenset[str] = frozenset()) -> bool:
    """Remove what is in a folder; False if that takes more than so many real seconds, or is refused."""
    deadline = time.monotonic() + seconds
    try:
        top = opened(folder)
    except OSError:
        return False
    try:
        while names := [name for name in os.listdir(top) if name not in kept]:
            removed = 0
            for name in names:
                if time.monotonic() > deadline:
                    return False
                removed += _remove(top, name, deadline)
            if not removed:
                return False
    except OSError:
        return False
    finally:
        os.close(top)
    return True


def remove(folder: str, seconds: float) -> bool:
    """Remove a folder and all that is in it, whatever its mode; see `empty`."""
    with contextlib.suppress(OSError):
        top = opened(folder)
        try:
            os.fchmod(top, 0o700)
        finally:
            os.close(top)
    if not empty(folder, seconds):
        return False
    with contextlib.suppress(OSError):
        os.rmdir(folder)
        return True
    return False


def owned(folder: str, users: Container[int]) -> dict[str, os.stat_result]:
    """What in a folder belongs to these users, without what lies in its subfolders; empty where it cannot be listed."""
    found = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # it has just been removed
                status = entry.stat(follow_symlinks=False)
                if status.st_uid in users:
                    found[entry.name] = status
    return found


def remove_owned(folder: str, user: int, seconds: float) -> bool:
    """Remove what in a folder, which is others' too, belongs to a user that has no process; see `empty`."""
    deadline = time.monotonic() + seconds
    while names := owned(folder, (user,)):
        removed = 0
        with contextlib.suppress(OSError):
            top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for name in names:
                    if time.monotonic() > deadline:
                        return False
                    removed += _remove(top, name, deadline)
            finally:
                os.close(top)
        if not removed:
            return False
    return True


def _remove(top: int, name: str, deadline: float) -> bool:
    try:
        os.unlink(name, dir_fd=top)
    except IsADirectoryError:
        with contextlib.suppress(OSError):
            return _remove_folder(top, name, deadline)
        return False
    except OSError:
        return False
    return True


def _remove_folder(top: int, name: str, deadline: float) -> bool:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=top)
        return True
    folder = opened(name, top)
    try:
        os.fchmod(folder, 0o700)
        for inner in os.listdir(folder):
            if time.monotonic() > deadline:
                return False
            _move_up(folder, inner, top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return True


def _move_up(folder: int, name: str, top: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=folder)
            return
        # To be moved, a folder must be writable itself: its `..` changes.
        inner = opened(name, folder)
        try:
            os.fchmod(inner, 0o700)
        finally:
            os.close(inner)
        os.rename(name, os.urandom(16).hex(), src_dir_fd=folder, dst_dir_fd=top)
