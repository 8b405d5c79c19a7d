import re
import subprocess
import sys
import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.timeline import MAX_ROWS, MIN_WIDTH, draw, draw_pair
from checker.trace import Blocked, Noted, Seconds, Span, Task, Trace

SGR = re.compile(r"\x1b\[[0-9;]*m")


def span(start: float, end: float | None, outcome: str = "done", **more: Any) -> Span:
    named: dict[str, Any] = {"label": "fetch", "number": 0, "args": (0,), "keywords": {}, **more}
    cancelled_at = named.pop("cancelled_at", None)
    return Span(
        start=Seconds(start),
        end=None if end is None else Seconds(end),
        outcome=outcome,
        cancelled_at=None if cancelled_at is None else Seconds(cancelled_at),
        **named,
    )


def trace(*spans: Span, elapsed: float, **more: Any) -> Trace:
    return Trace(spans=list(spans), elapsed=Seconds(elapsed), **more)


def row(lines: list[str], label: str) -> str:
    """What is drawn to the right of a label, with the blanks in front of it."""
    (found,) = [line for line in lines if line.startswith(label)]
    return " " * len(label) + found[len(label) :]


def cells(line: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in line)
    return len(line) + wide


# --- what is seen --------------------------------------------------------------------------------


def test_a_whole_picture():
    """Ruler, bars in starting order, the end of the run and the legend stand where a learner looks for them."""
    ran = trace(span(0, 2, args=(0,)), span(0, 1, args=(1,)), span(1, 3, args=(2,)), elapsed=3)
    assert draw(ran, width=40, title="yours") == [
        "yours  3 s",
        "seconds  0       1       2       3 s",
        "         ┬───────┬───────┬───────┬",
        "fetch(0) ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆        │",
        "fetch(1) ▆▆▆▆▆▆▆▆                │",
        "fetch(2)         ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆│",
        "",
        "▆ running   │ end of the run",
    ]


def test_the_same_picture_in_ascii():
    """Without Unicode every line is plain ASCII and says the same."""
    ran = trace(span(0, 2, "failed"), span(0, None, "open", args=("é",)), elapsed=2)
    assert draw(ran, width=40, unicode=False) == [
        "seconds       0         1         2 s",
        "              +---------+---------+",
        "fetch(0)      ====================x",
        "fetch('\\xe9') =====================>",
        "",
        "= running   x failed   > never ended",
    ]


def test_every_ending_has_a_shape_of_its_own():
    """Done, failed, cancelled, cleanup, cut off, thrown away and never ended differ without any colour."""
    ran = trace(
        span(0, 2, args=("done",)),
        span(0, 2, "failed", args=("failed",)),
        span(0, 2, "cancelled", args=("cancelled",), cancelled_at=2),
        span(0, 3, "cancelled", args=("cleanup",), cancelled_at=2),
        span(0, 3, "cancelled", args=("cut",), cancelled_at=2, interrupted=1),
        span(0, 2, "dropped", args=("dropped",)),
        span(0, None, "open", args=("open",)),
        elapsed=4,
    )
    for unicode in (True, False):
        lines = draw(ran, unicode=unicode)
        names = ("done", "failed", "cancelled", "cleanup", "cut", "dropped", "open")
        drawn = [re.sub(r"(.)\1+", r"\1", row(lines, f"fetch('{name}')").strip(" │|")) for name in names]
        shapes = "▆ ▆✗ ▆⊘ ▆⊘░ ▆⊘░! ▆○ ▆►" if unicode else "= =x =/ =/~ =/~! =? =>"
        assert drawn == shapes.split()


@pytest.mark.parametrize("elapsed", [0.0, 3.0, 3600.0])
@pytest.mark.parametrize("outcome", ["done", "failed", "cancelled", "dropped"])
def test_a_call_without_length_is_seen(outcome: str, elapsed: float):
    """A call that ends at the moment of its start has a mark of its own."""
    lines = draw(trace(span(0, 0, outcome), elapsed=elapsed))
    assert row(lines, "fetch(0)").strip(" │") == {"done": "◆", "failed": "✗", "cancelled": "⊘", "dropped": "○"}[outcome]


