"""The suite of 04_nesting: what must come one after another does, and what may overlap does."""

import asyncio
import itertools

from checker.suite import Error, call, calls, cancellation, ordering, points, result, scenario, timing


def seconds(rng, count):
    """So many delays, odd multiples of 1/64 s: who looks every so often, in any round number of seconds, is late."""
    return [rng.randrange(9, 257, 2) / 64 for _ in range(count)]


def assert_raised(trace, failure):
    """This error came out, bare or in a group."""
    assert trace.error.holds(failure), f"A call raised {failure!r}; what came out is {trace.error!r}."


async def check_again(run, scenario, rng):
    """Two numbers take one call, and so do the same two in a second sum, which knows nothing of the first."""
    numbers = rng.sample(range(1, 100), 2)
    trace = await run(scenario, numbers=numbers, times=2, world=calls(add=1.0))
    assert [span.args for span in trace.calls("add")] == [tuple(numbers)] * 2, (
        f"Of {numbers}, summed up twice, `add` was called with {[span.args for span in trace.calls('add')]}."
    )
    assert trace.result == trace.calls("add")[-1].value


# --- total ---------------------------------------------------------------------------------------------


@scenario
async def chain(kata, stage, *, numbers, times=1):
    given = list(numbers)
    try:
        return [await kata.total(stage.calls("add"), given) for _ in range(times)][-1]
    finally:
        stage.note("numbers afterwards", given)


@ordering
@points(2)
async def test_total_adds_from_left_to_right(run, rng):
    """Each call of `add` gets the sum so far on the left and the next number on the right."""
    numbers = rng.choices(range(1, 6), k=rng.randint(5, 8))
    numbers[0] = numbers[rng.randrange(1, 4)] = 0
    trace = await run(chain, numbers=numbers, world=calls(add=0.5))
    so_far = [numbers[0], *trace.all_given("add")]
    for place, span in enumerate(trace.calls("add"), 1):
        wanted = (so_far[place - 1], *numbers[place : place + 1])
        assert span.args == wanted, f"The numbers are {numbers}; call {place} should add {wanted}, not {span.args}."
    assert trace.count("add") == len(numbers) - 1


@timing
async def test_total_makes_one_call_at_a_time(run, rng):
    """n numbers take n - 1 calls, each of them begun the moment the one before is there."""
    numbers = rng.sample(range(100), rng.randint(4, 7))
    delays = seconds(rng, len(numbers) - 1)
    trace = await run(chain, numbers=numbers, world=calls(add=delays))
    assert trace.starts("add") == [0, *itertools.accumulate(delays[:-1])]
    assert trace.elapsed == sum(delays)


@result
async def test_total_is_the_last_sum(run, rng):
    """The total is what the last call gives; none give 0, one gives itself, and the list is left as it was."""
    numbers = rng.sample(range(100), rng.randint(3, 6))
    trace = await run(chain, numbers=numbers, world=calls(add=1.0))
    assert trace.count("add") == len(numbers) - 1
    assert trace.result == trace.calls("add")[-1].value
    assert trace.noted("numbers afterwards") == [numbers]
    await check_again(run, chain, rng)
    for few in ([], [rng.randint(1, 99)]):
        trace = await run(chain, numbers=few, world=calls(add=1.0))
        assert trace.result == sum(few)
        assert trace.count("add") == 0
        assert trace.elapsed == 0


@result
async def test_an_error_ends_the_total(run, rng):
    """A call that fails ends the sum: its error is raised, and nothing is added any more."""
    numbers = rng.sample(range(100), 6)
    bad = rng.randrange(1, 5)
    delays = seconds(rng, bad + 1)
    script = [*delays[:-1], call(delays[-1], error=ArithmeticError), 1.0]
    trace = await run(chain, numbers=numbers, world=calls(add=script), raises=ArithmeticError)
    assert trace.count("add") == bad + 1
    assert_raised(trace, trace.calls("add")[bad].value)


@cancellation
async def test_a_cancelled_total_stops(sweep, rng):
    """Cancelled at any point, `total` ends with CancelledError, and nothing is added any more."""
    numbers = rng.sample(range(100), 4)
    for trace in await sweep(chain, numbers=numbers, world=calls(add=[1.0, 0.5, 2.0])):
        assert all(span.start <= trace.struck_at for span in trace.calls("add")), (
            f"Cancelled at {trace.struck_at!r} s, it called `add` again later."
        )


# --- tree_total ----------------------------------------------------------------------------------------


