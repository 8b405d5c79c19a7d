"""What a file does while it is imported is its own business: a demonstration at its end, threads, settings."""

import pytest

from checker.course import installed_course
from checker.grade import grade
from checker.submission import Submission
from checker.suite import scenario

COURSE = installed_course()

WHILE_IMPORTED = {
    # As tutorials end, without the usual `if`; it takes a time that is no sum of halves.
    "a demonstration": (
        ("01", "05", "07", "11", "12"),
        "import asyncio, time\n"
        "async def main():\n"
        "    time.sleep(0.7)\n"
        "    await asyncio.gather(asyncio.sleep(0.1), asyncio.sleep(1.3))\n"
        "    print('done')\n"
        "asyncio.run(main())\n",
    ),
    # As older tutorials end: with a loop that nobody closes, and warnings about it on newer Pythons.
    "an older demonstration": (
        ("01", "07", "12"),
        "import asyncio\n"
        "async def main():\n"
        "    await asyncio.sleep(0.1)\n"
        "loop = asyncio.get_event_loop()\n"
        "loop.run_until_complete(main())\n"
        "main()\n",
    ),
    "a thread": (("07", "13"), "import threading\n_t = threading.Thread(target=print)\n_t.start()\n_t.join()\n"),
    "a time limit of all sockets": (("14", "15"), "import socket\nsocket.setdefaulttimeout(30)\n"),
}


@pytest.mark.parametrize(("words", "code"), WHILE_IMPORTED.values(), ids=WHILE_IMPORTED.keys())
def test_a_right_answer_scores_all_whatever_its_import_does(tmp_path, words, code):
    """Nothing of it is counted, and nothing is the worse for it."""
    katas = [COURSE.find(word) for word in words]
    for kata in katas:
        (tmp_path / f"{kata.name}.py").write_text(f"{kata.solution.read_text()}\n\n{code}")
    found = grade(COURSE, Submission(tmp_path), katas, seed=1)
    assert [result for result in found.results if result.verdict != "passed"] == []


@scenario
def work(kata, stage):
    kata.work()


def test_what_the_import_has_made_is_judged_where_it_is_used(play):
    """A loop that a function runs is that function's to close, whoever made it; so are its warnings."""
    source = (
        "import asyncio\nloop = asyncio.new_event_loop()\ndef work():\n    {}\nasync def main():\n    pass\nmain()\n"
    )
    assert play(source.format("pass"), work).complaints == []
    assert play(source.format("loop.run_until_complete(main())"), work).complaints == ["An event loop was left open."]
    assert play(source.format("main()"), work).complaints == ["Coroutine 'main' was never awaited (line 4)."]


@scenario
async def look(kata, stage):
    before = kata.clocks()
    await kata.pause()
    return before, kata.clocks()


def test_clocks_go_on_from_the_import(play):
    """The monotonic ones go on; the wall clock shows what the run begins with, and freezegun the same."""
    source = (
        "import asyncio, datetime, time\n"
        "def clocks():\n"
        "    moment = datetime.datetime.now(datetime.timezone.utc).timestamp()\n"
        "    return time.time(), moment, time.monotonic(), time.perf_counter(), asyncio.get_running_loop().time()\n"
        "async def pause():\n"
        "    await asyncio.sleep(0.1)\n"
        "imported = time.monotonic()\n"
        "asyncio.run(pause())\n"
        "assert time.monotonic() == imported + 0.1\n"
    )
    trace = play(source, look)
    (time, moment, *others), (later, *_) = trace.result
    assert time == moment == 1_893_456_000.0
    assert others == [1001.0] * 3  # the next whole second, so that sums stay exact
    assert later == pytest.approx(time + 0.1, abs=1e-6)
    assert trace.elapsed == 0.1 + 1001.0 - 1001.0
    assert trace.tasks[0].name == "the caller"
