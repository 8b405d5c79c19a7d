"""Tells from outside whether a run is asleep: all threads of all its processes, and nothing in flight.

A process cannot know this of itself: a thread that waits for the interpreter lock and one that waits for
ever look alike from within.  From outside, at a moment when *every* thread sleeps, nobody can hold the
lock who would go on, so nothing goes on by itself.  That there was one such moment is shown by two looks
between which no thread has run: asleep in both, with the same count of time slices.

Reads /proc, which needs no permission for a process's state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence


class Observer:
    """Looks at the threads of a run again and again, and keeps open what it reads of them until it is closed.

    Args:
        alone: whether this process is process 1 of a pid namespace, in which there is nobody but the run. Then who is
            there is looked up only when somebody has been born since all were last seen asleep.
    """

    MOST_OPEN = 300

    def __init__(self, *, alone: bool = False) -> None:
        self._alone = alone
        self._files: dict[str, int] = {}
        self._known: dict[int, list[str]] = {}
        """The processes with their threads as they were then; some may have ended. Empty where that is not known."""
        self._newest = b""
        """The last number that had been given to a process or thread by then."""

    def processes(self) -> list[int]:
        """All processes of the run: everybody who is there, and maybe some who have ended."""
        return list(self._known) if self._is_known() else processes(alone=self._alone)

    def is_quiet(
        self,
        pids: Sequence[int],
        listed: Callable[[], Sequence[int]],
        in_flight: Callable[[], bool] = lambda: False,
        *,
        strict: bool = True,
    ) -> bool:
        """Whether there was a moment, just now, at which all these processes slept and nothing was in flight.

        Args:
            pids: the processes of the run.
            listed: lists them anew.  A process may be born after the list was made, and its parent fall asleep
                before it is looked at: what is listed between the two looks holds everyone who is there then.
            in_flight: tells whether bytes are under way to them.
            strict: whether a thread must be seen off the processors' queues; not every kernel shows that.
        """
        known = self._is_known()
        newest = self._last_born() if self._alone else b""
        sleeps = self._waits if strict else self._is_asleep
        threads = self._known if known else {pid: _threads(pid) for pid in pids}
        first = self._look(threads, sleeps)
        if first is None or in_flight() or set(listed()) != set(pids):
            return False
        if known and not self._is_known():
            return False  # somebody was born before the look, and is not looked at
        again = threads if known else {pid: _threads(pid) for pid in pids}
        if first != self._look(again, self._is_asleep):
            return False
        # Who is about to be born has its number already, but then its parent does not sleep.
        if self._alone and newest == self._last_born():
            self._known, self._newest = again, newest
        return True

    def close(self) -> None:
        """Close everything that is open."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _is_known(self) -> bool:
        if self._known and self._newest != self._last_born():
            self._known = {}
        return bool(self._known)

    def _last_born(self) -> bytes:
        """The last number given to a process or thread in this pid namespace, see proc(5)."""
        return self._read("/proc/loadavg").rpartition(b" ")[2]

    def _look(
        self, threads: Mapping[int, Sequence[str]], sleeps: Callable[[str, int], bool]
    ) -> list[tuple[str, bytes]] | None:
        """Each thread with its count of time slices; None as soon as one does not sleep.

        The count is taken first: one that sleeps after that, and has the same count in a later look in which it
        sleeps, has slept all the time between.
        """
        seen = []
        for pid, own in threads.items():
            for thread in own:
                base = f"/proc/{pid}/task/{thread}"
                try:
                    seen.append((base, _slices(base, self._read)))
                    if not sleeps(base, pid):
                        return None
                except OSError:
                    continue
        return seen

    def _is_asleep(self, base: str, _pid: int) -> bool:
        # The state follows the name, which may hold anything but ends at the last bracket.
        return self._read(f"{base}/stat").rpartition(b")")[2][1:2] in b"SZX"

    def _waits(self, base: str, pid: int) -> bool:
        """Whether a thread is seen to wait somewhere.

        About to sleep, and interrupted: on a busy machine a thread may look asleep for long, and then find that
        what it was to wait for is there. It waits somewhere only when it has left the queue.
        """
        global shows_waits
        waits = self._read(f"{base}/wchan") != b"0"
        shows_waits |= waits
        return waits or not is_alive(pid)

    def _read(self, path: str) -> bytes:
        """The beginning of a file of /proc, written anew each time that it is read from its start."""
        file = self._files.get(path)
        if file is not None:
            try:
                return os.pread(file, _ENOUGH, 0)
            except ProcessLookupError:  # that thread has ended; another one may have its number by now
                os.close(self._files.pop(path))
        if len(self._files) >= self.MOST_OPEN:
            self.close()
        file = self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(file, _ENOUGH, 0)


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


