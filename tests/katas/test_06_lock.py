"""The suite of 06_lock: shared state with a lock and without, and a lock that others use too."""

import asyncio
from collections import Counter
from functools import partial

from checker.suite import Error, call, calls, cancellation, ordering, points, result, scenario, timing


def eighths(rng, count, *, least=1, most=30):
    """So many different delays, all multiples of 1/8 s."""
    return [number / 8 for number in rng.sample(range(least, most), count)]


def odd_moments(rng, count):
    """So many different delays, exact as floats: looking every 0.01 s, 0.1 s or 0.125 s never meets them."""
    return [number / 64 for number in rng.sample(range(9, 240, 2), count)]


def raises_own(trace, failure):
    """The error that came out is this one, bare or in a group."""
    assert trace.error.holds(failure), f"It should have raised {failure!r}; it raised {trace.error!r}."


# --- count_votes ---------------------------------------------------------------------------------------


@scenario
async def election(kata, stage, *, voters):
    vote = stage.calls("vote")
    asked = [partial(vote, number) for number in range(voters)]
    before = list(asked)
    tally = await kata.count_votes(asked)
    stage.note("voters as they were", asked == before)
    stage.note("class of the tally", type(tally).__name__)
    return tally


@scenario
async def one_voter_asked_often(kata, stage, *, times):
    vote = stage.calls("vote")
    return [await kata.count_votes([vote] * many) for many in times]


@scenario
async def two_elections(kata, stage, *, voters):
    """Two elections at the same time, with so many voters each; returns both tallies."""
    asked = [[partial(stage.calls(label), number) for number in range(voters)] for label in ("first", "second")]
    return await asyncio.gather(*map(kata.count_votes, asked))


def ballots(rng):
    """Votes for a few choices that nobody can know, some of them several times, and for an empty one."""
    choices = [f"List {rng.randrange(1000)}-{place}" for place in range(3)] + [""]
    votes = [choice for choice in choices for _ in range(rng.randint(1, 3))] + choices[:1]
    rng.shuffle(votes)
    return votes


@timing
@points(2)
async def test_all_voters_vote_at_the_same_time(run, rng):
    """`count_votes` takes as long as the slowest voter; without voters, no time."""
    voters = rng.randint(12, 16)
    delays = odd_moments(rng, voters)
    trace = await run(election, voters=voters, world=calls(vote=dict(enumerate(delays))))
    most, asking = trace.peak("vote"), {span.task for span in trace.calls("vote")}
    assert most == voters, (
        f"The voters were asked by {'one task' if len(asking) == 1 else 'several tasks'}. "
        f"Most `vote` calls at the same time: expected {voters}, saw {most}."
    )
    assert trace.elapsed == max(delays), (
        f"The slowest of {voters} voters, all asked at once, took {max(delays)} s, and `count_votes` took "
        f"{trace.elapsed!r} s; it should return as soon as that vote is there."
    )
    trace = await run(election, voters=0)
    assert trace.result == {}
    assert trace.elapsed == 0.0


@result
@points(2)
async def test_every_vote_counts(run, rng):
    """`count_votes` says in a plain dict how often each choice came, whichever votes come first."""
    votes = ballots(rng)
    for delays in (eighths(rng, len(votes)), [1.0] * len(votes)):
        world = {number: call(delay, vote) for number, (delay, vote) in enumerate(zip(delays, votes, strict=True))}
        trace = await run(election, voters=len(votes), world=calls(vote=world))
        assert trace.result == dict(Counter(votes))
    (kind,) = trace.noted("class of the tally")
    assert kind == "dict", f"`count_votes` should return a plain dict; it returned a {kind}."
    assert trace.noted("voters as they were") == [True]


