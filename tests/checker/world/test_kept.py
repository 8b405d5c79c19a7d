"""What a run may make the grader keep: bounded in memory and in number, for every kind of message."""

import random
import sys
import tracemalloc

import pytest

from checker import messages
from checker.suite import calls
from checker.values import (
    MAX_KEPT,
    MAX_KEPT_BY_TEST,
    Alien,
    Allowance,
    BigInt,
    BytesValue,
    DictValue,
    ErrorValue,
    Frame,
    ListValue,
    SetValue,
    TooMuch,
    TupleValue,
)
from checker.world import world as worlds
from checker.world.world import MAX_BLOCKED, MAX_MESSAGES, START, Ledger

LARGE = "\N{GRINNING FACE}" + "a" * 5_000
"""As long in UTF-8 as it has signs; in memory one odd sign makes all of them four bytes."""
NAME = "\N{GRINNING FACE}" * 100
FRAMES = [Frame(1, NAME)] * 20
ERROR = ErrorValue("E", ["ValueError"], LARGE, [LARGE], FRAMES)


def ledger(room=MAX_KEPT):
    """The world of a run that has just been loaded."""
    book = Ledger(calls(fetch=1.0), random.Random(1), None, Allowance(room))
    book.answer(messages.Loaded())
    return book


def told(**more):
    return [messages.Returned(None), messages.Told(**more)]


KINDS = {
    "notes": lambda n: [messages.Note(NAME, n, NAME)],
    "texts": lambda n: [messages.Note("x", LARGE)],
    "bytes": lambda n: [messages.Note("x", BytesValue(bytes(5_000)))],
    "containers": lambda n: [messages.Note("x", ListValue([SetValue([]), DictValue([]), TupleValue([1.5, 1 << 60])]))],
    "numbers": lambda n: [messages.Note("x", ListValue([BigInt("f" * 512), n * 1.5, n << 40]))],
    "aliens": lambda n: [messages.Note("x", Alien(f"{n}{LARGE}"))],
    "errors": lambda n: [messages.Note("x", ErrorValue("E", ["E", NAME], LARGE, [n], FRAMES, errors=[ERROR]))],
    "calls": lambda n: [messages.Start(n, "fetch", [LARGE], {f"{n}{LARGE}": LARGE}, LARGE, LARGE)],
    "small calls": lambda n: [messages.Start(n, NAME, [], {}, NAME, NAME)],
    "calls that end": lambda n: [messages.Start(n, "fetch", [n]), messages.Wait(None)],
    "waits": lambda n: [messages.Wait(START + n / 8)],
    "blocked stretches": lambda n: [messages.Wait(START + n / 8), messages.Blocked(START + n / 9, n + 1000)],
}
ONCE = {
    "a result": [messages.Returned(ListValue([LARGE, f"b{LARGE}"]))],
    "an error": [messages.Raised(ERROR)],
    "tasks": told(tasks=[messages.TaskTold(f"{n}{LARGE}", n / 3, n / 2, f"{n}{LARGE}") for n in range(40)]),
    "leaks": told(leaks=[messages.Waiting(f"{n}{NAME}", [Frame(n, f"{n}{NAME}")] * 40) for n in range(40)]),
    "complaints": told(complaints=[f"{n}{LARGE}" for n in range(40)]),
    "what waits": [messages.Stopped("wall", [messages.Waiting(f"{n}{NAME}", FRAMES) for n in range(40)])],
    "why it is refused": [messages.Refused("import", LARGE, 1, 1, ERROR)],
}


def tell(book, said):
    for message in said:
        book.answer(message)


def said(kind):
    """Enough messages of a kind."""
    return ONCE[kind] if kind in ONCE else [message for n in range(300) for message in KINDS[kind](n)]


@pytest.mark.parametrize("kind", [*KINDS, *ONCE])
def test_nothing_takes_up_more_memory_than_is_counted(kind):
    """Of whatever kind the messages are: what stays of them is no more than `kept`, as Python's allocator sees it."""
    book = ledger(1 << 40)
    bodies = [messages.encode_body(message) for message in said(kind)]
    tracemalloc.start()
    try:
        for body in bodies:
            book.answer(messages.decode_untrusted(body))
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < book.kept + 20_000


@pytest.mark.parametrize("kind", [*KINDS, *ONCE])
def test_what_takes_up_too_much_is_refused(kind):
    """Every kind of message finds the limit; then nothing is kept of what the run has said."""
    book = ledger(20_000)
    much = said(kind)
    with pytest.raises(TooMuch, match=r"more than 64 MiB of arguments, results and notes in the runs of one test"):
        tell(book, much)
    book.let_go()
    trace = book.trace
    assert (book.kept, trace.result, trace.error) == (0, None, None)
    assert not any((trace.spans, trace.notes, trace.waits, trace.blocked, trace.tasks, trace.leaks, trace.waiting))


def test_the_limit_of_a_run_is_far_above_what_right_answers_send():
    """As many calls, notes and waits as in the largest of the suites, a hundred times over."""
    book = ledger()
    for n in range(3000):
        book.answer(messages.Start(n, "fetch", [f"https://example.org/{n}"], {}, "Task-1"))
        book.answer(messages.Note("came", ListValue(["one", "two", n]), "a thread"))
        book.answer(messages.Wait(None))
    book.answer(messages.Returned("a" * 200_000))
    assert book.kept < MAX_KEPT < MAX_KEPT_BY_TEST


def test_one_run_too_large_is_told_as_such():
    """With a whole run's room, the limit that is named is a run's."""
    book = ledger()
    with pytest.raises(TooMuch, match="more than 16 MiB of arguments, results and notes in one run"):
        tell(book, [messages.Note("x", LARGE * 60)] * 15)
    assert sys.getsizeof(LARGE) > 4 * len(LARGE)


def test_blocked_stretches_are_counted():
    """They cost 14 bytes each on the wire."""
    book = ledger(1 << 40)
    for _ in range(MAX_BLOCKED):
        book.answer(messages.Blocked(START))
    with pytest.raises(TooMuch, match="more than 20000 stretches"):
        book.answer(messages.Blocked(START))


def test_messages_are_counted(monkeypatch):
    """Also those of which nothing is kept, such as notes after the answer: each costs the grader time."""
    monkeypatch.setattr(worlds, "MAX_MESSAGES", 100)
    book = ledger()
    book.answer(messages.Returned(None))
    with pytest.raises(TooMuch, match="more than 100 messages"):
        tell(book, [messages.Note("x", None)] * 100)
    assert MAX_MESSAGES > worlds.MAX_WAITS + worlds.MAX_NOTES + MAX_BLOCKED + 3 * worlds.MAX_CALLS


def test_a_run_is_stopped_once_or_just_as_it_is():
    """A limit may be met while another one is told of; whoever goes on like that is no run."""
    book = ledger()
    book.answer(messages.Stopped("halt"))
    book.answer(messages.Stopped("wall"))
    with pytest.raises(messages.Malformed, match="went on after its answer"):
        book.answer(messages.Stopped("wall"))


def test_what_waits_is_counted_before_it_is_read():
    """Half a million tasks without a name are a message of one MiB, and a second of work."""
    body = messages.encode_body(messages.Stopped("halt", [messages.Waiting("")] * (messages.MAX_WAITING + 1)))
    with pytest.raises(messages.Malformed, match="length <= 50000"):
        messages.decode_untrusted(body)
