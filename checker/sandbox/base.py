"""What all sandboxes share: a process started with one end of a socket, and how to be rid of it."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from checker.runner import observer, sweep
from checker.runner.confine import Plan
from checker.values import printable

BOOT = """\
import gc, os, sys
gc.disable()  # until all is loaded: nothing of that is garbage
uid, paths = int(sys.argv[1]), sys.argv[2].split(os.pathsep)
del sys.argv[1:3]
if uid:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
sys.path[:0] = paths
from checker.runner.zygote import main
main()
"""
"""What the runner's interpreter runs first: become nobody (where the grader is root), then the zygote."""

ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    # aiohttp reads the machine's certificates when it is imported, 50 ms in which nobody would be trusted after all.
    "SSL_CERT_FILE": "/dev/null",
    # Local time is not UTC, or a naive moment taken for UTC would not show; no summer time, of which
    # freezegun knows nothing.
    "TZ": "<+02>-2",
}
"""The whole environment of a runner."""

REMOVAL = 10.0
"""Real seconds that removing a sandbox's folder may take."""
PACKAGE = Path(__file__).resolve().parents[1]


class Unavailable(RuntimeError):
    """This machine does not offer the sandbox that was asked for; says what to do."""


class Sandbox:
    """A running sandbox: its first process and the socket to it.

    Args:
        kind: `bwrap`, `landlock` or `none`.
        process: the process that holds the sandbox; ending it ends everything within.
        control: the grader's end of the control socket.
        user: the spare user that it runs as, if there is one.
        folder: a folder of the machine's that is only this sandbox's, to be removed at the end.
        complaints: a file in memory with what was written on standard error.
    """

    def __init__(
        self,
        kind: str,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        user: SpareUser | None = None,
        folder: str | None = None,
        complaints: int | None = None,
    ) -> None:
        self.kind = kind
        self.process = process
        self.control = control
        self._user = user
        self._folder = folder
        self._complaints = complaints

    def close(self) -> None:
        """End everything in the sandbox; does no harm twice."""
        self.control.close()
        killed = False
        # At the end of the stream the first process leaves by itself, and with it everything in the sandbox.
        try:
            self.process.wait(timeout=3.0)
        except subprocess.TimeoutExpired:
            killed = True
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
        if self._user is not None:
            if killed or (self.process.returncode and self.kind != "bwrap"):
                self._user.end_all()
            self._user.close()
        if self._folder is not None:
            _remove(self._folder)
            self._folder = None
        if self._complaints is not None:
            os.close(self._complaints)
            self._complaints = None

    def failure(self) -> str:
        """Why it did not come up, as far as can be told, to be put behind a sentence's last word."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(timeout=1.0)
            said = "" if self._complaints is None else os.pread(self._complaints, 1 << 16, 0).decode(errors="replace")
            lines = [line for line in said.split("\n") if line.strip()]
            last = f": {printable(lines[-1].strip()[:200])}" if lines else ""
            return f" (exit status {code}{last})" if code >= 0 else f" (signal {-code}{last})"
        return ""


def start(
    kind: str,
    command: Sequence[str],
    control: tuple[socket.socket, socket.socket],
    *,
    descriptors: Sequence[int] = (),
    user: SpareUser | None = None,
    box: Box | None = None,
) -> Sandbox:
    """Start a sandbox's first process.

    Args:
        kind: `bwrap`, `landlock` or `none`.
        control: the grader's end of the control socket and the zygote's, which is closed here.
        descriptors: open ones for it, beside its end of the control socket.
        user: the spare user that it is going to be.
        box: where it works; None: it has a file system of its own, and is given its environment there.
    """
    ours, theirs = control
    environment = {} if box is None else {**ENVIRONMENT, "HOME": box.temp, "TMPDIR": box.temp}
    complaints = None if os.environ.get("KATA_DEBUG") else os.memfd_create("complaints")
    with theirs:
        process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno(), *descriptors],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment,
            cwd=box.temp if box is not None else None,
            start_new_session=True,
        )
    return Sandbox(kind, process, ours, user, box.folder if box is not None else None, complaints)


class SpareUser:
    """A user id that nobody has, from the range that is kept for such use, for a grader that is root.

    No two sandboxes may have the same one at a time, since a user's processes can end each other: each is
    claimed by a name among the abstract unix sockets, which the kernel gives up when its owner ends.
    """

    FIRST, MANY = 61184, 4000

    def __init__(self) -> None:
        self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        start = int.from_bytes(os.urandom(4), "big")
        for attempt in range(self.MANY):
            self.uid = self.FIRST + (start + attempt) % self.MANY
            with suppress(OSError):
                self._claim.bind(f"\0asyncio-katas/user/{self.uid}")
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


class Box(NamedTuple):
    """A folder of the machine's for one sandbox, and two in it."""

    folder: str
    harness: str
    """Shows this package alone."""
    temp: str
    """For temporary files."""