@result
async def test_a_voter_that_is_named_twice_votes_twice(run, rng):
    """A voter that stands in the list several times has as many votes, which count in this election alone."""
    votes, again = ballots(rng), ballots(rng)
    delays = eighths(rng, len(votes + again))
    world = [call(delay, vote) for delay, vote in zip(delays, votes + again, strict=True)]
    trace = await run(one_voter_asked_often, times=[len(votes), len(again)], world=calls(vote=world))
    assert trace.result == [dict(Counter(votes)), dict(Counter(again))]
    again = [f"Other {vote}" for vote in votes]
    ballot = {"first": votes, "second": again}
    cast = {
        label: [call(delay, vote) for delay, vote in zip(eighths(rng, len(votes)), ballot[label], strict=True)]
        for label in ballot
    }
    world = calls(**{label: dict(enumerate(each)) for label, each in cast.items()})
    trace = await run(two_elections, voters=len(votes), world=world)
    for (label, own), tally in zip(ballot.items(), trace.result, strict=True):
        assert tally == dict(Counter(own)), (
            f"Of two elections at the same time, with {len(votes)} voters each, the {label} one should count its own "
            f"votes, {dict(Counter(own))}; it returned {tally!r}."
        )


@cancellation
async def test_a_failing_voter_ends_the_election(run, rng):
    """When a voter fails, the others are cancelled, and its error is raised once they have ended."""
    voters = rng.randint(4, 6)
    bad = rng.randrange(2, voters)  # the second takes longer: who awaits them in order comes too late
    moment = rng.randint(9, 20) / 8
    world = dict.fromkeys(range(voters), 9.0) | {0: 1.0, bad: call(moment, error=ValueError)}
    trace = await run(election, voters=voters, world=calls(vote=world), raises=ValueError)
    raises_own(trace, trace.given("vote", bad))
    assert trace.elapsed == moment
    ended = Counter(trace.outcomes("vote"))
    assert ended == {"done": 1, "failed": 1, "cancelled": voters - 2}, (
        f"Of {voters} voters, 1 had voted when 1 failed: the other {voters - 2} should have been cancelled;"
        f" {ended['cancelled']} were."
    )
    # All at the same moment: any of the errors will do, or several in a group; nobody need ask for the others.
    either = {"raises": Exception, "allow": ("complaints",)}
    trace = await run(election, voters=voters, world=calls(vote=call(moment, error=ValueError)), **either)
    failures = trace.all_given("vote")
    assert any(trace.error.holds(failure) for failure in failures), (
        f"All {voters} voters failed at {moment} s; what came out is {trace.error!r}, which is none of their errors."
    )
    assert trace.elapsed == moment


@cancellation
async def test_a_cancelled_election_leaves_no_voter_waiting(sweep, rng):
    """Cancelled at any point, `count_votes` ends with CancelledError, and no voter runs on."""
    world = calls(vote=dict(enumerate(eighths(rng, 3))))
    for trace in await sweep(election, voters=3, world=world):
        assert trace.elapsed == trace.struck_at


# --- Account -------------------------------------------------------------------------------------------


class Store:
    """What an account has to work with; calls of several stores are told apart by name."""

    def __init__(self, stage, name="account"):
        self.read = partial(stage.calls("read"), name)
        self.write = partial(stage.calls("write"), name)


def kept(opening, *, read=0.5, write=0.75):
    """A world with one store, which holds `opening` at first and then what was written last."""
    content = [opening]

    def begin(_name):
        content[0] = opening  # each run begins anew
        return opening

    def look(_name):
        return content[0]

    def put(_name, value):
        content[0] = value

    return calls(read=[call(read, begin), call(read, look)], write=call(write, put))


def failing(opening, label):
    """A world with one store whose first `read` or `write` fails."""
    world = kept(opening)
    first = {"read": call(0.5, error=OSError), "write": call(0.5, error=ConnectionError)}[label]
    rest = {"read": world.scripts["read"], "write": [world.scripts["write"]]}[label]
    return world | calls(**{label: [first, *rest]})


@scenario
async def deposits(kata, stage, *, payments):
    account = kata.Account(Store(stage))

    async def pay(at, amount):
        await asyncio.sleep(at)
        return await account.deposit(amount)

    return await asyncio.gather(*(pay(at, amount) for at, amount in payments), return_exceptions=True)


