"""The suite of 06_lock as one would write it without the checker: plain pytest, in the same process.

The same 20 behaviours as tests/katas/test_06_lock.py, with the same delays in units of `UNIT` seconds.
"""

import asyncio
from collections import Counter
from functools import partial

import pytest
from recorder import UNIT, Clock, Recorder, about, cancel_at, failure_of

VOTES = ["tea", "milk", "coffee", "tea", "coffee", "tea"]
DELAYS = [2.5, 0.75, 3, 1.25, 0.5, 2]


async def vote(recorder, number):
    await recorder.job(number)
    return VOTES[number]


async def test_all_voters_vote_at_the_same_time(kata):
    recorder = Recorder(DELAYS.__getitem__)
    await kata.count_votes([partial(vote, recorder, number) for number in range(5)])
    assert recorder.peak == 5
    assert recorder.now() == about(3)
    assert await kata.count_votes([]) == {}
    assert recorder.now() == about(3)


async def test_every_vote_counts(kata):
    recorder = Recorder(DELAYS.__getitem__)
    voters = [partial(vote, recorder, number) for number in range(6)]
    before = list(voters)
    assert await kata.count_votes(voters) == {"tea": 3, "coffee": 2, "milk": 1}
    assert voters == before


async def test_a_voter_that_is_named_twice_votes_twice(kata):
    recorder = Recorder(DELAYS.__getitem__)

    async def voter():
        return await vote(recorder, len(recorder.order))

    assert await kata.count_votes([voter] * 6) == dict(Counter(VOTES))


async def test_a_failing_voter_ends_the_election(kata):
    failure = ValueError("bad")
    recorder = Recorder([0.5, 9, failure, 9, 9].__getitem__)
    assert await failure_of(kata.count_votes([partial(vote, recorder, number) for number in range(5)])) is failure
    assert recorder.now() == about(1)
    assert sorted(recorder.cancelled) == [1, 3, 4]


@pytest.mark.parametrize("moment", [0.0, 0.25, 1.0, 2.75])
async def test_a_cancelled_election_leaves_no_voter_waiting(kata, moment):
    recorder = Recorder(DELAYS.__getitem__)
    await cancel_at(moment, kata.count_votes([partial(vote, recorder, number) for number in range(3)]))
    assert recorder.running == 0
    assert recorder.now() == about(moment)


class Store:
    """What an account has to work with; the first `read` or `write` may fail."""

    def __init__(self, balance, *, read=0.5, write=0.75, failure=None, fails=""):
        self.balance, self.written = balance, []
        self._delays = {"read": read, "write": write}
        self._failures = {fails: failure}

    async def _work(self, name):
        await asyncio.sleep(self._delays[name] * UNIT)
        if failure := self._failures.pop(name, None):
            raise failure

    async def read(self):
        await self._work("read")
        return self.balance

    async def write(self, value):
        await self._work("write")
        self.written.append(value)
        self.balance = value


async def deposit_all(kata, store, payments):
    account = kata.Account(store)

    async def pay(at, amount):
        await asyncio.sleep(at * UNIT)
        return await account.deposit(amount)

    return await asyncio.gather(*(pay(at, amount) for at, amount in payments), return_exceptions=True)


async def test_a_deposit_returns_the_new_balance(kata):
    store = Store(17)
    assert await deposit_all(kata, store, [(0, 250), (5, 38)]) == [267, 305]
    assert store.written == [267, 305]


async def test_overlapping_deposits_lose_nothing(kata):
    store = Store(500, read=0.75, write=1.5)
    balances = await deposit_all(kata, store, [(0, 1), (0.25, 20), (0.5, 300), (1, 4000), (1.25, 50000)])
    assert store.balance == 54821
    assert 54821 in balances


async def test_accounts_do_not_wait_for_each_other(kata):
    clock = Clock()
    accounts = [kata.Account(Store(100 * place, read=0.75, write=1)) for place in range(4)]
    balances = await asyncio.gather(*(account.deposit(place + 1) for place, account in enumerate(accounts)))
    assert clock.now() == about(1.75)
    assert balances == [1, 102, 203, 304]


@pytest.mark.parametrize("label", ["read", "write"])
async def test_a_failed_deposit_raises_its_error(kata, label):
    failure = OSError("bad")
    store = Store(500, failure=failure, fails=label)
    came, *balances = await deposit_all(kata, store, [(0, 7), (0.25, 30), (5, 200)])
    assert came is failure
    assert balances == [530, 730]


