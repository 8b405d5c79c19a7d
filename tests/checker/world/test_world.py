"""The world of one run: its clock only goes forward, its log tells what was said, and nothing illegal counts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker import messages
from checker.suite import call, calls, web
from checker.trace import Seconds, Span, Trace
from checker.values import Alien, ErrorValue, Frame, ListValue, Malformed
from checker.world.world import MAX_WAITS, START, Ledger


def ledger(world=None, seed=1):
    """The world of a run that has just been loaded."""
    book = Ledger(world or calls(), random.Random(seed))
    book.answer(messages.Loaded())
    return book


def wait(book, until=None):
    return book.answer(messages.Wait(None if until is None else START + until))


def test_calls_end_by_the_worlds_clock():
    """Time goes to the earliest of the runner's timer and the next ending call, and says what ended."""
    book = ledger(calls(fetch=[2.0, 3.0]))
    book.answer(messages.Start(0, "fetch", [1]))
    book.answer(messages.Start(1, "fetch", [2]))
    now = wait(book, 1.0)
    assert (now.time, now.ended) == (START + 1.0, [])
    now = wait(book)
    assert now.time == START + 2.0
    assert [ended.call for ended in now.ended] == [0]
    assert book.trace.calls("fetch")[0].end == 2.0
    assert book.trace.calls("fetch")[1].end is None


def test_equal_endings_keep_the_order_of_their_starts():
    """Calls that end at the same time end in the order in which they were started."""
    book = ledger(calls(fetch=1.0))
    for number in range(10):
        book.answer(messages.Start(number, "fetch"))
    assert [ended.call for ended in wait(book).ended] == list(range(10))


@given(st.lists(st.none() | st.floats(-10, 50, allow_nan=False), min_size=1, max_size=30))
def test_time_only_goes_forward(moments):
    """Whatever moments the runner asks for, the world's time never goes back."""
    book = ledger(calls(fetch=lambda number: number / 3))
    for number in range(5):
        book.answer(messages.Start(number, "fetch", [number]))
    seen = [START]
    for moment in moments:
        answer = wait(book, moment)
        if isinstance(answer, messages.Now):
            seen.append(answer.time)
    assert seen == sorted(seen)


def test_time_counts_from_the_end_of_the_import():
    """What a file waits for, and holds up, while it is imported is no part of the run."""
    book = Ledger(calls(fetch=2.0), random.Random(1))
    wait(book, 3.0)
    book.answer(messages.Blocked(START + 1.0))
    book.answer(messages.Loaded())
    book.answer(messages.Start(0, "fetch"))
    assert wait(book).time == START + 5.0
    book.answer(messages.Returned(None))
    assert book.trace.calls("fetch")[0].end == book.trace.elapsed == 2.0
    assert (book.trace.waits, book.trace.blocked) == ([2.0], [])


def test_the_import_ends_once_and_before_all_else():
    """Else a run could choose the moment from which its time counts."""
    with pytest.raises(Malformed, match="twice"):
        ledger().answer(messages.Loaded())
    for early in (messages.Start(0, "fetch"), messages.Note("x", 1), messages.Returned(None)):
        with pytest.raises(Malformed, match="before it was loaded"):
            Ledger(calls(fetch=1.0), random.Random(1)).answer(early)


def test_nothing_to_wait_for_is_a_deadlock():
    """No timer and no call under way: the run is halted."""
    assert wait(ledger()) == messages.Halt("deadlock")


def test_waiting_without_end_is_halted():
    """A run that waits again and again for ever is halted at last."""
    book = ledger()
    for moment in range(MAX_WAITS):
        assert isinstance(wait(book, moment), messages.Now)
    assert wait(book, 1e9) == messages.Halt("never ends")


def test_a_token_does_not_exist_before_its_call_ends():
    """The result of a call is drawn when it ends, not when it starts."""
    book = ledger(calls(fetch=1.0))
    book.answer(messages.Start(0, "fetch"))
    assert book.trace.calls("fetch")[0].value is None
    ended = wait(book).ended[0]
    assert ended.value == book.trace.calls("fetch")[0].value


def test_the_same_seed_gives_the_same_run():
    """What the world gives out depends on the seed alone."""

    def tokens(seed):
        book = ledger(calls(fetch=1.0), seed)
        for number in range(3):
            book.answer(messages.Start(number, "fetch"))
        return [ended.value for ended in wait(book).ended]

    assert tokens(3) == tokens(3)
    assert tokens(3) != tokens(4)