@scenario
async def tree(kata, stage, *, numbers, times=1):
    given = list(numbers)
    try:
        return [await kata.tree_total(stage.calls("add"), given) for _ in range(times)][-1]
    finally:
        stage.note("numbers afterwards", given)


def rounds_of(trace, numbers):
    """The calls of `add`, round by round and pair by pair; fails for one that is missing, or one too many."""
    level, others, rounds = numbers, trace.calls("add"), []
    while len(level) > 1:
        spans = []
        for pair in zip(level[::2], level[1::2], strict=False):
            span = next((span for span in others if span.args == pair), None)
            round_so = f"Round {len(rounds) + 1}, of" if rounds else "The first round, of the numbers"
            assert span is not None, f"{round_so} {level}, should add {pair}; it never did."
            others.remove(span)
            spans.append(span)
        rounds.append(spans)
        level = [span.value for span in spans] + level[len(spans) * 2 :]
    assert not others, f"{len(numbers)} numbers take {len(numbers) - 1} calls; there were {len(others)} more."
    return rounds


@ordering
@points(2)
async def test_the_tree_adds_neighbours(run, rng):
    """Neighbours are added, left on the left; an odd one moves up unchanged and stays the last."""
    for many in (rng.choice([4, 6, 8]), 5, 7, rng.choice([9, 10, 11, 13])):
        numbers = rng.sample(range(100), many)
        trace = await run(tree, numbers=numbers, world=calls(add=seconds(rng, many)))
        rounds = rounds_of(trace, numbers)
        assert trace.result == rounds[-1][0].value


@timing
@points(2)
async def test_a_round_begins_when_the_one_before_is_complete(run, rng):
    """All pairs of a round are added at the same time, and the next round begins with the last of their sums."""
    # Of six numbers the second round adds one pair only, which may begin late by chance.
    numbers = rng.sample(range(100), rng.randint(7, 12))
    delays = rng.sample(range(17, 641, 2), len(numbers))
    trace = await run(tree, numbers=numbers, world=calls(add=[delay / 64 for delay in delays]))
    begin = 0
    for number, spans in enumerate(rounds_of(trace, numbers), 1):
        for span in spans:
            assert span.start == begin, (
                f"Round {number} of {len(numbers)} numbers should begin at {begin!r} s, with all its calls; "
                f"the one that adds {span.args} began at {span.start!r} s."
            )
        begin = max(span.end for span in spans)
    assert trace.elapsed == begin


@timing
async def test_the_tree_takes_few_rounds(run, rng):
    """n numbers take ceil(log2 n) rounds: 8 take three, 9 take four."""
    for many in (2, rng.choice([3, 4]), rng.choice([5, 6, 7, 8]), rng.choice([9, 12, 16])):
        trace = await run(tree, numbers=rng.sample(range(100), many), world=calls(add=1.0))
        assert trace.elapsed == (many - 1).bit_length()
        assert trace.count("add") == many - 1


@result
async def test_the_top_of_the_tree_is_the_total(run, rng):
    """The total is the last sum; none give 0, one gives itself; equal numbers do no harm; the list is left alone."""
    one, other = rng.sample(range(1, 50), 2)
    numbers = [one, other, one, 0, 0]
    trace = await run(tree, numbers=numbers, world=calls(add=1.0))
    rounds = rounds_of(trace, numbers)
    assert trace.result == rounds[-1][0].value
    assert trace.noted("numbers afterwards") == [numbers]
    await check_again(run, tree, rng)
    # The same pair twice: which of the two calls comes first is left open.
    trace = await run(tree, numbers=[one, other, one, other], world=calls(add=1.0))
    assert trace.count("add") == 3
    *sums, top = trace.calls("add")
    found = tuple(span.value for span in sums)
    assert top.args in (found, found[::-1]), (
        f"Both pairs are ({one}, {other}), with the sums {found}; added were {top.args}."
    )
    assert trace.result == top.value
    for few in ([], [one]):
        trace = await run(tree, numbers=few, world=calls(add=1.0))
        assert trace.result == sum(few)
        assert trace.count("add") == 0
        assert trace.elapsed == 0


