"""Watches what a run uses, all its processes together, and says when it is too much.

Limits of single processes do not add up to one of the whole: children each have their own, and files in
memory count for nobody.  So the sandbox's first process looks every few hundredths of a second.  A run
that has ended by then costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checker import messages
from checker.runner import observer, sweep

FIRST, EVERY = 0.03, 0.025
"""Real seconds until the first look, and from look to look."""
SHARE = 20
"""Looking takes at most this part (one in so many) of the time."""
DEPTH = 50
"""Folders within folders; more of them count as too many entries."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Excess(NamedTuple):
    """What was used too much of: `memory` (bytes), `disk` (bytes), `entries` or `processes`."""

    reason: str
    used: int
    limit: int


class Warden:
    """Watches one run.

    Args:
        limits: the run's limits.
        folders: where the run may write.
        counted: whether each folder is a file system of its own, held in memory, that knows what it holds.
        shared: a folder in memory that is others' too: what in it belongs to `uid` is the run's; empty: there is none.
        uid: the user that the run is, and nobody else.
    """

    def __init__(
        self, limits: messages.Limits, folders: Sequence[str], *, counted: bool, shared: str = "", uid: int = 0
    ) -> None:
        self._limits = limits
        self._folders = folders
        self._counted = counted
        self._shared = shared
        self._uid = uid
        self.due = time.monotonic() + FIRST

    def look(self, pids: Sequence[int]) -> Excess | None:
        """What these processes use too much of, if anything; sets `due`, when to look again."""
        began = time.monotonic()
        found = self._look(pids)
        now = time.monotonic()
        self.due = now + max(EVERY, SHARE * (now - began))
        return found

    def _look(self, pids: Sequence[int]) -> Excess | None:
        limits = self._limits
        uses = [use for pid in pids if (use := _use(pid)) is not None]
        stored, in_memory, entries = _file_systems(self._folders) if self._counted else self._walk(pids)
        tasks = sum(threads for _, threads, _ in uses)
        if tasks > limits.processes:
            return Excess("processes", tasks, limits.processes)
        if entries > limits.entries:
            return Excess("entries", entries, limits.entries)
        if stored > limits.disk and not self._counted:
            return Excess("disk", stored, limits.disk)
        if in_memory + sum(resident for _, _, resident in uses) > limits.memory:
            # That counts pages shared by several processes several times: now exactly.
            used = in_memory + sum(_share(base, resident) for base, _, resident in uses)
            if used > limits.memory:
                return Excess("memory", used, limits.memory)
        return None

    def _walk(self, pids: Sequence[int]) -> tuple[int, int, int]:
        """Bytes, bytes of these in memory, and entries: in the folders, and removed files that are still open.

        A file with several names, or open several times, takes its room once.
        """
        mine = sweep.owned(self._shared, (self._uid,)) if self._shared else {}
        sizes = {_place(found): found.st_blocks * 512 for found in mine.values()}
        entries = len(mine)
        for found in _entries(self._folders):
            entries += 1
            if found is None or entries > self._limits.entries:
                entries = max(self._limits.entries + 1, entries)
                break
            sizes[_place(found)] = found.st_blocks * 512
        for pid in pids:
            sizes.update((_place(removed), removed.st_blocks * 512) for removed in _removed_but_open(pid))
        memory = os.stat(self._shared).st_dev if self._shared else None
        in_memory = sum(size for (device, _), size in sizes.items() if device == memory)
        return sum(sizes.values()), in_memory, entries


def _place(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _use(pid: int) -> tuple[str, int, int] | None:
    """Where /proc tells of a process, how many threads it has, and how many bytes of memory."""
    base = f"/proc/{pid}"
    try:
        state, threads, resident = _stat(base)
        if state in b"ZX":
            if threads <= 1:
                return None
            # Its first thread has ended and knows nothing of the memory any more; the others do.
            base = f"{base}/task/{next(name for name in os.listdir(f'{base}/task') if name != str(pid))}"
            _, _, resident = _stat(base)
    except (OSError, StopIteration, IndexError):
        return None
    return base, threads, resident * _PAGE


def _stat(base: str) -> tuple[bytes, int, int]:
    fields = observer.read(f"{base}/stat").rpartition(b")")[2].split()
    return fields[0], int(fields[17]), int(fields[21])


def _share(base: str, resident: int) -> int:
    """A process's share of the memory that it uses; all of it where the process has made that a secret."""
    try:
        lines = observer.read(f"{base}/smaps_rollup").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended since, and what it shared is the others'
        return 0
    except OSError:
        return resident
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith((b"Pss:", b"SwapPss:")))


def _file_systems(folders: Sequence[str]) -> tuple[int, int, int]:
    size = entries = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            found = os.statvfs(folder)
            size += (found.f_blocks - found.f_bfree) * found.f_frsize
            entries += found.f_files - found.f_ffree
    return size, size, entries


def _entries(folders: Sequence[str]) -> Iterator[os.stat_result | None]:
    """Everything below these folders; None for a tree too deep to be followed."""
    for folder in folders:
        with contextlib.suppress(OSError):
            yield from _below(sweep.opened(folder), DEPTH)


def _below(folder: int, depth: int) -> Iterator[os.stat_result | None]:
    try:
        for name in os.listdir(folder):
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                inner = sweep.opened(name, folder) if stat.S_ISDIR(found.st_mode) and depth else None
            except OSError:
                continue  # it has just been removed
            yield found
            if inner is not None:
                yield from _below(inner, depth - 1)
            elif stat.S_ISDIR(found.st_mode):
                yield None
    finally:
        os.close(folder)


def _removed_but_open(pid: int) -> Iterator[os.stat_result]:
    base = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(base):
            with contextlib.suppress(OSError):
                found = os.stat(f"{base}/{name}")
                if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                    yield found
