"""Ctrl-C: heard from the first moment on, never lost, and taken for one however often it is pressed."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

ONE = 5.0
"""Real seconds in which Ctrl-C, pressed again, changes nothing: what was begun is being ended.

After that it counts anew. To end takes less than a second; but should that hang, or should somebody's library have kept
the first one to itself, then whoever presses is to be heard.
"""

_heard = float("-inf")
"""When it was last taken for a wish to end, by the real clock."""


def listen() -> None:
    """Raise KeyboardInterrupt at Ctrl-C, unless it is ignored: a shell has that of what runs in the background."""
    forget()
    sys.unraisablehook = _never_dropping(sys.unraisablehook)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def listen_no_more() -> None:
    """From here on Ctrl-C has nothing left to stop: all is said and done, and Python tidies up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def forget() -> None:
    """The next Ctrl-C counts, whenever the last one was."""
    global _heard
    _heard = float("-inf")


def _interrupt(*_: object) -> None:
    global _heard
    now = time.monotonic()
    if now - _heard >= ONE:
        _heard = now
        raise KeyboardInterrupt


def _never_dropping(otherwise: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Where nobody can catch it, in a finalizer or a callback of the import system, Python drops Ctrl-C and goes on.

    Then it comes again a moment later: from a thread, since raised right there it would be dropped once more; and as
    a signal, since whatever the main thread has begun to wait for by then is to be broken off.
    """

    def hook(unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            import threading

            main_thread = threading.main_thread().ident
            assert main_thread is not None
            forget()
            threading.Timer(0.01, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
        else:
            otherwise(unraisable)

    return hook
