"""All commands, and what is done before and after each of them."""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import signal
import sys
from typing import NoReturn

import click

from checker import __version__
from checker.cli import check, common, doctor, grade, learn, prove, watch


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kata")
def app() -> None:
    """Learn asyncio by katas whose behaviour in time is graded.

    KATA is 07_semaphore, 07, 7 or semaphore; where it may be left out, all are meant.
    """


for _command in (
    check.check,
    learn.list_katas,
    learn.show,
    learn.hint,
    learn.start,
    learn.reset,
    learn.solution,
    watch.watch,
    grade.grade,
    doctor.doctor,
    prove.verify,
):
    app.add_command(_command)


def run() -> NoReturn:
    """Run the command that was given, and end with its status."""
    # All that is loaded would be searched for garbage once more on the way out, 50 ms for nothing.
    atexit.register(gc.freeze)
    # A parent that ignores its children hands that down; then nobody's end could be waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.umask(os.umask(0o077) & 0o077)  # one that keeps its own user out would keep this command out
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed: nobody is to be told
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # briefs and learners go beyond some terminals' signs
    try:
        # Click's own way of ending would make status 1 of Ctrl-C.
        raise SystemExit(app(prog_name="kata", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        common.fail(error)
    finally:
        _flush()


def _flush() -> None:
    """Say it if what was said could not be written, which Python would find out too late."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:  # whoever read has read enough
            common.stop(f"The report cannot be written: {error.strerror}.", common.FAULT)