def make_box(kind: str, uid: int = 0) -> Box:
    """Make such a folder, for a user."""
    place = tempfile.gettempdir()
    if uid and not passable(place):
        place = "/tmp"
    folder = tempfile.mkdtemp(prefix=f"kata-{kind}-", dir=place)
    Path(folder).chmod(0o711)  # the spare user passes through it
    harness, temp = Path(folder, "harness"), Path(folder, "tmp")
    for each, mode in ((harness, 0o755), (temp, 0o700)):
        each.mkdir()
        each.chmod(mode)  # whatever the grader's own mask is
    (harness / "checker").symlink_to(PACKAGE)
    if uid:
        os.chown(temp, uid, uid)
    return Box(folder, str(harness), str(temp))


def passable(folder: str | Path) -> bool:
    """Whether any user can reach what lies in this folder."""
    place = Path(folder).resolve()
    return all(each.stat().st_mode & 0o001 for each in (place, *place.parents))


def _remove(folder: str) -> None:
    harness = Path(folder, "harness")
    with suppress(OSError):
        (harness / "checker").unlink()
        harness.rmdir()
    sweep.remove(folder, REMOVAL)


def site_packages() -> list[str]:
    """The folders that hold installed packages, in the order in which they are looked through.

    More than one where packages of the system, of the machine and of the user stand beside each other. Other folders
    from which this process imports are left out: there may lie anything, the course's solutions too.
    """
    named = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    searched = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    found = dict.fromkeys(str(Path(path).resolve()) for path in [*searched, *named])
    return [path for path in found if Path(path).is_dir()]


def interpreter(
    paths: Sequence[str], descriptor: int, preload: Sequence[str], plan: Plan, *, uid: int = 0, boot: str = BOOT
) -> list[str]:
    """The command that starts the zygote; the interpreter reads no environment and no site files."""
    command = [python(), "-I", "-S", "-B", "-X", "utf8", "-c", boot, str(uid), os.pathsep.join(paths)]
    return [*command, str(descriptor), msgspec.json.encode(plan).decode(), *preload]


def python() -> str:
    """The interpreter itself: that of a virtual environment would look for files that are not shown."""
    return str(getattr(sys, "_base_executable", sys.executable))


def read_only() -> list[str]:
    """Python, its libraries and the installed packages; of the system, what these are linked to."""
    base = Path(sys.base_prefix)
    paths = [Path("/usr/lib"), Path("/usr/bin"), Path("/usr/share/zoneinfo"), Path("/etc/ld.so.cache")]
    paths += [Path("/usr/lib64"), Path("/usr/lib32")]
    paths += [path for path in map(Path, ("/bin", "/lib", "/lib64")) if not path.is_symlink()]
    paths += [base / "lib", base / "bin", Path(python()).parent, *map(Path, site_packages())]
    found: list[Path] = []
    for path in paths:
        with suppress(OSError):
            if path.exists() and not any(path == other or other in path.parents for other in found):
                found.append(path)
    return [str(path) for path in found]


def compile_runner() -> None:
    """Have the runner's byte code ready: a read-only sandbox could not keep it and compiles each time."""
    for source in (*PACKAGE.glob("*.py"), *(PACKAGE / "runner").glob("*.py")):
        cached = Path(importlib.util.cache_from_source(str(source)))
        with suppress(OSError):
            if not cached.exists() or cached.stat().st_mtime < source.stat().st_mtime:
                py_compile.compile(str(source), quiet=2)
