"""A run sees as many processors on any machine."""

from checker.suite import scenario

COUNTING = """
import concurrent.futures, multiprocessing, os

def count():
    with concurrent.futures.ThreadPoolExecutor() as threads:
        found = [os.cpu_count(), multiprocessing.cpu_count(), len(os.sched_getaffinity(0)), threads._max_workers]
    return found + [os.process_cpu_count()] if hasattr(os, "process_cpu_count") else found
"""


@scenario
def count(kata, stage):
    return kata.count()


def test_pools_are_as_large_on_any_machine(play):
    """Who leaves the size to Python, or starts no more processes than processors, has the same row anywhere."""
    processors, *others = play(COUNTING, count).result
    assert processors == 8
    assert others[:3] == [8, 8, 12]
    assert set(others[3:]) <= {8}
