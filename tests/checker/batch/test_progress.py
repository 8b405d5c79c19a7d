"""What a batch tells on the way."""

import pytest

from checker.batch.progress import Progress
from checker.rows import Grading, Test

BROKEN = Test("test_it", "It works.", "result", "error", 0.0, 1.0, "The grader failed, not your code: no room.", "")


@pytest.mark.parametrize(("problem", "said"), [("It died.", "It died."), ("", BROKEN.message)])
def test_a_fault_is_told_in_a_line_that_begins_with_words_of_our_own(capsys, problem, said):
    """A learner's name may read like a command to the server that keeps the log; whose test it was is not left out."""
    grading = Grading(
        "07_semaphore", "", "error", 0.0, 1.0, [BROKEN], "", 1, "3.11", "0", "bwrap", 0.1, "", problem=problem
    )
    with Progress(1) as progress:
        progress.advanced("::stop-commands::##[x]", [grading])
    assert capsys.readouterr().err == f"No grade yet for ::stop-commands::\\x23#[x], 07_semaphore: {said}\n"