@cancellation
@points(2)
async def test_a_failure_cancels_the_others_of_its_round(run, rng):
    """When a call fails, the others of its round are cancelled, no further round begins, and the error is raised."""
    numbers = rng.sample(range(100), rng.choice([8, 9]))
    # In the first round of four calls, then in the second of two; not the first call, which is awaited first by chance.
    for before, bad, many in ((0, rng.randrange(1, 4), 4), (4, 1, 2)):
        script = [call(2.0, error=ArithmeticError) if place == bad else 3.0 + place for place in range(many)]
        trace = await run(tree, numbers=numbers, world=calls(add=[1.0] * before + script), raises=ArithmeticError)
        assert trace.elapsed == (3.0 if before else 2.0)
        assert trace.count("add") == before + many
        ends = ["failed" if place == bad else "cancelled" for place in range(many)]
        assert trace.outcomes("add") == ["done"] * before + ends
        assert_raised(trace, trace.calls("add")[before + bad].value)
    # All at the same moment: any of the errors will do, or several in a group; nobody need ask for the others.
    either = {"raises": Exception, "allow": ("complaints",)}
    trace = await run(tree, numbers=numbers, world=calls(add=call(2.0, error=ArithmeticError)), **either)
    assert any(trace.error.holds(span.value) for span in trace.calls("add"))


@cancellation
@points(2)
async def test_a_cancelled_tree_stops(sweep, rng):
    """Cancelled at any point, `tree_total` ends with CancelledError, and no call runs on or begins any more."""
    numbers = rng.sample(range(100), 7)
    for trace in await sweep(tree, numbers=numbers, world=calls(add=[1.0, 0.5, 2.0, 1.5, 1.0, 0.25])):
        assert all(span.start <= trace.struck_at for span in trace.calls("add")), (
            f"Cancelled at {trace.struck_at!r} s, it called `add` again later."
        )


# --- with_fallback -------------------------------------------------------------------------------------


@scenario
async def look_up(kata, stage):
    return await kata.with_fallback(stage.calls("primary"), stage.calls("backup"))


@scenario
async def look_up_an_error(kata, stage):
    """What the primary finds is an error object; notes it if it is raised."""
    found = []

    async def primary():
        found.append(await stage.calls("primary")())
        return found[0]

    try:
        return await kata.with_fallback(primary, stage.calls("backup"))
    except LookupError as error:
        if not found or error is not found[0]:
            raise
        stage.note("raised", error)


@result
@points(2)
async def test_the_primary_answers(run, rng):
    """What `primary` returns is returned, whatever it is, and `backup` is not called."""
    delay = rng.randint(1, 12) / 4
    for answer in (call(delay), *(call(delay, nothing) for nothing in (None, 0, "", False))):
        trace = await run(look_up, world=calls(primary=answer, backup=1.0))
        assert trace.result == trace.given("primary", None)
        assert trace.count("backup") == 0
        assert trace.elapsed == delay
    word = f"word {rng.randrange(10**6)}"
    value = Error("LookupError", ("LookupError",), word, (word,))
    trace = await run(look_up_an_error, world=calls(primary=call(delay, value), backup=1.0))
    called, given = trace.count("backup"), f"`primary` returned the object {value!r}, which is a result like others; "
    assert called == 0, f"{given}`backup` was called: expected 0 calls, saw {called}."
    assert not trace.noted("raised"), f"{given}`with_fallback` raised it."
    assert trace.result == value


@result
@points(2)
async def test_the_backup_answers_a_lookup_error(run, rng):
    """If `primary` raises LookupError or a subclass, what `backup` returns is returned."""
    for error in (LookupError, KeyError, IndexError):
        trace = await run(look_up, world=calls(primary=call(1.0, error=error), backup=rng.randint(1, 12) / 4))
        assert trace.result == trace.given("backup", None)


@ordering
async def test_the_backup_is_called_only_when_it_is_needed(run, rng):
    """`backup` is called once, the moment `primary` has failed, and not at all if that succeeds."""
    first, then = seconds(rng, 2)
    trace = await run(look_up, world=calls(primary=call(first, error=KeyError), backup=then))
    assert trace.starts("backup") == [first]
    assert trace.elapsed == first + then
    trace = await run(look_up, world=calls(primary=first, backup=then))
    assert trace.count("primary") == 1
    assert trace.count("backup") == 0


@scenario
async def look_up_what_fails(kata, stage):
    raised = []

    async def primary():
        try:
            return await stage.calls("primary")()
        except Exception as error:
            raised.append(error)
            raise

    try:
        return await kata.with_fallback(primary, stage.calls("backup"))
    except Exception as error:
        stage.note("what came out is what was raised", any(error is one for one in raised))
        raise


@result
async def test_other_errors_come_through(run, rng):
    """Any other error of `primary` comes through as it is, and `backup` is not called."""
    for error in (ValueError, OSError, ArithmeticError, AttributeError, TimeoutError):
        trace = await run(look_up_what_fails, world=calls(primary=call(1.0, error=error), backup=1.0), raises=error)
        given = trace.given("primary", None)
        assert trace.error == given
        assert trace.noted("what came out is what was raised") == [True], (
            f"`primary` raised {given!r}; what came out is not this error, but a new one like it."
        )
        assert trace.count("backup") == 0