def test_a_cancelled_call_ends_at_once_or_cleans_up():
    """Without a cleanup a cancelled call is over at once; with one it ends later, in cancellation."""
    book = ledger(calls(job={"quick": 9.0, "slow": call(9.0, cleanup=2.0)}))
    book.answer(messages.Start(0, "job", ["quick"]))
    book.answer(messages.Start(1, "job", ["slow"]))
    assert book.answer(messages.Cancelled(0)) == messages.Cleanup("now")
    assert book.answer(messages.Cancelled(1)) == messages.Cleanup("later")
    ended = wait(book).ended
    assert [(each.call, each.failed) for each in ended] == [(1, True)]
    quick, slow = book.trace.calls("job")
    assert (quick.outcome, quick.end) == ("cancelled", 0.0)
    assert (slow.outcome, slow.cancelled_at, slow.end) == ("cancelled", 0.0, 2.0)


def test_a_second_cancellation_cuts_a_cleanup_off():
    """Cancelled while it cleans up, a call ends at once and the interruption is logged."""
    book = ledger(calls(job=call(9.0, cleanup=2.0)))
    book.answer(messages.Start(0, "job"))
    book.answer(messages.Cancelled(0))
    wait(book, 1.0)
    assert book.answer(messages.Cancelled(0)) == messages.Cleanup("now")
    assert book.trace.interrupted()[0].end == 1.0


def test_a_call_may_ignore_cancellations():
    """As many cancellations as scripted are ignored, and the call goes on to its end."""
    book = ledger(calls(job=call(3.0, ignores=2)))
    book.answer(messages.Start(0, "job"))
    assert [book.answer(messages.Cancelled(0)).how for _ in range(3)] == ["ignore", "ignore", "now"]
    assert book.trace.calls("job")[0].cancels == 3


def test_a_page_is_one_span_from_request_to_body():
    """A request goes on with its body: one span, which ends when the body is there."""
    book = ledger(web(head=1.0, body=0.5, status={"u": 404}))
    book.answer(messages.Start(0, "request", ["u"]))
    assert wait(book).ended[0].value == 404
    book.answer(messages.Start(1, "body", ["u"], parent=0))
    wait(book)
    [span] = book.trace.spans
    assert (span.label, span.start, span.end) == ("request", 0.0, 1.5)


ILLEGAL = {
    "a call started twice": [messages.Start(0, "a"), messages.Start(0, "a")],
    "an unknown call cancelled": [messages.Cancelled(3)],
    "a call cancelled after its end": [messages.Start(0, "a"), messages.Cancelled(0), messages.Cancelled(0)],
    "two answers": [messages.Returned(1), messages.Returned(1)],
    "an error after an answer": [messages.Returned(1), messages.Raised(messages.ErrorValue("E", [], "", []))],
    "the last word first": [messages.Told()],
    "words after the last": [messages.Returned(1), messages.Told(), messages.Note("a", 1)],
    "a second act without a first": [messages.Start(0, "body", parent=7)],
    "a second act too early": [messages.Start(0, "a"), messages.Start(1, "body", parent=0)],
}


@pytest.mark.parametrize("said", ILLEGAL.values(), ids=ILLEGAL.keys())
def test_illegal_orders_are_malformed(said):
    """Messages that cannot come at that point are refused."""
    book = ledger(calls(a=1.0))
    for message in said[:-1]:
        book.answer(message)
    with pytest.raises(Malformed):
        book.answer(said[-1])


MESSAGES = st.one_of(
    st.builds(messages.Start, st.integers(0, 5), st.sampled_from(["a", "b"])),
    st.builds(messages.Cancelled, st.integers(0, 5)),
    st.builds(messages.Dropped, st.integers(0, 5)),
    st.builds(messages.Wait, st.none() | st.floats(0, 2000), st.booleans()),
    st.builds(messages.Blocked, st.floats(-5, 5000), st.none()),
    st.builds(messages.Note, st.just("n"), st.integers(-5, 5)),
    st.builds(messages.Returned, st.integers()),
    st.just(messages.Told()),
)


@given(st.lists(MESSAGES, max_size=40))
def test_no_order_of_messages_breaks_the_log(said):
    """Whatever comes in whatever order: spans lie within the run, ends after starts, blocked stretches too."""
    book = ledger(calls(a=[1.5, call(2.0, cleanup=1.0)], b=call(3.0, ignores=1)))
    for message in said:
        try:
            book.answer(message)
        except Malformed:
            break
    for span in book.trace.spans:
        assert 0.0 <= span.start <= (span.end if span.end is not None else book.now) <= book.now
    for stretch in book.trace.blocked:
        assert 0.0 <= stretch.start <= stretch.end <= book.now