@result
async def test_a_deposit_returns_the_new_balance(run, rng):
    """A deposit reads the balance, writes the sum and returns it; the next one goes on from there."""
    opening, first, second = rng.sample(range(1, 1000), 3)
    trace = await run(deposits, payments=[[0, first], [5, second]], world=kept(opening))
    assert trace.result == [opening + first, opening + first + second]
    written = [span.args[1:] for span in trace.calls("write")]
    wanted = [(opening + first,), (opening + first + second,)]
    assert written == wanted, f"Written to the store: expected {wanted}, saw {written}."
    assert trace.count("read") == 2


@result
@points(2)
async def test_overlapping_deposits_lose_nothing(run, rng):
    """Of deposits that overlap on one account none is lost: in the end the store holds them all."""
    opening, *amounts = rng.sample(range(1, 1000), 6)
    read = rng.randint(1, 4) / 4
    write = read + rng.randint(2, 4) / 4
    # The second comes while the first is at work, and the last one while the second is.
    moments = [0.0, read / 2, *sorted(eighths(rng, 2, most=12)), read + write + 0.125]
    world = kept(opening, read=read, write=write)
    trace = await run(deposits, payments=list(zip(moments, amounts, strict=True)), world=world)
    total = opening + sum(amounts)
    last = max(trace.calls("write"), key=lambda span: float(span.end), default=None)
    held = last.args[-1] if last else opening
    assert held == total, f"After 5 overlapping deposits the store should hold {total}; it holds {held}."
    assert total in trace.result, f"One deposit should have returned the final balance, {total}; saw {trace.result}."


@scenario
async def branches(kata, stage, *, amounts):
    accounts = {name: kata.Account(Store(stage, name)) for name in amounts}
    paid = await asyncio.gather(*(accounts[name].deposit(amount) for name, amount in amounts.items()))
    return dict(zip(amounts, paid, strict=True))


@timing
@points(2)
async def test_accounts_do_not_wait_for_each_other(run, rng):
    """Deposits on different accounts take no longer than one alone; on one account they follow each other at once."""
    names = [f"account {rng.randrange(1000)}-{place}" for place in range(rng.randint(3, 5))]
    opening = {name: rng.randrange(1000) for name in names}
    amounts = {name: rng.randint(1, 100) for name in names}
    read, write = rng.randint(1, 8) / 8, rng.randint(1, 8) / 8
    trace = await run(branches, amounts=amounts, world=calls(read=call(read, opening.get), write=write))
    at_once = trace.peak("read")
    assert at_once == len(names), (
        f"Deposits came to {len(names)} accounts at the same time, and none should wait for another one: "
        f"stores being read at the same time: expected {len(names)}, saw {at_once}."
    )
    assert trace.elapsed == read + write, (
        f"Deposits on {len(names)} accounts at the same time, each {read:g} s of reading and {write:g} s of writing, "
        f"take {read + write:g} s together; these took {trace.elapsed!r} s."
    )
    assert trace.result == {name: opening[name] + amounts[name] for name in names}
    # An odd moment, exact as a float: no multiple of it is met by looking every 0.01 s, 0.1 s or 0.25 s.
    read, write = 0.5 + rng.randrange(1, 100, 2) / 1024, 0.75
    payments = [[0, amount] for amount in rng.sample(range(1, 1000), 4)]
    trace = await run(deposits, payments=payments, world=kept(rng.randrange(1000), read=read, write=write))
    took, most = trace.elapsed, 4 * (read + write)
    assert took <= most, (
        f"4 deposits on one account, each of them {read:g} s of reading and {write:g} s of writing: "
        f"seconds that all took together: expected at most {most:g}, saw {took!r}."
    )


@result
async def test_a_failed_deposit_raises_its_error(run, rng):
    """A deposit whose read or write fails raises that error, and the account stays usable for those that wait."""
    for label in ("read", "write"):
        opening, lost, waiting, later = rng.sample(range(1, 1000), 4)
        payments = [[0, lost], [0.25, waiting], [5, later]]
        trace = await run(deposits, payments=payments, world=failing(opening, label))
        came, *balances = trace.result
        failures = [span.value for span in trace.calls(label) if span.outcome == "failed"]
        fits = isinstance(came, Error) and any(map(came.holds, failures))
        assert fits, f"A `deposit` whose `{label}` failed should have raised that error; saw {came!r}."
        wanted = [opening + waiting, opening + waiting + later]
        assert balances == wanted, f"New balances after a failed deposit: expected {wanted}, saw {balances}."


