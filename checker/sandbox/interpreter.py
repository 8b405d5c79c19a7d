"""The runner's interpreter: its command, its environment, and the folders that it needs to see."""

from __future__ import annotations

import importlib.util
import py_compile
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from checker.runner.confine import Plan

PACKAGE = Path(__file__).resolve().parents[1]
BOOT = """\
import gc, os, sys
gc.disable()  # until all is loaded: nothing of that is garbage
uid, paths = int(sys.argv[1]), sys.argv[2].splitlines()
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
    # Sets of strings keep one order: an answer that hangs on it would lose points in one grading, and none in the next.
    "PYTHONHASHSEED": "0",
    # aiohttp reads the machine's certificates when it is imported, 50 ms in which nobody would be trusted after all.
    "SSL_CERT_FILE": "/dev/null",
    # Local time is not UTC, or a naive moment taken for UTC would not show; no summer time, of which
    # freezegun knows nothing.
    "TZ": "<+02>-2",
}
"""The whole environment of a runner."""

STORES = ("/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew")
"""Where package managers keep programs with all that these are linked to, each in a folder of its own: Nix, Guix and
Homebrew. What lies there is for everybody to read."""


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
    """The command that starts the zygote; the interpreter reads no site files and no environment but `ENVIRONMENT`.

    Not `-I`, with which the order of sets could not be chosen.
    """
    command = [python(), "-s", "-P", "-S", "-B", "-X", "utf8", "-c", boot, str(uid), "\n".join(paths)]
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
    paths += [store for store in map(Path, STORES) if store in base.resolve().parents]
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
