"""A trace as a picture for the terminal: a row for each call, virtual seconds from left to right.

A column stands for a moment: a bar fills the columns from its start up to its end, and what happens at a
moment (an error, a cancellation, the end of the run) is drawn in that moment's own column.  So "starts
when that one ends" is seen as one bar beginning below the first free column of another.

Every kind of mark has a shape of its own; colour only helps.  Text from untrusted code is made printable.
"""

from __future__ import annotations

import itertools
import math
import reprlib
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from checker.trace import TOLERANCE, Blocked, Noted, Span, Task, Trace
from checker.values import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_ROWS = 24
"""Rows of calls; the middle of more is left out."""
MAX_MARK_ROWS = 5
"""Rows of lines that block the loop, and of labels of notes; what is beyond them shares one more."""
MIN_WIDTH = 24
"""Columns below which nothing can be read; a smaller width is taken as this."""
_LONGEST = 1e15  # Virtual seconds; the runner tells the times of tasks and blocking, and may say anything.
_SPARE = 2  # Columns after the last moment, for arrows that go on and marks that follow each other closely.


class _Mark(NamedTuple):
    glyph: str
    ascii: str
    sgr: str
    meaning: str


_MARKS = {
    "run": _Mark("▆", "=", "36", "running"),
    "once": _Mark("◆", "*", "36", "over at once"),
    "failed": _Mark("✗", "x", "1;31", "failed"),
    "cancelled": _Mark("⊘", "/", "1;33", "cancelled"),
    "cleanup": _Mark("░", "~", "33", "cleanup after it"),
    "cut": _Mark("!", "!", "1;31", "cleanup cut off"),
    "dropped": _Mark("○", "?", "1;35", "thrown away"),
    "open": _Mark("►", ">", "1;35", "never ended"),
    "blocked": _Mark("▓", "#", "31", "loop blocked"),
    "note": _Mark("●", "o", "34", "noted"),
    "strike": _Mark("▼", "v", "1;33", ""),
    "struck": _Mark("┊", ":", "33", ""),
    "end": _Mark("│", "|", "2", "end of the run"),
    "axis": _Mark("─", "-", "2", ""),
    "tick": _Mark("┬", "+", "2", ""),
}
"""In the order of the legend, which explains those that occur and mean something."""


class _Stroke(NamedTuple):
    """Something in a row: a bar from `start` to `end`, or a mark at `start`, in virtual seconds."""

    kind: str
    start: float
    end: float | None = None
    text: str = ""


@dataclass
class _Row:
    label: str
    strokes: list[_Stroke] = field(default_factory=list)
    chained: bool = False
    """Its strokes follow each other, each at least one column wide, and never cover each other."""


def draw(trace: Trace, *, width: int = 80, color: bool = False, unicode: bool = True, title: str = "") -> list[str]:
    """The timeline of a trace, as lines of at most `width` display cells without line ends.

    Args:
        trace: what to draw: its calls, or its tasks where there are no calls.
        width: display cells of a line; at least `MIN_WIDTH` are used.
        color: whether to add SGR escape codes.
        unicode: whether characters beyond ASCII may be used.
        title: a line above the picture, followed by how the run ended.
    """
    return _Sheet([trace], width, color, unicode).lines([title])


def draw_pair(
    yours: Trace, reference: Trace, *, width: int = 80, color: bool = False, unicode: bool = True
) -> list[str]:
    """Two timelines below each other, with the same scale of time; arguments as those of `draw`."""
    return _Sheet([yours, reference], width, color, unicode).lines(["yours", "reference"])


# --- what there is to draw ---------------------------------------------------------------------------


def _moment(value: float) -> float:
    return min(max(float(value), 0.0), _LONGEST) if math.isfinite(value) else 0.0


def _horizon(trace: Trace) -> float:
    """The last moment at which anything happened."""
    moments = [trace.elapsed, trace.struck_at, *trace.waits[-1:]]
    moments += [moment for span in trace.spans for moment in (span.start, span.end, span.cancelled_at)]
    moments += [note.time for note in trace.notes] + [stretch.end for stretch in trace.blocked]
    if not trace.spans:
        moments += [moment for task in trace.tasks for moment in (task.created, task.ended)]
    last = max(_moment(moment) for moment in moments if moment is not None)
    return last if last > TOLERANCE else 0.0