@scenario
async def cancelled_deposit(kata, stage, *, amounts):
    account = kata.Account(Store(stage))

    async def pay(at, amount):
        await asyncio.sleep(at)
        return await account.deposit(amount)

    before, cancelled, behind = (asyncio.create_task(pay(at / 8, amounts[at])) for at in range(3))
    stage.target(cancelled)
    await asyncio.wait([before, cancelled, behind])
    stage.note("balance", await account.deposit(amounts[3]))
    return await cancelled


@scenario
async def changed_mind(kata, stage, *, amounts, when):
    """Of three deposits the second, which waits, is cancelled just before or after the first ends."""
    store = Store(stage)
    write, ended = store.write, []

    async def put(value):
        await write(value)
        if when == "before" and not ended:
            second.cancel()
        ended.append(value)

    async def pay_first():
        await account.deposit(amounts[0])
        if when == "after":
            second.cancel()

    store.write = put
    account = kata.Account(store)
    first = asyncio.create_task(pay_first())
    await asyncio.sleep(0.125)
    second = asyncio.create_task(account.deposit(amounts[1]))
    await asyncio.sleep(0.125)
    third = asyncio.create_task(account.deposit(amounts[2]))
    await asyncio.wait([first, second, third])
    how = "CancelledError" if second.cancelled() else type(second.exception()).__name__
    stage.note("how the second ended", "a balance" if how == "NoneType" else how)
    await first
    return await third


@cancellation
@points(2)
async def test_a_cancelled_deposit_leaves_the_account_usable(run, sweep, rng):
    """Cancelled at any point, a deposit ends with CancelledError, leaves no call behind, and blocks no other one."""
    opening, *amounts = rng.sample(range(1, 1000), 5)
    # Alone first: nobody waits until a call that runs on has ended.
    await sweep(deposits, payments=[[0, amounts[1]]], world=kept(opening))
    without = opening + sum(amounts) - amounts[1]
    for trace in await sweep(cancelled_deposit, amounts=amounts, world=kept(opening)):
        (balance,) = trace.noted("balance")
        assert balance in (without, without + amounts[1]), (
            f"{opening} were there, and deposits of {amounts} came; that of {amounts[1]} was cancelled. The last one "
            f"should return {without}, or {without + amounts[1]} if that had been written; it returned {balance!r}."
        )
    without = opening + amounts[0] + amounts[2]
    for when in ("before", "after"):
        trace = await run(changed_mind, amounts=amounts[:3], when=when, world=kept(opening))
        (how,) = trace.noted("how the second ended")
        story = f"Of three deposits the second waited, and was cancelled just {when} the first ended"
        assert how == "CancelledError", f"{story}: it should end in CancelledError; it ended with {how}."
        assert trace.result in (without, without + amounts[1]), (
            f"{story}. {opening} were there, and the deposits were {amounts[:3]}: "
            f"the third should return {without}; it returned {trace.result!r}."
        )


# --- in_turn -------------------------------------------------------------------------------------------


@scenario
async def queue_up(kata, stage, *, jobs):
    job = stage.calls("job")
    lock = asyncio.Lock()
    given = [partial(job, number) for number in range(jobs)]
    before = list(given)
    try:
        return await kata.in_turn(lock, given)
    finally:
        stage.note("lock.locked() afterwards", lock.locked())
        stage.note("jobs as they were", given == before)


