"""The suite of 04_nesting as one would write it without the checker: plain pytest, in the same process.

The same 19 behaviours as tests/katas/test_04_nesting.py, asked of the same reference solution, with the
same delays in units of `UNIT` seconds.  In real time a moment may be off by a third of a unit.
"""

import asyncio
from itertools import accumulate

import pytest
from recorder import UNIT, Call, Calls, about, cancel_at, failure_of

# --- total ---------------------------------------------------------------------------------------------


async def test_total_adds_from_left_to_right(kata):
    add, numbers = Calls(0.5), [3, 1, 4, 1, 5, 2]
    await kata.total(add, numbers)
    sums = [span.value for span in add.spans]
    assert [span.args for span in add.spans] == list(zip([3, *sums[:-1]], numbers[1:], strict=True))


async def test_total_makes_one_call_at_a_time(kata):
    delays = [1.5, 0.5, 2, 1]
    add = Calls(delays)
    await kata.total(add, [31, 7, 58, 12, 90])
    assert [span.start for span in add.spans] == [about(moment) for moment in (0, *accumulate(delays[:-1]))]
    assert add.now() == about(5)


async def test_total_is_the_last_sum(kata):
    add, numbers = Calls(1), [31, 7, 58, 12]
    found = await kata.total(add, numbers)
    assert len(add.spans) == 3
    assert found == add.spans[-1].value
    assert numbers == [31, 7, 58, 12]
    for few in ([], [17]):
        assert await kata.total(add, few) == sum(few)
    assert len(add.spans) == 3


async def test_an_error_ends_the_total(kata):
    add = Calls([1, 0.5, Call(1.5, ArithmeticError), 1, 1])
    failure = await failure_of(kata.total(add, [31, 7, 58, 12, 90, 4]))
    assert len(add.spans) == 3
    assert failure is add.spans[2].value


@pytest.mark.parametrize(("moment", "calls"), [(0.0, 1), (0.5, 1), (1.25, 2), (2.5, 3)])
async def test_a_cancelled_total_stops(kata, moment, calls):
    add = Calls([1, 0.5, 2])
    await cancel_at(moment, kata.total(add, [31, 7, 58, 12]))
    assert add.outcomes() == ["done"] * (calls - 1) + ["cancelled"]


# --- tree_total ----------------------------------------------------------------------------------------


def rounds_of(add, numbers):
    """The calls of `add`, round by round and pair by pair; fails for one that is missing, or one too many."""
    level, others, rounds = numbers, list(add.spans), []
    while len(level) > 1:
        spans = []
        for pair in zip(level[::2], level[1::2], strict=False):
            found = [span for span in others if span.args == pair]
            assert found, f"nobody added {pair}"
            others.remove(found[0])
            spans.append(found[0])
        rounds.append(spans)
        level = [span.value for span in spans] + level[len(spans) * 2 :]
    assert not others
    return rounds


@pytest.mark.parametrize("many", [5, 6, 7, 11])
async def test_the_tree_adds_neighbours(kata, many):
    add, numbers = Calls([1.5, 0.5, 1, 2, 0.25, 1, 1.5, 0.5, 2, 1]), list(range(10, 10 + many))
    found = await kata.tree_total(add, numbers)
    assert found == rounds_of(add, numbers)[-1][0].value


async def test_a_round_begins_when_the_one_before_is_complete(kata):
    add, numbers = Calls([2, 4, 1, 3, 1.5, 2.5, 0.5, 3, 1]), list(range(10, 19))
    await kata.tree_total(add, numbers)
    begin = 0
    for spans in rounds_of(add, numbers):
        assert [span.start for span in spans] == [about(begin)] * len(spans)
        begin = max(span.end for span in spans)
    assert add.now() == about(begin)


@pytest.mark.parametrize(("many", "rounds"), [(2, 1), (4, 2), (7, 3), (12, 4)])
async def test_the_tree_takes_few_rounds(kata, many, rounds):
    add = Calls(1)
    await kata.tree_total(add, list(range(many)))
    assert add.now() == about(rounds)
    assert len(add.spans) == many - 1


async def test_the_top_of_the_tree_is_the_total(kata):
    add, numbers = Calls(1), [3, 8, 8, 3, 3]
    found = await kata.tree_total(add, numbers)
    assert found == rounds_of(add, numbers)[-1][0].value
    assert numbers == [3, 8, 8, 3, 3]
    for few in ([], [17]):
        assert await kata.tree_total(add, few) == sum(few)
    assert len(add.spans) == 4


