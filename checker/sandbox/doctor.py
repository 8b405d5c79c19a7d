"""Tells what this machine offers to keep submissions in, by trying it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from checker import messages
from checker.runner import bpf, confine
from checker.sandbox import KINDS, Sandbox, Unavailable, inherited, launch
from checker.sandbox.user import is_root

PATIENCE = 30.0
"""Real seconds that a sandbox may take to start."""
SIGNAL_VERSION = 6
"""The first version of Landlock that knows of signals."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what.
        ok: whether it is as it should be.
        says: what was found, as a sentence.
        advice: what to install or set; empty where there is nothing to do.
    """

    name: str
    ok: bool
    says: str
    advice: str = ""


def examine() -> list[Finding]:
    """Try everything that keeps submissions in; takes a second or two."""
    starts = {kind: _try(kind) for kind in KINDS[1:]}
    return [
        _python(),
        _user(),
        _limits(),
        _bubblewrap(starts["bwrap"]),
        _namespaces(),
        _landlock(starts["landlock"]),
        _seccomp(),
        _choice(starts),
    ]


def _try(kind: str) -> str:
    """Start a sandbox of a kind; why it does not start, empty if it does."""
    try:
        box = launch(kind)
    except (Unavailable, OSError) as error:
        return str(error)
    try:
        return "" if _is_up(box) else f"It did not start{box.failure()}."
    finally:
        box.close()


def _is_up(box: Sandbox) -> bool:
    box.control.settimeout(PATIENCE)
    try:
        header = box.control.recv(messages.HEADER)
        body = box.control.recv(messages.frame_length(header)) if header else b""
        return bool(body) and isinstance(messages.decode_from_zygote(body), messages.Up)
    except (OSError, ValueError):
        return False


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)):
        return Finding("python", True, f"Python {version}.")
    return Finding("python", False, f"Python {version} is not tested.", "Use Python 3.11, 3.12 or 3.13.")


def _user() -> Finding:
    if is_root():
        return Finding("user", True, "You are root: submissions run as a spare user that owns nothing.")
    if os.getuid() == 0:
        return Finding("user", True, "You are root without its rights: submissions run as you, shut in.")
    return Finding("user", True, "You are an ordinary user: submissions run as you, shut in.")


def _limits() -> Finding:
    try:
        inherited.check(messages.Limits())
    except Unavailable as error:
        return Finding("limits", False, str(error))
    return Finding("limits", True, "A run may have all that it may need.")


def _bubblewrap(refusal: str) -> Finding:
    program = shutil.which("bwrap")
    if program is None:
        return Finding("bwrap", False, "bubblewrap is not installed.", "Install your system's package `bubblewrap`.")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not refusal:
        return Finding("bwrap", True, f"{version or 'bubblewrap'} starts.")
    return Finding(
        "bwrap", False, f"{version or 'bubblewrap'} is installed, but refused here. {refusal}", _namespace_advice()
    )


def _namespaces() -> Finding:
    if is_root():
        return Finding("namespaces", True, "Root needs no user namespaces.")
    advice = _namespace_advice()
    return Finding("namespaces", not advice, "Users may not make namespaces." if advice else "Not forbidden.", advice)


def _namespace_advice() -> str:
    """What keeps an ordinary user from making user namespaces, and how to allow it."""
    if _setting("user/max_user_namespaces") == "0":
        return "Set `sysctl user.max_user_namespaces=10000`."
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "Set `sysctl kernel.unprivileged_userns_clone=1`."
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "Ubuntu lets only programs with an AppArmor profile make user namespaces: add one for bwrap"
            " (`bwrap-userns-restrict` in the package `apparmor-profiles`), or set"
            " `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return ""


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def _landlock(refusal: str) -> Finding:
    version = confine.version()
    if not version:
        advice = "Needs Linux 5.13 or newer, with `landlock` in the kernel's `lsm=` list."
        return Finding("landlock", False, "This kernel offers no Landlock.", advice)
    if refusal:
        return Finding("landlock", False, f"Landlock {version} is there. {refusal}", "Use bubblewrap.")
    lacks = ["katas that need TCP, 14 and 15, cannot be graded in it"] if version < confine.KNOWS_PORTS else []
    lacks += ["signals held by seccomp alone"] if version < SIGNAL_VERSION else []
    return Finding("landlock", True, f"Landlock {version} works{''.join(f'; {lack}' for lack in lacks)}.")


def _seccomp() -> Finding:
    if bpf.here() is None:
        machine = platform.machine()
        return Finding("seccomp", False, f"No system call filter for {machine}.", "Use a machine of x86_64 or aarch64.")
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        lines = []
    if any(line.startswith("Seccomp:") for line in lines):
        return Finding("seccomp", True, f"System call filters for {bpf.here()}.")
    return Finding("seccomp", False, "This kernel offers no system call filters.", "Needs CONFIG_SECCOMP_FILTER.")


def _choice(starts: dict[str, str]) -> Finding:
    best = next(kind for kind in KINDS[1:] if not starts[kind] or kind == "none")
    if starts[best]:
        return Finding("choice", False, f"Nothing can be played here. {starts[best]}", "Install this package anew.")
    if best == "none":
        advice = "Install bubblewrap; until then grade only what you would run yourself, with --sandbox none."
        return Finding("choice", False, "There is no sandbox here: `--sandbox auto` takes none.", advice)
    return Finding("choice", True, f"`--sandbox auto` takes {best}.")