@scenario
async def find(kata, stage, *, words):
    """The primary raises an error of a class of its own."""
    backup = stage.calls("backup")

    class NotThere(LookupError):
        pass

    async def primary():
        await stage.calls("primary")()
        raise NotThere(words)

    return await kata.with_fallback(primary, backup)


@scenario
async def find_in_group(kata, stage, *, groups, words, depth=1):
    """The primary raises a group of errors, so many groups deep; notes whether that very group comes out."""
    errors = [kind(word) for kind, word in zip(groups, words, strict=True)]
    for _ in range(depth):
        errors = [ExceptionGroup("several", errors)]
    [failure] = errors

    async def primary():
        await stage.calls("primary")()
        raise failure

    try:
        return await kata.with_fallback(primary, stage.calls("backup"))
    except Exception as error:
        stage.note("the group came out", error is failure)
        raise


@result
async def test_a_group_comes_through(run, rng):
    """An ExceptionGroup comes through as it is, also one that holds a LookupError."""
    for groups, depth in (
        ([KeyError, ValueError], 1),
        ([LookupError, IndexError], 1),
        ([KeyError], 1),
        ([KeyError, IndexError], 2),
    ):
        words = [f"word {rng.randrange(10**6)}" for _ in groups]
        data = {"groups": groups, "words": words, "depth": depth}
        trace = await run(find_in_group, **data, world=calls(primary=1.0), raises="ExceptionGroup")
        assert trace.count("backup") == 0
        held = [error.args for error in trace.error.leaves()]
        assert held == [(word,) for word in words], f"The group should hold errors with {words}; it holds {held}."
        assert trace.noted("the group came out") == [True], (
            "What came out is not the group of `primary`, but a new one."
        )


@result
async def test_a_lookup_error_of_ones_own_counts(run, rng):
    """A subclass of LookupError that somebody has written counts as one, too."""
    trace = await run(find, words=[rng.randrange(100)], world=calls(primary=1.0, backup=0.5))
    assert trace.result == trace.given("backup", None)


@result
async def test_if_both_fail_the_backup_s_error_is_raised(run, rng):
    """If both fail, the error of `backup` is raised, with that of `primary` as its context."""
    usual, other = rng.choice([ValueError, OSError]), rng.choice([RuntimeError, ArithmeticError, AttributeError])
    for error in (rng.choice([LookupError, KeyError]), usual, other):
        world = calls(primary=call(1.0, error=IndexError), backup=call(0.5, error=error))
        trace = await run(look_up, world=world, raises=error)
        assert trace.error == trace.given("backup", None)
        lost, context = trace.given("primary", None), trace.error.context
        assert context == lost, f"The context of the backup's error should be {lost!r}; it is {context!r}."


@scenario
async def look_up_what_others_cancel(kata, stage, *, after):
    """The primary awaits a task that somebody else cancels."""

    async def primary():
        task = asyncio.ensure_future(stage.calls("primary")())
        asyncio.get_running_loop().call_later(after, task.cancel)
        return await task

    try:
        return [await kata.with_fallback(primary, stage.calls("backup"))]
    except asyncio.CancelledError:
        return "CancelledError"


@cancellation
@points(2)
async def test_a_cancellation_is_no_failed_lookup(run, sweep, rng):
    """Cancelled in `primary` or in `backup`, it ends with CancelledError, and nothing is called any more."""
    first, then = seconds(rng, 2)
    for trace in await sweep(look_up, world=calls(primary=call(first, error=KeyError), backup=then)):
        assert trace.count("primary") == 1
        in_primary = trace.struck_at < first
        assert not in_primary or not trace.count("backup"), (
            f"Cancelled at {trace.struck_at!r} s, while `primary` was under way, it called `backup`."
        )
        assert in_primary or trace.error.bare().is_a("asyncio.CancelledError"), (
            f"Cancelled at {trace.struck_at!r} s, while `backup` was under way, it ended in {trace.error!r}."
        )
    after = rng.randint(1, 9)
    trace = await run(look_up_what_others_cancel, after=after, world=calls(primary=20.0, backup=1.0))
    called = trace.count("backup")
    assert trace.result == "CancelledError", (
        f"`primary` awaited a task that somebody else cancelled at {after} s: expected CancelledError and no call of "
        f"`backup`, saw {trace.result} and {called}."
    )
    assert called == 0