def test_a_short_call_in_a_long_run_is_seen():
    """However small its share of the time, a call fills one column."""
    lines = draw(trace(span(0, 3600, args=("a",)), span(0, 0.25, args=("b",)), elapsed=3600))
    assert row(lines, "fetch('b')").strip(" │") == "▆"


def test_a_blocked_loop_names_its_line():
    """A stretch in which the loop was blocked has a row with the line that did it."""
    blocked = [Blocked(Seconds(1), Seconds(3), 12), Blocked(Seconds(3), Seconds(4), None)]
    lines = draw(trace(span(0, 1), elapsed=4, blocked=blocked), width=60)
    assert row(lines, "line 12 blocks").count("▓") == 2 * row(lines, "loop blocked").count("▓") > 0
    assert row(lines, "line 12 blocks").index("▓") == row(lines, "fetch(0)").rindex("▆") + 1
    assert "▓ loop blocked" in lines[-1]


def test_notes_stand_at_their_moments():
    """A label of notes has one row, a mark at each moment, plain values beside them where there is room."""
    notes = [Noted("got", value, Seconds(time)) for value, time in (("a", 0), (None, 1), (1, 2), (2, 2))]
    lines = draw(trace(span(0, 3), elapsed=3, notes=notes), width=60)
    assert row(lines, "got").split() == ["●", "'a'", "●", "●", "x2", "│"]


def test_the_moment_at_which_a_sweep_cancelled():
    """The moment is marked with its time, and a line leads down from it to what it struck."""
    struck = span(0, 1.5, "cancelled", cancelled_at=1.5)
    lines = draw(trace(struck, span(0, 1, args=(1,)), elapsed=2, struck_at=Seconds(1.5)))
    column = row(lines, "test cancels").index("▼")
    assert "▼ at 1.5 s" in row(lines, "test cancels")
    assert row(lines, "fetch(0)")[column] == "⊘"
    assert row(lines, "fetch(1)")[column] == "┊"


def test_a_cancellation_at_the_very_end_still_has_its_time():
    """Where there is no room on the right of the mark, its time stands on the left."""
    lines = draw(trace(span(0, 2), elapsed=2, struck_at=Seconds(2)), width=40)
    assert row(lines, "test cancels").strip() == "at 2 s ▼"


def test_what_goes_on_after_the_answer_is_seen():
    """The end of the run is a line, and a call left behind crosses it with an arrow."""
    lines = draw(trace(span(0, 1), span(0, None, "open", args=(1,)), span(1, 2, args=(2,)), elapsed=1))
    end = row(lines, "fetch(0)").index("│")
    assert row(lines, "fetch(1)")[end] == "▆"
    assert row(lines, "fetch(1)").endswith("►")
    assert row(lines, "fetch(2)").index("▆") == end


def test_tasks_where_there_are_no_calls():
    """Without calls the tasks are drawn, and one that was left behind has an arrow."""
    tasks = [Task("main", Seconds(0), Seconds(2), "done"), Task("Task-2", Seconds(1), None, None)]
    lines = draw(trace(elapsed=2, tasks=tasks))
    assert row(lines, "main").count("▆") == 2 * (row(lines, "Task-2").count("▆") - 1)
    assert row(lines, "Task-2").endswith("►")


def test_nothing_at_all():
    """An empty trace says that there were no calls."""
    assert draw(Trace(), title="yours") == ["yours  0 s", "seconds  0 s", "         ┬", "no calls"]


@pytest.mark.parametrize("count", [MAX_ROWS, MAX_ROWS + 1, 1000])
def test_the_middle_of_many_rows_is_left_out(count: int):
    """Up to MAX_ROWS calls are drawn; of more, the first and last, and a line saying how many are missing."""
    lines = draw(trace(*(span(i, i + 1, args=(i,)) for i in range(count)), elapsed=count))
    drawn = [line for line in lines if line.startswith("fetch(")]
    left_out = [line for line in lines if "more calls" in line]
    assert drawn[0].startswith("fetch(0) ")
    assert drawn[-1].startswith(f"fetch({count - 1}) ")
    assert len(drawn) + len(left_out) == MAX_ROWS
    assert left_out == ([f"… {count - len(drawn)} more calls"] if count > MAX_ROWS else [])