@timing
@points(2)
async def test_one_job_at_a_time(run, rng):
    """`in_turn` runs one job at a time, the next as soon as the lock is free."""
    delays = eighths(rng, rng.randint(3, 5))
    trace = await run(queue_up, jobs=len(delays), world=calls(job=dict(enumerate(delays))))
    assert trace.peak("job") == 1
    starts, ends = trace.starts("job"), trace.ends("job")
    assert starts == [0.0, *ends[:-1]], (
        f"Each job should start when the one before has ended, the jobs ending at {ends} s; "
        f"moments of their starts: expected {[0.0, *ends[:-1]]}, saw {starts}."
    )
    assert trace.elapsed == sum(delays), (
        f"The last of {len(delays)} jobs ended at {sum(delays)} s; `in_turn` should return then, but it returned at "
        f"{trace.elapsed!r} s."
    )


@ordering
async def test_first_come_first_served(run, rng):
    """`in_turn` runs the jobs in the order in which they stand in the list."""
    delays = eighths(rng, rng.randint(4, 6))
    trace = await run(queue_up, jobs=len(delays), world=calls(job=dict(enumerate(delays))))
    assert trace.order("job") == list(range(len(delays)))


@scenario
async def two_queues(kata, stage, *, jobs):
    """Under one lock and under another one, first one after the other, then at the same time."""
    job = stage.calls("job")
    first, second = ([partial(job, number) for number in numbers] for numbers in jobs)
    stage.note("results", [await kata.in_turn(asyncio.Lock(), first), await kata.in_turn(asyncio.Lock(), second)])
    job = stage.calls("again")
    both = (kata.in_turn(asyncio.Lock(), [partial(job, number) for number in numbers]) for numbers in jobs)
    stage.note("results", await asyncio.gather(*both))


@result
async def test_results_stand_in_the_order_of_the_jobs(run, rng):
    """`in_turn` returns the results in the order of the jobs, and leaves the lock free."""
    jobs = rng.randint(3, 6)
    delay = rng.randint(1, 8) / 8
    world = calls(job=dict.fromkeys(range(jobs), delay) | {1: call(delay, None)})
    trace = await run(queue_up, jobs=jobs, world=world)
    assert trace.result == [trace.given("job", number) for number in range(jobs)]
    assert trace.noted("lock.locked() afterwards") == [False]
    assert trace.noted("jobs as they were") == [True]
    numbers = [[*range(jobs)], [*range(jobs, jobs + 2)]]
    trace = await run(two_queues, jobs=numbers, world=calls(job=delay, again=delay))
    both = zip(["one after the other", "at the same time"], ["job", "again"], trace.noted("results"), strict=True)
    for when, label, results in both:
        for which, own, found in zip(["first", "second"], numbers, results, strict=True):
            wanted = [trace.given(label, number) for number in own]
            assert found == wanted, (
                f"Of two calls {when}, with {jobs} jobs and with 2, the {which} one should return the "
                f"{len(own)} results of its own jobs, {wanted}; it returned {found!r}."
            )


@result
async def test_a_failure_takes_its_own_place(run, rng):
    """A failed job's exception stands in its place, and the lock goes on to the next job."""
    delays = dict(enumerate(eighths(rng, 5)))
    bad = dict(zip(rng.sample(range(4), 2), (LookupError, Exception), strict=True))
    world = calls(job={number: call(delays[number], error=bad.get(number)) for number in delays})
    trace = await run(queue_up, jobs=5, world=world)
    assert trace.result == [trace.given("job", number) for number in range(5)]
    assert trace.elapsed == sum(delays.values())
    assert trace.noted("lock.locked() afterwards") == [False]
    trace = await run(queue_up, jobs=2, world=calls(job=call(0.5, error=OSError)))
    assert trace.result == [trace.given("job", number) for number in range(2)]


@scenario
async def the_same_job(kata, stage, *, times):
    return await kata.in_turn(asyncio.Lock(), [stage.calls("job")] * times)


@result
async def test_a_job_that_stands_twice_runs_twice(run, rng):
    """A job that stands in the list several times runs as often, and has as many results."""
    times = rng.randint(2, 4)
    trace = await run(the_same_job, times=times, world=calls(job=1.0))
    assert trace.count("job") == times
    assert trace.result == trace.all_given("job")


