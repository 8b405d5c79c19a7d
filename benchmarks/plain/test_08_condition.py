"""The suite of 08_condition as one would write it without the checker: plain pytest, in the same process.

The same 24 behaviours as tests/katas/test_08_condition.py, with the same delays in units of `UNIT` seconds.
"""

import asyncio
from functools import partial

import pytest
from recorder import UNIT, Clock, Recorder, about, cancel_at, failure_of, go_home


class Trade:
    """One step of the plan a unit of time; customers are numbered from 1 as they come."""

    def __init__(self):
        self.clock = Clock()
        self.served, self.stocks, self.states = {}, [], []
        self._orders, self._tasks, self._taken = [], [], 0

    async def _customer(self, warehouse, number, n):
        await warehouse.take(n)
        self._taken += n
        self.served[number] = self.clock.now()

    async def play(self, warehouse, *plan):
        for step, n in plan:
            if step == "take":
                self._orders.append(n)
                self._tasks.append(asyncio.create_task(self._customer(warehouse, len(self._orders), n)))
            elif step == "restock":
                await warehouse.restock(n)
            else:
                self._tasks[n - 1].cancel()
            await asyncio.sleep(UNIT)
            self.stocks.append(warehouse.stock)
            waiting = [n for n, task in zip(self._orders, self._tasks, strict=True) if not task.done()]
            self.states.append((warehouse.stock, self._taken, waiting))
        await go_home(self._tasks)
        return self


async def test_take_and_restock_change_the_stock(kata):
    trade = await Trade().play(kata.Warehouse(15), ("take", 4), ("take", 6), ("restock", 3))
    assert trade.stocks == [11, 5, 8]
    trade = await Trade().play(kata.Warehouse(), ("restock", 8), ("take", 5))
    assert trade.stocks == [8, 3]


async def test_what_is_there_is_taken_at_once(kata):
    plan = ("take", 6), ("take", 5), ("restock", 4), ("restock", 1)
    trade = await Trade().play(kata.Warehouse(6), *plan)
    assert trade.served == {1: about(0), 2: about(3)}
    assert trade.stocks == [0, 0, 4, 0]


async def test_one_delivery_serves_everybody_who_can_be_served(kata):
    plan = ("take", 11), ("take", 2), ("take", 4), ("restock", 6), ("restock", 11)
    trade = await Trade().play(kata.Warehouse(), *plan)
    assert trade.served == {1: about(4), 2: about(3), 3: about(3)}
    assert trade.stocks == [0] * 5


async def test_a_small_order_passes_a_big_one(kata):
    trade = await Trade().play(kata.Warehouse(5), ("take", 9), ("take", 3))
    assert trade.served == {2: about(1)}
    assert trade.stocks == [5, 2]


async def test_two_do_not_take_the_same_pieces(kata):
    trade = await Trade().play(kata.Warehouse(), ("take", 4), ("take", 4), ("restock", 4), ("restock", 4))
    assert trade.stocks == [0] * 4
    assert sorted(trade.served.values()) == [about(2), about(3)]


async def test_nobody_waits_who_could_be_served(kata):
    plan = [("take", 99), ("take", 6), ("take", 3), ("restock", 3), ("take", 3), ("take", 6), ("restock", 12)]
    plan += [("take", 2), ("restock", 5), ("restock", 1), ("take", 4), ("take", 6), ("restock", 3), ("restock", 6)]
    plan += [("take", 5), ("restock", 2), ("take", 1), ("restock", 4), ("take", 3)]
    trade = await Trade().play(kata.Warehouse(), *plan)
    come = 0
    for (step, n), (left, taken, waiting) in zip(plan, trade.states, strict=True):
        come += n if step == "restock" else 0
        assert left == come - taken >= 0
        assert all(order > left for order in waiting)