def _ended_at(trace: Trace) -> float | None:
    """When the run ended; None where it broke off and nobody knows."""
    elapsed = _moment(trace.elapsed)
    known = trace.ended in ("finished", "deadlock", "never ends") or 0 < elapsed >= _horizon(trace)
    return elapsed if known else None


def _bar(start: float, end: float | None, cancelled_at: float | None, outcome: str, cut: bool = False) -> list[_Stroke]:
    """How a call or task is drawn: running, its cancellation, what came after that, and its end."""
    start = _moment(start)
    stop = math.inf if end is None else max(start, _moment(end))
    if cancelled_at is None and outcome == "cancelled":
        cancelled_at = end
    turn = stop if cancelled_at is None else min(max(start, _moment(cancelled_at)), stop)
    strokes = [_Stroke("run", start, turn)] if turn > start + TOLERANCE else []
    if cancelled_at is not None:
        strokes.append(_Stroke("cancelled", turn))
        if stop > turn + TOLERANCE:
            strokes.append(_Stroke("cleanup", turn, stop))
    closing = "open" if end is None else "cut" if cut else outcome
    if closing in ("failed", "dropped", "open", "cut"):
        strokes.append(_Stroke(closing, stop))
    return strokes or [_Stroke("once", start)]


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlevel = 2


def _row(thing: Span | Task) -> _Row:
    if isinstance(thing, Task):
        return _Row(thing.name, _bar(thing.created, thing.ended, None, thing.outcome or "open"), chained=True)
    first = [_short.repr(arg) for arg in thing.args[:1]]
    first = first or [f"{name}={_short.repr(value)}" for name, value in list(thing.keywords.items())[:1]]
    strokes = _bar(thing.start, thing.end, thing.cancelled_at, thing.outcome, cut=thing.interrupted > 0)
    return _Row(f"{thing.label}({''.join(first)})", strokes, chained=True)


def _main_rows(trace: Trace) -> list[_Row | str]:
    """The rows of the calls, or else of the tasks; text in place of those left out."""
    things: Sequence[Span | Task] = trace.spans or trace.tasks
    if len(things) <= MAX_ROWS:
        return [*map(_row, things)] or [_Row("no calls")]
    head = MAX_ROWS // 2
    tail = len(things) - (MAX_ROWS - head - 1)
    left_out = f"{tail - head} more {'calls' if trace.spans else 'tasks'}"
    return [*map(_row, things[:head]), left_out, *map(_row, things[tail:])]


def _grouped(strokes: Iterable[tuple[str, _Stroke]], rest: str) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for label, stroke in strokes:
        name = label if label in rows or len(rows) < MAX_MARK_ROWS else rest
        rows.setdefault(name, _Row(name)).strokes.append(stroke)
    return list(rows.values())


def _blocked_stroke(stretch: Blocked) -> tuple[str, _Stroke]:
    end = _moment(stretch.end)
    label = "loop blocked" if stretch.line is None else f"line {_short.repr(stretch.line)} blocks"
    return label, _Stroke("blocked", min(_moment(stretch.start), end), end)


def _note_stroke(note: Noted) -> tuple[str, _Stroke]:
    # Only the plainest values are shown: there is little room beside a mark.
    text = f" {_short.repr(note.value)}" if isinstance(note.value, str | int | float) else ""
    return note.label, _Stroke("note", _moment(note.time), text=text)


def _rows(trace: Trace) -> list[_Row | str]:
    rows = _main_rows(trace)
    if trace.struck_at is not None:
        struck = _moment(trace.struck_at)
        rows.insert(0, _Row("test cancels", [_Stroke("strike", struck, text=f" at {_seconds(struck)} s")]))
    rows += _grouped(map(_blocked_stroke, trace.blocked), "others block")
    rows += _grouped(map(_note_stroke, trace.notes), "other notes")
    return rows