@scenario
async def company(kata, stage, *, jobs, before=None, behind=None):
    """Somebody has the lock for 2 s; `in_turn` comes at 0.5 s, after `before` and before `behind`."""
    turn = stage.calls("turn")
    lock = asyncio.Lock()

    async def come(name, at):
        await asyncio.sleep(at)
        async with lock:
            await turn(name)

    others = [asyncio.create_task(come("holder", 0.0))]
    others += [asyncio.create_task(come(before, 0.25))] if before else []
    others += [asyncio.create_task(come(behind, 0.75))] if behind else []
    await asyncio.sleep(0.5)
    found = await kata.in_turn(lock, [partial(turn, number) for number in range(jobs)])
    stage.note("returned")
    await asyncio.gather(*others)
    return found


@ordering
async def test_the_lock_may_be_held_by_somebody_else(run, rng):
    """While somebody else holds the lock, `in_turn` runs no job; without jobs it does not wait for the lock."""
    jobs = rng.randint(2, 4)
    delays = {"holder": 2.0, **dict(enumerate(eighths(rng, jobs)))}
    trace = await run(company, jobs=jobs, world=calls(turn=delays))
    assert trace.order("turn") == ["holder", *range(jobs)]
    assert trace.call("turn", 0).start == 2.0
    assert trace.elapsed == sum(delays.values())
    trace = await run(company, jobs=0, world=calls(turn=delays))
    assert trace.result == []
    (at,) = trace.noted_at("returned")
    assert at == 0.5, f"Without jobs `in_turn`, called at 0.5 s, returned at {at!r} s; it should not wait for the lock."


@ordering
@points(2)
async def test_nobody_who_comes_later_gets_in_between(run, rng):
    """All jobs of `in_turn` are in the lock's queue before anybody who comes later."""
    jobs = rng.randint(8, 10)
    delays = {"holder": 2.0, "behind": 1.0, **dict(enumerate(eighths(rng, jobs)))}
    trace = await run(company, jobs=jobs, behind="behind", world=calls(turn=delays))
    assert trace.order("turn") == ["holder", *range(jobs), "behind"]
    assert trace.peak("turn") == 1


@ordering
async def test_whoever_waits_already_comes_first(run, rng):
    """Whoever was in the lock's queue before the jobs has the lock before them."""
    jobs = rng.randint(2, 4)
    delays = {"holder": 2.0, "before": 1.0, **dict(enumerate(eighths(rng, jobs)))}
    trace = await run(company, jobs=jobs, before="before", world=calls(turn=delays))
    assert trace.order("turn") == ["holder", "before", *range(jobs)]
    assert trace.peak("turn") == 1


@cancellation
@points(2)
async def test_cancelled_it_ends_all_jobs_and_frees_the_lock(sweep, rng):
    """Cancelled at any point, `in_turn` ends with CancelledError; no job runs on or begins, and the lock is free."""
    for trace in await sweep(queue_up, jobs=3, world=calls(job=dict(enumerate(eighths(rng, 3))))):
        assert trace.elapsed == trace.struck_at
        assert trace.noted("lock.locked() afterwards") == [False]


@scenario
async def held_by_another(kata, stage, *, jobs):
    lock = asyncio.Lock()
    job = stage.calls("job")

    async def hold():
        await lock.acquire()
        await stage.calls("hold")()
        stage.note("lock.locked() before its holder releases it", lock.locked())
        if lock.locked():
            lock.release()

    holder = asyncio.create_task(hold())
    task = stage.target(asyncio.ensure_future(kata.in_turn(lock, [partial(job, number) for number in range(jobs)])))
    await asyncio.wait([holder, task])
    stage.note("lock.locked() in the end", lock.locked())
    return task.result()


@cancellation
async def test_cancelled_it_releases_only_what_it_holds(sweep, rng):
    """Cancelled while somebody else holds the lock, `in_turn` does not release it; nor does it keep it afterwards."""
    world = calls(hold=2.0, job=dict(enumerate(eighths(rng, 2))))
    for trace in await sweep(held_by_another, jobs=2, world=world):
        assert trace.noted("lock.locked() before its holder releases it") == [True]
        assert trace.noted("lock.locked() in the end") == [False]
        if trace.struck_at < 2.0:
            assert trace.count("job") == 0