@pytest.mark.parametrize("moment", [0.25, 0.75, 1.5, 2.0])
async def test_a_cancelled_deposit_leaves_the_account_usable(kata, moment):
    account = kata.Account(Store(1000))
    before = asyncio.create_task(account.deposit(1))
    await asyncio.sleep(0)
    cancelled = asyncio.create_task(account.deposit(20))
    await asyncio.sleep(0)
    behind = asyncio.create_task(account.deposit(300))
    await asyncio.sleep(moment * UNIT)
    cancelled.cancel()
    await asyncio.wait([before, cancelled, behind])
    assert cancelled.cancelled()
    assert await account.deposit(4000) in (5301, 5321)


async def queue_up(kata, jobs, delays):
    recorder, lock = Recorder(delays), asyncio.Lock()
    given = [partial(recorder.job, number) for number in range(jobs)]
    before = list(given)
    result = await kata.in_turn(lock, given)
    assert not lock.locked()
    assert given == before
    return recorder, result


async def test_one_job_at_a_time(kata):
    recorder, _ = await queue_up(kata, 4, DELAYS.__getitem__)
    assert recorder.peak == 1
    assert recorder.now() == about(7.5)


async def test_first_come_first_served(kata):
    recorder, _ = await queue_up(kata, 5, DELAYS.__getitem__)
    assert recorder.order == list(range(5))


async def test_results_stand_in_the_order_of_the_jobs(kata):
    _, result = await queue_up(kata, 5, 0.5)
    assert result == [f"result of {number}" for number in range(5)]


async def test_a_failure_takes_its_own_place(kata):
    failures = {1: ValueError("bad"), 3: ValueError("worse")}
    recorder, result = await queue_up(kata, 5, lambda number: failures.get(number, DELAYS[number]))
    assert result == ["result of 0", failures[1], "result of 2", failures[3], "result of 4"]
    assert recorder.now() == about(8)


async def test_a_job_that_stands_twice_runs_twice(kata):
    recorder = Recorder(1)

    async def job():
        return await recorder.job(len(recorder.order))

    assert await kata.in_turn(asyncio.Lock(), [job] * 3) == ["result of 0", "result of 1", "result of 2"]


async def share(kata, jobs, **others):
    """Somebody has the lock for 2 units; `in_turn` comes at 0.5, the others at their times."""
    recorder, lock = Recorder(lambda name: 2 if name == "holder" else 1), asyncio.Lock()

    async def come(name, at):
        await asyncio.sleep(at * UNIT)
        async with lock:
            await recorder.job(name)

    tasks = [asyncio.create_task(come(name, at)) for name, at in {"holder": 0, **others}.items()]
    await asyncio.sleep(0.5 * UNIT)
    result = await kata.in_turn(lock, [partial(recorder.job, number) for number in range(jobs)])
    returned = recorder.now()
    await asyncio.gather(*tasks)
    return recorder, result, returned


async def test_the_lock_may_be_held_by_somebody_else(kata):
    recorder, _, returned = await share(kata, 3)
    assert recorder.order == ["holder", 0, 1, 2]
    assert recorder.starts[0] == about(2)
    assert returned == about(5)
    _, result, returned = await share(kata, 0)
    assert result == []
    assert returned == about(0.5)


async def test_nobody_who_comes_later_gets_in_between(kata):
    recorder, _, _ = await share(kata, 3, behind=0.75)
    assert recorder.order == ["holder", 0, 1, 2, "behind"]
    assert recorder.peak == 1


async def test_whoever_waits_already_comes_first(kata):
    recorder, _, _ = await share(kata, 3, before=0.25)
    assert recorder.order == ["holder", "before", 0, 1, 2]
    assert recorder.peak == 1


@pytest.mark.parametrize("moment", [0.0, 1.0, 2.5, 3.0, 4.5])
async def test_cancelled_it_ends_all_jobs_and_frees_the_lock(kata, moment):
    recorder, lock = Recorder(DELAYS.__getitem__), asyncio.Lock()
    await cancel_at(moment, kata.in_turn(lock, [partial(recorder.job, number) for number in range(3)]))
    assert recorder.now() == about(moment)
    assert recorder.running == 0
    assert not lock.locked()
    begun = len(recorder.order)
    await asyncio.sleep(UNIT)
    assert len(recorder.order) == begun


@pytest.mark.parametrize("moment", [0.0, 1.0, 2.0, 2.5])
async def test_cancelled_it_releases_only_what_it_holds(kata, moment):
    recorder, lock = Recorder(1), asyncio.Lock()
    still_locked = []

    async def hold():
        async with lock:
            await asyncio.sleep(2 * UNIT)
            still_locked.append(lock.locked())

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    await cancel_at(moment, kata.in_turn(lock, [partial(recorder.job, number) for number in range(2)]))
    await holder
    assert still_locked == [True]
    assert not lock.locked()
    if moment < 2:
        assert recorder.order == []