def _seconds(value: float) -> str:
    """Virtual seconds in few digits: `3`, `0.25`, `3600`, `1e+07`."""
    if value >= 1e7 or value < 1:
        return f"{value:.4g}"
    return f"{value:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class _Scale:
    """Virtual seconds to columns; `columns` is the column of the last moment, `length` virtual seconds."""

    length: float
    columns: int
    step: float

    def column(self, moment: float) -> int:
        if math.isinf(moment):
            return self.columns + 1
        return math.floor(moment / self.length * self.columns + 0.5 + 1e-9) if self.length else 0

    def ticks(self) -> Iterator[tuple[int, str]]:
        for number in range(math.floor(self.length / self.step + 1e-9) + 1 if self.length else 1):
            yield self.column(number * self.step), _seconds(number * self.step)


def _scale(length: float, room: int) -> _Scale:
    """The finest steps of 1, 2 or 5 that leave air around their numbers.

    A step is a whole number of columns, and if possible each of its halves or fifths too, so that equal
    times look equal.
    """
    if not length:
        return _Scale(0.0, 0, 1.0)
    power = math.floor(math.log10(length)) - 3
    while True:
        for digit, parts in ((1, 2), (2, 2), (5, 5)):
            step = float(f"{digit}e{power}")
            columns = math.floor(room * step / length + 1e-9)
            widest = max(len(_seconds(step)), len(_seconds(math.floor(length / step) * step)))
            if columns >= max(6, widest + 3):
                even = columns - columns % parts
                columns = even if even >= 0.8 * columns else columns
                return _Scale(length, min(room, math.floor(length / step * columns + 0.5)), step)
        power += 1


def _clean(text: str, unicode: bool) -> str:
    """Printable characters of known width, nothing that moves the cursor, hides or turns text around."""
    text = unicodedata.normalize("NFC", text if len(text) <= 400 else f"{text[:200]}…{text[-200:]}")
    kept = (char for char in text if unicodedata.category(char) not in ("Mn", "Me"))
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in kept)
    return inert(shown if unicode else shown.encode("ascii", "backslashreplace").decode())