def test_many_labels_of_notes_share_a_row():
    """Made-up labels cannot fill the screen."""
    notes = [Noted(f"n{i}", i, Seconds(0)) for i in range(1000)]
    assert len(draw(trace(elapsed=1, notes=notes))) < 15


@pytest.mark.parametrize("ended", ["crashed", "timed out", "refused"])
def test_a_run_that_broke_off_has_no_end_mark(ended: str):
    """Where nobody knows when a run ended, no moment is marked as its end."""
    lines = draw(trace(span(0, 1), span(1, None, "open", args=(1,)), elapsed=0, ended=ended), title="yours")
    assert lines[0] == f"yours  {ended}"
    assert "│" not in "".join(lines)


def test_a_deadlock_is_named_with_its_time():
    """The title says how and when the run ended, if not by itself."""
    assert draw(trace(span(0, 1), elapsed=1, ended="deadlock"), title="yours")[0] == "yours  deadlock at 1 s"


def test_the_legend_explains_only_what_occurs():
    """No entry of the legend without its mark in the picture."""
    legend = draw(trace(span(0, 1), elapsed=1))[-1]
    assert legend == "▆ running   │ end of the run"


# --- scale ---------------------------------------------------------------------------------------


def test_a_pair_has_one_scale():
    """The same time has the same length in both pictures, and there is one legend."""
    lines = draw_pair(trace(span(0, 6), elapsed=6), trace(span(0, 2, label="get"), elapsed=2))
    assert [lines[0], lines[5]] == ["yours  6 s", "reference  2 s"]
    assert row(lines, "fetch(0)").count("▆") == 3 * row(lines, "get(0)").count("▆")
    assert row(lines, "fetch(0)").index("▆") == row(lines, "get(0)").index("▆")
    assert sum("end of the run" in line for line in lines) == 1


@pytest.mark.parametrize("width", [MIN_WIDTH, 40, 80, 200])
@pytest.mark.parametrize("length", [1e-6, 0.003, 0.25, 1, 1 / 3, 5.5, 7, 99.9, 3600, 86400, 1e9, 1e300])
def test_ticks_are_steps_of_one_two_or_five(length: float, width: int):
    """Ticks have equal steps of 1, 2 or 5 times a power of ten, and their numbers do not touch."""
    # A run that broke off has no end, whose number would go before that of a tick.
    numbers, axis = draw(trace(span(0, length, args=()), elapsed=0, ended="crashed"), width=width)[:2]
    ticks = [float(number) for number in numbers.split()[1:]]
    steps = [after - before for before, after in pairwise(ticks)]
    assert ticks[0] == 0
    assert len(ticks) == axis.count("┬")
    assert all(f"{step:.6e}"[0] in "125" and step == pytest.approx(steps[0]) for step in steps)


def test_equal_times_have_equal_lengths():
    """Ten calls of one second are ten bars of one length, whatever the width."""
    for width in range(60, 121):
        lines = draw(trace(*(span(i, i + 1, args=(i,)) for i in range(10)), elapsed=10), width=width)
        assert len({line.count("▆") for line in lines if line.startswith("fetch(")}) == 1


# --- safe to print -------------------------------------------------------------------------------


def test_control_characters_are_neutralised():
    """Escape sequences, line ends and characters that turn text around reach the terminal as visible text."""
    evil = "\x1b[2J\x1b]0;pwned\x07\n\r\x9b1m\u202e\u200b\u2028\ud800"
    notes = [Noted(evil, evil, Seconds(0))]
    lines = draw(trace(span(0, 1, label=evil, args=(evil,)), elapsed=1, notes=notes), width=200, title=evil)
    assert all(char.isprintable() for line in lines for char in line)


@pytest.mark.parametrize("name", ["::error::x", "  ::error::x", "#\u0301##[error]x", "##vso[x]"])
def test_no_line_is_a_command_to_a_server_that_keeps_the_log(name):
    """Neither where it begins, whatever blanks stand before, nor in the middle; and nothing is out of line by that."""
    tasks = [Task(name, Seconds(0), Seconds(1), "done")]
    lines = draw(trace(span(0, 1, label=name), elapsed=1, notes=[Noted(name, name, Seconds(0))], tasks=tasks))
    assert [line for line in lines if re.search(r"^\s*::|##\w*\[", line)] == []
    assert len({line.index("▆") for line in lines if line.count("▆") > 1}) == 1


