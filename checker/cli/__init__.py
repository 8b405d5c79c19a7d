"""The `kata` command. Every command is a small task that returns an exit status.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 the grader itself failed, 130 broken off by Ctrl-C.
Imports stand inside the commands: `kata --help` and `kata list` should start at once.
"""


def main() -> None:
    """Run the command line; faults of usage and of the grader end in one sentence, never a traceback."""
    try:
        # Not at the head: what is loaded here takes a tenth of a second, in which Ctrl-C would be a traceback.
        from checker.cli import interrupt

        try:
            interrupt.listen()
            from checker.cli import app

            app.run()
        finally:
            interrupt.listen_no_more()
    except KeyboardInterrupt:
        _say_stopped()


def _say_stopped() -> None:
    """End with one word and a status."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is on its way out; whoever presses twice gets no traceback
    import sys
    from contextlib import suppress

    with suppress(OSError, AttributeError):  # nobody listens, or the stream was closed
        sys.stderr.write("Stopped.\n")
        sys.stderr.flush()
    raise SystemExit(130)