async def test_customers_who_give_up_cost_nobody_anything(kata):
    plan = [("take", 50), ("take", 60), ("take", 4), ("take", 4), ("take", 7), ("cancel", 3), ("restock", 4)]
    plan += [("cancel", 1), ("restock", 7), ("restock", 1)]
    trade = await Trade().play(kata.Warehouse(), *plan)
    assert trade.served == {4: about(6), 5: about(8)}
    assert trade.stocks == [0] * 9 + [1]


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_who_gives_up_as_the_goods_come_in_leaves_them_to_the_next(kata, cancel_first):
    warehouse, tasks = kata.Warehouse(), []
    for wanted in (50, 60, 4, 4):
        tasks.append(asyncio.create_task(warehouse.take(wanted)))
        await asyncio.sleep(UNIT)
    if cancel_first:
        tasks[2].cancel()
    await warehouse.restock(4)
    if not cancel_first:
        tasks[2].cancel()
    await asyncio.sleep(UNIT)
    assert sum(task.done() and not task.cancelled() for task in tasks) == 1
    assert warehouse.stock == 0
    await go_home(tasks)


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.5, 2.5])
async def test_a_cancelled_order_takes_nothing(kata, moment):
    warehouse = kata.Warehouse()

    async def deliver():
        for _ in range(4):
            await asyncio.sleep(UNIT)
            await warehouse.restock(1)

    delivery = asyncio.create_task(deliver())
    await cancel_at(moment, warehouse.take(3))
    await delivery
    assert warehouse.stock == 4
    await asyncio.wait_for(warehouse.take(1), UNIT)


async def test_at_least_one_piece(kata):
    warehouse = kata.Warehouse(5)
    for n in (0, -3):
        for method in (warehouse.take, warehouse.restock):
            with pytest.raises(ValueError):
                await method(n)
    assert warehouse.stock == 5


class Evening:
    """One step of the plan a unit of time; says what each `send` returned, and when each passenger left."""

    def __init__(self):
        self.clock = Clock()
        self.left, self.sent, self._passengers = {}, [], {}

    async def _passenger(self, rank, name):
        await rank.wait(name)
        self.left[name] = self.clock.now()

    async def play(self, rank, *plan):
        for step, *what in plan:
            if step == "wait":
                self._passengers[what[0]] = asyncio.create_task(self._passenger(rank, *what))
            elif step == "send":
                self.sent.append(await rank.send(*what))
            elif step == "send_all":
                await rank.send_all()
            else:
                self._passengers[what[0]].cancel()
            await asyncio.sleep(UNIT)
        await go_home(self._passengers.values())
        return self


def arrivals(names):
    return [("wait", name) for name in names]


async def test_those_who_have_waited_longest_are_sent(kata):
    evening = await Evening().play(kata.TaxiRank(), *arrivals("daecfb"), ("send", 2), ("send", 1), ("send", 5))
    assert evening.sent == [["d", "a"], ["e"], ["c", "f", "b"]]
    assert evening.left == {name: about(at) for name, at in zip("daecfb", [6, 6, 7, 8, 8, 8], strict=True)}


async def test_nothing_is_kept_for_those_who_come_later(kata):
    plan = ("send", 3), ("wait", "early"), ("send", 2), ("wait", "late"), ("wait", "last"), ("send", 1)
    evening = await Evening().play(kata.TaxiRank(), *plan)
    assert evening.sent == [[], ["early"], ["late"]]
    assert evening.left == {"early": about(2), "late": about(5)}


async def test_send_all_sends_everybody_who_waits_now(kata):
    evening = await Evening().play(kata.TaxiRank(), *arrivals("cab"), ("send_all",), *arrivals("d"), ("send", 3))
    assert evening.sent == [["d"]]
    assert evening.left == {"c": about(3), "a": about(3), "b": about(3), "d": about(5)}


async def test_each_send_sends_others(kata):
    rank, tasks = kata.TaxiRank(), []
    for name in ("first", "second"):
        tasks.append(asyncio.create_task(rank.wait(name)))
        await asyncio.sleep(UNIT)
    sent = await rank.send(1)
    tasks.append(asyncio.create_task(rank.wait("newcomer")))
    sent += await rank.send(1)
    await asyncio.sleep(UNIT)
    assert [task.done() for task in tasks] == [True, True, False]
    assert [*sent, *await rank.send(5)] == ["first", "second", "newcomer"]
    await go_home(tasks)


async def test_each_rank_has_its_own_line(kata):
    station, harbour = kata.TaxiRank(), kata.TaxiRank()
    tasks = [asyncio.create_task(station.wait("here")), asyncio.create_task(harbour.wait("there"))]
    await asyncio.sleep(UNIT)
    assert await harbour.send(2) == ["there"]
    await asyncio.sleep(UNIT)
    assert [task.done() for task in tasks] == [False, True]
    assert await station.send(2) == ["here"]
    await go_home(tasks)


