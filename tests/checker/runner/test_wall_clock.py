"""The wall clock on the virtual clock: however time is asked for, it goes on with the loop."""

import datetime
import time

import pytest

from checker.suite import scenario
from checker.world.session import Session
from tests.checker.runner.scenarios import on_a_loop


def test_the_wall_clock_agrees_with_the_loop(play):
    """time.time, monotonic, datetime and the loop's time go on together."""
    source = """
import asyncio, datetime, time
async def work(stage):
    loop = asyncio.get_running_loop()
    def look():
        now = datetime.datetime.now(datetime.timezone.utc).timestamp()
        return [loop.time(), time.monotonic(), time.time(), now, time.perf_counter()]
    before = look()
    await asyncio.sleep(86400.5)
    return [after - was for was, after in zip(before, look())]
"""
    trace = play(source, on_a_loop)
    assert trace.result == pytest.approx([86400.5] * 5, abs=1e-6)


def test_clocks_by_their_number_go_on_too(play):
    """clock_gettime shows the same as `time` and `monotonic`, in seconds and nanoseconds; processor time is real."""
    source = """
import asyncio, time
async def work(stage):
    numbers = [0, 1, 4, 5, 6, 7, 11]
    def look():
        return [
            *map(time.clock_gettime, numbers),
            *(time.clock_gettime_ns(number) / 1e9 for number in numbers),
            time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID),
        ]
    before = look()
    await asyncio.sleep(86400.5)
    return [after - was for was, after in zip(before, look())], type(time.clock_gettime_ns(2)) is int
"""
    (*wall, processor), whole = play(source, on_a_loop).result
    assert wall == pytest.approx([86400.5] * 14, abs=1e-6)
    assert 0 <= processor < 60
    assert whole


def test_written_times_go_on_too(play):
    """ctime, asctime and strftime write the virtual moment where they are given none."""
    source = """
import asyncio, time
async def work(stage):
    def look():
        return time.ctime(), time.asctime(), time.strftime("%c")
    before = look()
    await asyncio.sleep(86400)
    given = time.ctime(0), time.asctime(time.gmtime(0)), time.strftime("%Y", time.gmtime(0))
    return before, look(), [time.strftime("%c", time.localtime(time.time() - 86400 * ago)) for ago in (1, 0)], given
"""
    before, after, expected, given = play(source, on_a_loop).result
    assert [set(before), set(after)] == [{text} for text in expected]
    assert given == ("Thu Jan  1 02:00:00 1970", "Thu Jan  1 00:00:00 1970", "1970")


@scenario
async def dated(kata, stage):
    before = datetime.datetime.now()
    await kata.work(stage)
    return [(datetime.datetime.now() - before).total_seconds(), datetime.datetime.now().timestamp() - time.time()]


def test_the_scenario_may_ask_for_the_date(play_in):
    """`datetime` is on the clock for a scenario too, when the submission's file has no word of it."""
    session = Session("auto")  # in which nobody has asked for it yet
    play = play_in(session)
    source = """
import asyncio
async def work(stage):
    await asyncio.sleep(86400.5)
"""
    try:
        assert play(source, on_a_loop).elapsed == 86400.5
        assert play(source, dated).result == pytest.approx([86400.5, 0.0], abs=1e-5)
    finally:
        session.close()


def test_all_ways_of_telling_local_time_agree(play):
    """A naive moment means the same to datetime, time and the loop, and local time is not UTC."""
    source = """
import asyncio, datetime, time
async def work(stage):
    await asyncio.sleep(3600)
    utc = datetime.timezone.utc
    naive, now = datetime.datetime.now(), time.time()
    told = [
        naive.timestamp(),
        naive.astimezone(utc).timestamp(),
        time.mktime(naive.timetuple()),
        time.mktime(time.localtime()),
        datetime.datetime.now(utc).timestamp(),
        datetime.datetime.today().timestamp(),
        datetime.datetime.fromtimestamp(now).timestamp(),
        datetime.datetime.fromtimestamp(now, utc).timestamp(),
        naive.replace(tzinfo=utc).timestamp() - 7200,
    ]
    return [moment - now for moment in told]
"""
    assert play(source, on_a_loop).result == pytest.approx([0.0] * 9, abs=1e-5)