@pytest.mark.parametrize("bad", [0, 2])
async def test_a_failure_cancels_the_others_of_its_round(kata, bad):
    add = Calls([Call(2, ArithmeticError) if place == bad else 3 + place for place in range(4)])
    failure = await failure_of(kata.tree_total(add, list(range(9))))
    assert failure is add.spans[bad].value
    assert add.now() == about(2)
    assert add.outcomes() == ["failed" if place == bad else "cancelled" for place in range(4)]


@pytest.mark.parametrize(("moment", "calls"), [(0.0, 3), (0.75, 3), (2.5, 5), (3.6, 6)])
async def test_a_cancelled_tree_stops(kata, moment, calls):
    add = Calls([1, 0.5, 2, 1.5, 1, 0.75])
    await cancel_at(moment, kata.tree_total(add, list(range(7))))
    assert add.running == 0
    await asyncio.sleep(0.5 * UNIT)
    assert len(add.spans) <= calls


# --- with_fallback -------------------------------------------------------------------------------------


class Sources:
    """A primary and a backup that write down their calls."""

    def __init__(self, primary, backup):
        self.primary, self.backup = Calls([primary]), Calls([backup])

    def ask(self, kata):
        return kata.with_fallback(self.primary, self.backup)

    @property
    def values(self):
        return [span.value for calls in (self.primary, self.backup) for span in calls.spans]


async def test_the_primary_answers(kata):
    sources = Sources(2, 1)
    assert await sources.ask(kata) == sources.values[0]
    assert sources.primary.now() == about(2)
    assert sources.backup.spans == []


@pytest.mark.parametrize("answer", [None, 0, "", False])
async def test_the_primary_answers_whatever_it_is(kata, answer):
    async def primary():
        await asyncio.sleep(UNIT)
        return answer

    backup = Calls([1])
    assert await kata.with_fallback(primary, backup) is answer
    assert backup.spans == []


@pytest.mark.parametrize("error", [LookupError, KeyError, IndexError])
async def test_the_backup_answers_a_lookup_error(kata, error):
    sources = Sources(Call(1, error), 1.5)
    assert await sources.ask(kata) == sources.values[1]


async def test_the_backup_is_called_only_when_it_is_needed(kata):
    sources = Sources(Call(1.5, KeyError), 2)
    await sources.ask(kata)
    assert [span.start for span in sources.backup.spans] == [about(1.5)]
    assert sources.backup.now() == about(3.5)
    sources = Sources(1.5, 2)
    await sources.ask(kata)
    assert len(sources.primary.spans) == 1
    assert sources.backup.spans == []


@pytest.mark.parametrize("error", [ValueError, TimeoutError])
async def test_other_errors_come_through(kata, error):
    sources = Sources(Call(1, error), 1)
    with pytest.raises(error) as raised:
        await sources.ask(kata)
    assert raised.value is sources.values[0]
    assert sources.backup.spans == []


@pytest.mark.parametrize("kinds", [(KeyError, ValueError), (LookupError, IndexError)])
async def test_a_group_comes_through(kata, kinds):
    errors = [kind("word") for kind in kinds]

    async def primary():
        await asyncio.sleep(UNIT)
        raise ExceptionGroup("several", errors)

    backup = Calls([1])
    with pytest.raises(ExceptionGroup) as raised:
        await kata.with_fallback(primary, backup)
    assert list(raised.value.exceptions) == errors
    assert backup.spans == []


async def test_a_lookup_error_of_ones_own_counts(kata):
    class NotThere(LookupError):
        pass

    sources = Sources(Call(1, NotThere), 0.5)
    assert await sources.ask(kata) == sources.values[1]


@pytest.mark.parametrize("error", [KeyError, ValueError])
async def test_if_both_fail_the_backup_s_error_is_raised(kata, error):
    sources = Sources(Call(1, IndexError), Call(0.5, error))
    with pytest.raises(error) as raised:
        await sources.ask(kata)
    first, second = sources.values
    assert raised.value is second
    assert raised.value.__context__ is first


@pytest.mark.parametrize(("moment", "calls"), [(0.0, 1), (1.0, 1), (1.75, 2), (2.5, 2)])
async def test_a_cancellation_is_no_failed_lookup(kata, moment, calls):
    sources = Sources(Call(1.5, KeyError), 2)
    await cancel_at(moment, sources.ask(kata))
    outcomes = sources.primary.outcomes() + sources.backup.outcomes()
    assert outcomes == ["failed", "cancelled"][-calls:]