def _cells(text: str) -> int:
    """Display cells of cleaned text."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _fit(text: str, cells: int, ellipsis: str) -> str:
    """Cleaned text in so many cells; the middle goes, since the ends tell `page('…/1')` from `page('…/2')`."""
    if _cells(text) <= cells:
        return text
    tail = (cells - len(ellipsis)) // 2
    return _head(text, cells - len(ellipsis) - tail) + ellipsis + _head(text[::-1], tail)[::-1]


def _head(text: str, cells: int) -> str:
    used = 0
    for place, char in enumerate(text):
        used += _cells(char)
        if used > cells:
            return text[:place]
    return text


# --- the picture -------------------------------------------------------------------------------------

_Canvas = dict[int, str]  # By column: a kind of mark, or a single character that stands for itself.


class _Sheet:
    """One or more timelines with the same scale, label column and legend."""

    def __init__(self, traces: Sequence[Trace], width: int, color: bool, unicode: bool) -> None:
        self._traces = traces
        self._width = max(width, MIN_WIDTH)
        self._color = color
        self._unicode = unicode
        self._dots = "…" if unicode else "..."
        self._rows = [_rows(trace) for trace in traces]
        labels = [row.label for rows in self._rows for row in rows if isinstance(row, _Row)]
        longest = max(_cells(_clean(label, unicode)) for label in labels)
        self._gutter = min(max(longest, len("seconds")), 30, self._width * 2 // 5) + 1
        self._room = self._width - self._gutter
        self._scale = _scale(max(map(_horizon, traces)), self._room - _SPARE - 1)
        self._used: set[str] = set()

    def lines(self, titles: Sequence[str]) -> list[str]:
        """Every line, the legend last."""
        made: list[str] = []
        for trace, rows, title in zip(self._traces, self._rows, titles, strict=True):
            end = _ended_at(trace)
            made += [""] if made else []
            made += [self._titled(title, trace.ended, end)] if title else []
            made += self._ruler(end)
            moments = {"struck": trace.struck_at, "end": end if self._scale.length else None}
            posts = {self._scale.column(_moment(time)): kind for kind, time in moments.items() if time is not None}
            made += [self._line(row, posts) for row in rows]
        legend = self._legend()
        return [*made, "", *legend] if legend else made

    def _titled(self, title: str, ended: str, end: float | None) -> str:
        about = "" if end is None else f"{_seconds(end)} s"
        if ended != "finished":
            about = f"{ended} at {about}" if about else ended
        about = _head(about, self._width - 8)
        text = self._text(title, self._width - len(about) - 2)
        return f"{self._sgr(text, '1')}  {about}".rstrip()

    def _ruler(self, end: float | None) -> list[str]:
        """The numbers, and the axis with its ticks; the end of the run has its number first."""
        numbers: dict[int, str] = {}
        marks = list(self._scale.ticks())
        if end is not None:
            marks.insert(0, (self._scale.column(end), f"{_seconds(end)} s"))
        for column, text in marks:
            digits = len(text.removesuffix(" s"))
            start = max(0, min(column - (digits - 1) // 2, self._room - len(text)))
            if not any(place in numbers for place in range(start - 1, start + len(text) + 1)):
                numbers.update(enumerate(text, start))
        written = "".join(numbers.get(column, " ") for column in range(self._room)).rstrip()
        axis = dict.fromkeys(range(self._scale.columns + 1), "axis")
        axis.update({column: "tick" for column, _ in marks})
        return [self._sgr("seconds".ljust(self._gutter), "2") + written, " " * self._gutter + self._ink(axis)]

    def _line(self, row: _Row | str, posts: _Canvas) -> str:
        """A row; posts are marks that stand in every row, where it leaves their column free."""
        if isinstance(row, str):
            return self._sgr(f"{self._dots} {row}", "2")
        label = self._text(row.label, self._gutter - 1)
        line = label + " " * (self._gutter - _cells(label)) + self._ink({**posts, **self._paint(row)})
        return line.rstrip()

    def _paint(self, row: _Row) -> _Canvas:
        canvas: _Canvas = {}
        texts: dict[int, str] = {}
        notes = Counter(self._scale.column(stroke.start) for stroke in row.strokes if stroke.kind == "note")
        free = 0
        for stroke in row.strokes:
            first = min(max(self._scale.column(stroke.start), free), self._room - 1)
            last = first if stroke.end is None else max(first, self._scale.column(stroke.end) - 1)
            canvas.update(dict.fromkeys(range(first, last + 1), stroke.kind))
            free = last + 1 if row.chained else 0
            texts[first] = f" x{notes[first]}" if notes[first] > 1 else stroke.text
        for column, text in texts.items():
            self._write(canvas, column, _clean(text, self._unicode))
        return canvas

    def _write(self, canvas: _Canvas, mark: int, text: str) -> None:
        """Text beside a mark, if it is short and there is room for it; on the left only of a mark that is alone."""
        size = len(text)
        if _cells(text) != size or size > 12:
            return
        if mark + size < self._room and not any(column in canvas for column in range(mark + 1, mark + size + 2)):
            canvas.update(enumerate(text, mark + 1))
        elif len(canvas) == 1 and mark >= size:
            canvas.update(enumerate(f"{text.strip()} ", mark - size))

    def _legend(self) -> list[str]:
        lines: list[str] = []
        left = 0
        for kind, mark in _MARKS.items():
            if kind in self._used and mark.meaning:
                entry = f"{self._sgr(self._glyph(kind), mark.sgr)} {mark.meaning}"
                size = len(f"   {self._glyph(kind)} {mark.meaning}")
                if size > left:
                    lines.append(entry)
                    left = self._width + 3 - size
                else:
                    lines[-1] += f"   {entry}"
                    left -= size
        return lines

    def _ink(self, canvas: _Canvas) -> str:
        """A canvas as text, neighbours of one kind in one escape sequence."""
        made = ""
        for kind, run in itertools.groupby(canvas.get(column, " ") for column in range(max(canvas, default=-1) + 1)):
            size = len(list(run))
            if kind in _MARKS:
                self._used.add(kind)
                made += self._sgr(self._glyph(kind) * size, _MARKS[kind].sgr)
            else:
                made += kind * size
        return made

    def _glyph(self, kind: str) -> str:
        return _MARKS[kind].glyph if self._unicode else _MARKS[kind].ascii

    def _text(self, text: str, cells: int) -> str:
        return _fit(_clean(text, self._unicode), cells, self._dots)

    def _sgr(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text
