"""The `kata` command. Every command is a small task that returns an exit status.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 the grader itself failed.
Imports stand inside the commands: `kata --help` and `kata list` should start at once.
"""

from __future__ import annotations

import atexit
import gc

import click

from checker import __version__
from checker.cli import check, doctor, grade, learn, prove, watch


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


def main() -> None:
    """Run the command line; faults of usage and of the grader end in one sentence, never a traceback."""
    # All that is loaded would be searched for garbage once more on the way out, 50 ms for nothing.
    atexit.register(gc.freeze)
    app(prog_name="kata")