def test_what_is_noted_after_the_answer_does_not_count():
    """Notes and calls after the answer are not evidence; a call is marked as a leak."""
    book = ledger(calls(a=1.0))
    book.answer(messages.Returned(1))
    book.answer(messages.Note("n", 1))
    book.answer(messages.Start(0, "a"))
    wait(book)
    assert book.trace.notes == []
    assert book.trace.open_calls()[0].after_return
    assert book.trace.elapsed == Seconds(0.0)


@pytest.mark.parametrize("given", [Alien("an object"), [Alien("an object")], {1: Alien("an object")}])
def test_what_cannot_be_given_out_again_is_none(given):
    """A store of the suite's gives back what the submission has put there, which may be no plain data."""
    book = ledger(calls(read=call(1.0, result=lambda _key: given)))
    book.answer(messages.Start(1, "read", ["key"]))
    assert [end.value for end in wait(book).ended] == [None]
    assert book.trace.given("read", "key") is None


def test_a_sweep_cancels_at_its_point_and_once():
    """It is counted here: what is no point, or comes before the submission is loaded, or has no moment to wait for."""
    struck = Ledger(calls(), random.Random(1), strike=2)
    early, first, past, busy, second, after = (
        messages.Wait(START + moment, point)
        for moment, point in ((0.5, True), (1.0, True), (1.0, True), (1.25, False), (3.0, True), (3.0, True))
    )
    assert isinstance(struck.answer(early), messages.Now)
    struck.answer(messages.Loaded())
    assert [type(struck.answer(each)) for each in (first, past, busy)] == [messages.Now] * 3
    assert isinstance(struck.answer(second), messages.Strike)
    assert (struck.trace.struck_at, struck.trace.passed) == (0.75, 2)  # since the import, and all waits before it
    assert isinstance(struck.answer(after), messages.Now)
    assert struck.trace.waits == [0.5, 0.5, 0.75, 2.5]


def test_nobody_is_cancelled_who_is_left_alone_or_has_answered():
    for strike, answered in ((None, False), (1, True)):
        book = Ledger(calls(), random.Random(1), strike=strike)
        book.answer(messages.Loaded())
        if answered:
            book.answer(messages.Returned(1))
        assert isinstance(book.answer(messages.Wait(START + 1.0, True)), messages.Now)
        assert book.trace.struck_at is None


def test_what_is_done_about_a_call_after_the_answer_comes_too_late():
    """A call that was open at the answer stays a leak, whether it is cancelled afterwards or ends by the clock."""
    book = ledger(calls(fetch=2.0))
    for number in range(2):
        book.answer(messages.Start(number, "fetch"))
    book.answer(messages.Returned(None))
    book.answer(messages.Cancelled(0))
    wait(book)
    assert [span.outcome for span in book.trace.open_calls()] == ["open", "open"]
    assert [span.end for span in book.trace.spans] == [None, None]


@given(st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 4)), max_size=12))
def test_the_peak_is_the_most_calls_that_share_a_moment(calls_made):
    """Counted from one moment to the next, it is what looking at each moment for each call would find."""
    spans = [
        Span("fetch", number, (), {}, Seconds(start), None if length is None else Seconds(start + length))
        for number, (start, length) in enumerate(calls_made)
    ]

    def covers(span, moment):
        end = float("inf") if span.end is None else span.end
        return span.start <= moment < end or span.start == moment == end

    most = max((sum(covers(other, span.start) for other in spans) for span in spans), default=0)
    assert Trace(spans=spans).peak("fetch") == most


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite_wherever_they_stand(number):
    """In a value, and in what is told of tasks."""
    with pytest.raises(Malformed, match="finite"):
        ledger().answer(messages.Note("x", ListValue([number])))
    book = ledger()
    book.answer(messages.Returned(None))
    with pytest.raises(Malformed, match="finite"):
        book.answer(messages.Told([messages.TaskTold("t", number, None, None)]))


def test_a_few_bytes_may_not_stand_for_much_memory():
    """Lines and classes of an error count as values; names that are kept are short."""
    error = ErrorValue("E" * 5000, [], "m" * 5000, [], [Frame(1, "f" * 5000)] * 50)
    book = ledger()
    book.answer(messages.Raised(error))
    kept = book.trace.error
    assert (len(kept.shown), len(kept.message), len(kept.frames), len(kept.frames[0].function)) == (100, 2000, 20, 100)
    with pytest.raises(Malformed, match="more values"):
        ledger().answer(messages.Note("x", ErrorValue("E", [], "", [], [Frame(1, "")] * 40_000)))
    with pytest.raises(Malformed, match="label"):
        ledger().answer(messages.Start(0, "x" * 500))