def test_long_arguments_keep_both_ends():
    """A label that does not fit loses its middle, so that addresses with one beginning are told apart."""
    pages = [span(0, 1, args=(f"https://example.org/some/long/path/{n}",)) for n in range(3)]
    lines = draw(trace(*pages, elapsed=1), width=40)
    assert [line.split()[0] for line in lines[2:5]] == [f"fetch('h…ath/{n}')" for n in range(3)]


def test_keywords_stand_in_for_arguments():
    """A call without positional arguments shows its first keyword; one without any, empty brackets."""
    lines = draw(trace(span(0, 1, args=(), keywords={"n": 3, "m": 4}), span(0, 1, args=(), label="log"), elapsed=1))
    assert [line.split()[0] for line in lines[2:4]] == ["fetch(n=3)", "log()"]


def test_colour_only_adds_to_the_picture():
    """With the colour codes taken out, the coloured picture is the plain one; the plain one has none."""
    ran = trace(span(0, 1), span(0, 2, "failed"), span(0, None, "open"), elapsed=2, struck_at=Seconds(1))
    plain, coloured = draw(ran, title="yours"), draw(ran, title="yours", color=True)
    assert "\x1b" not in "".join(plain)
    assert coloured != plain
    assert [SGR.sub("", line).rstrip() for line in coloured] == plain


anything = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
times = st.one_of(st.sampled_from([0.0, 1.0, 1.5, 3600.0]), st.floats(-1.0, 1e18), st.floats())
texts = st.text(max_size=30)
keys = st.recursive(st.none() | st.integers() | st.floats() | texts | st.binary(), lambda x: st.lists(x, max_size=3))
spans = st.builds(
    span,
    times,
    st.none() | times,
    st.sampled_from(["done", "failed", "cancelled", "dropped", "open"]),
    label=texts,
    args=st.lists(keys, max_size=2).map(tuple),
    keywords=st.dictionaries(texts, keys, max_size=1),
    cancelled_at=st.none() | times,
    interrupted=st.integers(0, 1),
)
traces = st.builds(
    lambda spans, elapsed, **more: trace(*spans, elapsed=elapsed, **more),
    st.lists(spans, max_size=30),
    times,
    ended=st.sampled_from(["finished", "deadlock", "crashed", "out of memory"]),
    notes=st.lists(st.builds(Noted, texts, keys, times.map(Seconds)), max_size=9),
    blocked=st.lists(st.builds(Blocked, times.map(Seconds), times.map(Seconds), st.none() | st.integers()), max_size=7),
    tasks=st.lists(
        st.builds(Task, texts, times.map(Seconds), st.none() | times.map(Seconds), st.none() | texts), max_size=3
    ),
    struck_at=st.none() | times.map(Seconds),
)


@anything
@given(traces, st.integers(0, 130), st.booleans(), texts)
def test_no_line_is_longer_than_the_width(ran: Trace, width: int, unicode: bool, title: str):
    """Whatever a trace holds, it is drawn in printable characters, within the width, the same each time."""
    lines = draw(ran, width=width, unicode=unicode, title=title)
    assert all(char.isprintable() for line in lines for char in line)
    assert max(map(cells, lines)) <= max(width, MIN_WIDTH)
    assert unicode or "".join(lines).isascii()
    assert lines == draw(ran, width=width, unicode=unicode, title=title)


@anything
@given(traces, traces, st.integers(0, 130))
def test_a_pair_keeps_to_the_width(one: Trace, other: Trace, width: int):
    """Two traces of any kind are drawn below each other within the width."""
    lines = draw_pair(one, other, width=width, color=True)
    assert max(cells(SGR.sub("", line)) for line in lines) <= max(width, MIN_WIDTH)


def test_drawing_needs_no_library_for_it():
    """Start-up counts: the timeline loads no terminal library."""
    code = "import sys, checker.timeline; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"rich", "typer", "pytest", "aiohttp", "asyncio"}.isdisjoint(loaded)