async def test_who_has_given_up_has_left_the_line(kata):
    plan = *arrivals("badc"), ("cancel", "a"), *arrivals("e"), ("send", 3)
    evening = await Evening().play(kata.TaxiRank(), *plan)
    assert evening.sent == [["b", "d", "c"]]
    assert evening.left == {name: about(6) for name in "bdc"}


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.5, 2.5])
async def test_a_cancelled_passenger_ends_and_the_others_go(kata, moment):
    rank = kata.TaxiRank()

    async def come(at, name):
        await asyncio.sleep(at * UNIT)
        await rank.wait(name)

    others = [asyncio.create_task(come(at, name)) for at, name in ((1, "second"), (2, "third"))]
    breaking_off = asyncio.create_task(cancel_at(moment, rank.wait("first")))
    await asyncio.sleep(3 * UNIT)
    await breaking_off
    assert await rank.send(1) == ["second"]
    await asyncio.sleep(UNIT)
    assert await rank.send(3) == ["third"]
    await asyncio.wait_for(asyncio.gather(*others), UNIT)


class Table(Recorder):
    """Where players play: `delays` are those of the turns, whoever has them."""

    def __init__(self, *delays):
        super().__init__(delays.__getitem__)
        self.played = []

    async def play(self, seat):
        self.played.append(seat)
        return seat, await self.job(len(self.played) - 1)

    def players(self, seats):
        return [partial(self.play, seat) for seat in seats]


async def test_one_after_another_in_order(kata):
    table = Table(1.5, 0.25, 2, 0.75, 1, 0.5, 1.75, 1, 0.25, 2.25, 0.5, 1)
    await kata.take_turns(table.players("cabd"), 3)
    assert table.played == list("cabd" * 3)
    assert table.peak == 1


async def test_the_next_player_is_called_at_once(kata):
    table = Table(1.5, 0.5, 2, 0.75, 1, 1.25)
    await kata.take_turns(table.players("bca"), 2)
    assert list(table.starts.values()) == [about(at) for at in (0, 1.5, 2, 4, 4.75, 5.75)]
    assert table.now() == about(7)
    assert await kata.take_turns([], 3) == []
    assert table.now() == about(7)


async def test_answers_come_in_the_order_played(kata):
    table = Table(*[0.5] * 9)
    players = table.players(["white", "black", "red"])
    before = list(players)
    answers = await kata.take_turns(players, 3)
    assert answers == [(seat, f"result of {turn}") for turn, seat in enumerate(["white", "black", "red"] * 3)]
    assert players == before


async def test_one_player_may_sit_in_two_places(kata):
    recorder = Recorder(1)
    hare, hedgehog = partial(recorder.job, "hare"), partial(recorder.job, "hedgehog")
    answers = await kata.take_turns([hedgehog, hare, hedgehog], 2)
    assert recorder.order == ["hedgehog", "hare", "hedgehog"] * 2
    assert answers == [f"result of {name}" for name in recorder.order]


async def test_each_player_has_a_task_of_its_own_from_the_start(kata):
    recorder, callers = Recorder(1), {}

    def player(seat):
        callers.setdefault(seat, set()).add(asyncio.current_task())
        return recorder.job(seat)

    game = asyncio.create_task(kata.take_turns([partial(player, seat) for seat in range(3)], 2))
    await asyncio.sleep(0.5 * UNIT)
    there = asyncio.all_tasks()
    await game
    assert recorder.order == [0, 1, 2] * 2
    assert len(set.union(*callers.values())) == sum(map(len, callers.values())), "one task calls several players"
    assert set.union(*callers.values()) <= there


async def test_a_player_that_fails_ends_the_game(kata):
    failure = ArithmeticError("bad")
    table = Table(0.75, 1.5, 0.5, 1.25, 2, failure, 1)
    assert await failure_of(kata.take_turns(table.players("abcd"), 3)) is failure
    assert table.played == list("abcdab")
    assert table.now() == about(7)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("moment", [0.0, 0.25, 1.0, 2.25, 3.5])
async def test_a_cancelled_game_is_over(kata, moment):
    table = Table(0.5, 1.25, 0.75, 2, 2, 2)
    await cancel_at(moment, kata.take_turns(table.players("abc"), 2))
    assert table.now() == about(moment)
    assert table.running == 0
    turns = len(table.played)
    await asyncio.sleep(UNIT)
    assert len(table.played) == turns
    assert len(asyncio.all_tasks()) == 1