_ENOUGH = 1024
"""Bytes of what is told of one thread."""
shows_waits = False
"""Whether this kernel has ever shown where a thread waits. One that hides it shows `0` for all of them."""


def endless_wait(pids: Sequence[int]) -> bytes | None:
    """Whether these processes are a single thread, which waits in the kernel without a time limit.

    Returns:
        How many time slices it has had, which tells whether it is the same wait later; None where it does not wait
        so, or the kernel does not tell: /proc/PID/syscall, see proc(5).
    """
    try:
        if len(pids) != 1 or len(os.listdir(f"/proc/{pids[0]}/task")) != 1:
            return None
        slices = _slices(f"/proc/{pids[0]}", read)
        number, *arguments = read(f"/proc/{pids[0]}/syscall").split()
    except (OSError, ValueError):
        return None
    futex, *others = _WAITING.get(os.uname().machine, (b"",))
    return slices if number in others or (number == futex and arguments[3:4] == [b"0x0"]) else None


_WAITING = {
    # futex, whose fourth argument is its time limit; these have none: read, recvfrom, recvmsg, accept4 and sendto.
    # Not write: a signal makes it give up with a part of the bytes.
    "x86_64": (b"202", b"0", b"45", b"47", b"288", b"44"),
    "aarch64": (b"98", b"63", b"207", b"212", b"242", b"206"),
}


def is_helper(pid: int) -> bool:
    """Whether a process is one of multiprocessing's own, which wait for orders and do no work of the run's."""
    try:
        command = read(f"/proc/{pid}/cmdline")
        if b"multiprocessing.forkserver" in command:
            # Its workers carry its command line; they are known by their parent.
            parent = int(read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1])
            return b"multiprocessing.forkserver" not in read(f"/proc/{parent}/cmdline")
    except OSError:
        return True
    return b"multiprocessing.resource_tracker" in command


def _slices(base: str, reader: Callable[[str], bytes]) -> bytes:
    try:
        return reader(f"{base}/schedstat").rsplit(b" ", 1)[-1]
    except FileNotFoundError:  # a kernel without scheduler statistics counts switches all the same
        lines = read(f"{base}/status").splitlines()
        return b"".join(line for line in lines if b"ctxt_switches" in line)


def is_working(pid: int) -> bool:
    """Whether a process is alive, neither ended and waiting to be reaped nor one of the helpers."""
    return elsewhere is not None or (is_alive(pid) and not is_helper(pid))


def read(path: str) -> bytes:
    """The beginning of a file of /proc: a page at least, which is all that a process's own hold."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 16)
    finally:
        os.close(descriptor)


def processes(*, alone: bool) -> list[int]:
    """All processes of a run, asked by the zygote.

    One that has ended counts until it is reaped: its parent is about to hear of it.

    Args:
        alone: whether the zygote is process 1 of a pid namespace, in which there is nobody else.
    """
    if not alone:
        return descendants(os.getpid())[1:]
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def descendants(root: int) -> list[int]:
    """A process and all that came of it; one that has ended counts until it is reaped."""
    if elsewhere is not None:
        return [root, *elsewhere()]
    try:
        return _tree(root)
    except FileNotFoundError:  # a kernel without lists of children
        return _search(root)


elsewhere: Callable[[], list[int]] | None = None
"""Gives this process's children at work, where /proc cannot be seen from here: as `asked`, in step with the clock."""
asked: Callable[[], list[int]] | None = None
"""Asks the zygote, which does see /proc."""


def is_alive(pid: int) -> bool:
    """Whether a process still has a thread: one that has ended waits as a zombie to be reaped."""
    try:
        fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return False
    # The first thread may have ended before the others; then it is shown as a zombie too.
    return fields[0] not in b"ZX" or int(fields[17]) > 1


def tasks() -> int:
    """How many processes and threads there are on this machine."""
    return int(read("/proc/loadavg").split()[3].partition(b"/")[2])


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                children = read(f"/proc/{pid}/task/{thread}/children")
            except ProcessLookupError:
                continue
            except FileNotFoundError:
                if pid == root and thread == str(root):
                    raise
                continue
            found += [int(child) for child in children.split()]
    return found


def _search(root: int) -> list[int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found
