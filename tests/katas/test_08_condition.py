"""The suite of 08_condition: whoever can go on does so at once, and nobody else does."""

import asyncio
from functools import partial

from checker.suite import call, calls, cancellation, ordering, points, result, scenario, timing


def odd_second(rng):
    """About a second, exact as a float: no multiple of it is met by looking every 0.01 s, 0.1 s or 0.25 s."""
    return 1 + rng.randrange(1, 100, 2) / 1024


def listed(things):
    """Some things as they stand in a sentence: `4, 2 and 2`."""
    *most, last = map(str, things)
    return f"{', '.join(most)} and {last}" if most else last


async def go_home(tasks):
    """Cancel those who still wait, and raise what any of the others raised."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


# --- Warehouse -----------------------------------------------------------------------------------------


@scenario
async def trade(kata, stage, *, plan, beat, stock=None):
    """One step of the plan a beat; customers are numbered as they come and noted when they are served."""
    warehouse = kata.Warehouse() if stock is None else kata.Warehouse(stock)
    orders, tasks = [], []
    taken = 0

    async def customer(number, n):
        nonlocal taken
        await warehouse.take(n)
        taken += n
        stage.note(f"served customer {number}")

    try:
        for step, n in plan:
            if step == "take":
                orders.append(n)
                tasks.append(asyncio.create_task(customer(len(orders), n)))
            elif step == "restock":
                before = stage.now
                await warehouse.restock(n)
                stage.note("restock took", [n, stage.now - before])
            else:
                tasks[n - 1].cancel()
            await asyncio.sleep(beat)
            waiting = [n for n, task in zip(orders, tasks, strict=True) if not task.done()]
            stage.note("stock", warehouse.stock)
            stage.note("state", [warehouse.stock, taken, waiting])
    finally:
        await go_home(tasks)


@scenario
async def two_warehouses(kata, stage, *, here, there, more):
    one, other = kata.Warehouse(here), kata.Warehouse(there)
    await one.restock(more)
    return [one.stock, other.stock]


async def trading(run, rng, plan, *, stock=None, served=None, left=None):
    """Plays the plan, and checks at which step of it an order (counted from 1) is served, and the stock after each."""
    beat = odd_second(rng)
    trace = await run(trade, plan=plan, beat=beat, stock=stock)
    for n, took in trace.noted("restock took"):
        assert took < 1e-6, f"`restock({n})` should take no time, whoever waits; it took {took:g} s."
    orders = [(at, n) for at, (step, n) in enumerate(plan) if step == "take"]
    for number, place in (served or {}).items():
        came, wanted = orders[number - 1]
        story = (
            f"In all, orders came for {listed(n for _, n in orders)}"
            f"{f', and {stock} were in stock' if stock else ''}. "
            f"Order {number}, `take({wanted})`, at {came * beat:g} s, "
        )
        step, n = plan[place]
        story += f"is covered by `restock({n})` at {place * beat:g} s" if step == "restock" else "can be served at once"
        at = [*trace.noted_at(f"served customer {number}")]
        assert at == [place * beat], (
            f"{story}. Served at, in seconds: expected {place * beat:g}, saw {f'{at[0]!r}.' if at else 'nothing.'}"
        )
    if left is not None:
        saw = [*trace.noted("stock")]
        told = {"take": "take({})", "restock": "restock({})", "cancel": "the end of order {}"}
        steps = listed(told[step].format(n) for step, n in plan)
        assert saw == left, f"`stock` after each of {steps}: expected {left}, saw {saw}."
    return trace, beat


@result
async def test_take_and_restock_change_the_stock(run, rng):
    """`take(n)` takes n pieces off the stock, `restock(n)` adds n; a new warehouse has as many as it was given."""
    first, second, more = rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 9)
    left = rng.randint(1, 9)
    stock = first + second + left
    plan = [("take", first), ("take", second), ("restock", more)]
    await trading(run, rng, plan, stock=stock, left=[second + left, left, left + more])
    await trading(run, rng, [("restock", more + left), ("take", left)], left=[more + left, more])
    trace = await run(two_warehouses, here=first, there=second, more=more)
    assert trace.result == [first + more, second], (
        f"Of two warehouses, with {first} and {second} in stock, the first had `restock({more})`: "
        f"they should have {first + more} and {second}, but {trace.result!r} are in stock."
    )


@timing
async def test_what_is_there_is_taken_at_once(run, rng):
    """Nobody waits where there is enough, to the last piece; where one is missing, the order waits for it."""
    stock, more = rng.randint(3, 9), rng.randint(1, 9)
    plan = [("take", stock), ("take", more + 1), ("restock", more), ("restock", 1)]
    await trading(run, rng, plan, stock=stock, served={1: 0, 2: 3}, left=[0, 0, more, 0])


@timing
@points(2)
async def test_one_delivery_serves_everybody_who_can_be_served(run, rng):
    """A delivery serves all whose orders it covers at that moment, also behind one that is still too big."""
    small, middle = rng.randint(1, 5), rng.randint(1, 5)
    big = small + middle + rng.randint(1, 5)
    plan = [("take", big), ("take", small), ("take", middle), ("restock", small + middle), ("restock", big)]
    await trading(run, rng, plan, served={2: 3, 3: 3, 1: 4}, left=[0, 0, 0, 0, 0])


@timing
async def test_a_small_order_passes_a_big_one(run, rng):
    """A small order that can be served at once does not stand behind a big one that cannot."""
    stock = rng.randint(2, 9)
    small = rng.randint(1, stock)
    plan = [("take", stock + rng.randint(1, 9)), ("take", small)]
    await trading(run, rng, plan, stock=stock, served={2: 1}, left=[stock, stock - small])


@result
@points(2)
async def test_two_do_not_take_the_same_pieces(run, rng):
    """Of two who wait for the same pieces one takes them; the other waits on, and the stock is never negative."""
    n = rng.randint(2, 9)
    plan = [("take", n), ("take", n), ("restock", n), ("restock", n)]
    trace, beat = await trading(run, rng, plan, left=[0, 0, 0, 0])
    served = sorted([*trace.noted_at("served customer 1"), *trace.noted_at("served customer 2")])
    assert served == [2 * beat, 3 * beat], (
        f"Two wait for {n} each, and {n} come in at {2 * beat:g} s and again at {3 * beat:g} s: "
        f"one is served each time, not at {served} s."
    )


@result
async def test_nobody_waits_who_could_be_served(run, rng):
    """However orders and deliveries come: no piece is lost, and nobody waits who could be served."""
    small, middle = rng.randint(1, 4), rng.randint(5, 8)
    plan = [("take", 99), ("restock", 3), ("take", 4), ("restock", 1)]  # the last piece is not for the first in line
    plan += [("take", middle), ("take", small), ("restock", small), ("take", small), ("take", middle)]
    plan += [("restock", 2 * middle), *((rng.choice(["take", "restock"]), rng.randint(1, 6)) for _ in range(12))]
    trace, beat = await trading(run, rng, plan)
    stock = 0
    for place, ((step, n), (left, taken, waiting)) in enumerate(zip(plan, trace.noted("state"), strict=True)):
        stock += n if step == "restock" else 0
        after = f"After `{step}({n})` at {place * beat:g} s"
        assert left == stock - taken, (
            f"{after}, {stock} pieces have come in and {taken} are taken, but {left!r} are in stock."
        )
        assert left >= 0, f"{after} the stock is negative: {left}."
        served = [order for order in waiting if order <= left]
        assert not served, f"{after}, {left} are in stock, and yet somebody who wants {served[0]} still waits."


@cancellation
async def test_customers_who_give_up_cost_nobody_anything(run, rng):
    """Customers who give up take nothing with them: what comes in later serves those who still wait."""
    n = rng.randint(2, 9)
    more = n + rng.randint(1, 9)
    plan = [("take", 50), ("take", 60), ("take", n), ("take", n), ("take", more), ("cancel", 3), ("restock", n)]
    plan += [("cancel", 1), ("restock", more), ("restock", 1)]
    await trading(run, rng, plan, served={4: 6, 5: 8}, left=[0, 0, 0, 0, 0, 0, 0, 0, 0, 1])


@scenario
async def change_of_mind(kata, stage, *, orders, leaver, n, cancel_first):
    """Some wait, and one of them gives up in the very moment in which the goods come in."""
    warehouse = kata.Warehouse()
    tasks = []
    try:
        for wanted in orders:
            tasks.append(asyncio.create_task(warehouse.take(wanted)))
            await asyncio.sleep(1)
        if cancel_first:
            tasks[leaver].cancel()
            await warehouse.restock(n)
        else:
            await warehouse.restock(n)
            tasks[leaver].cancel()
        await asyncio.sleep(1)
        stage.note("served", [place for place, task in enumerate(tasks) if task.done() and not task.cancelled()])
        stage.note("stock", warehouse.stock)
    finally:
        await go_home(tasks)


@cancellation
@points(2)
async def test_who_gives_up_as_the_goods_come_in_leaves_them_to_the_next(run, rng):
    """Of several who could be served, one gives up in the very moment of the delivery: the others are served."""
    n, half = rng.randint(2, 9), rng.randint(1, 4)
    # A delivery may take turns of the loop: then the leaver has been served already when it is cancelled.
    for orders, leaver, served in (([50, 60, n, n], 2, [[2], [3]]), ([2 * half, half, half], 0, [[0], [1, 2]])):
        for cancel_first in (True, False):
            came = orders[leaver]
            trace = await run(change_of_mind, orders=orders, leaver=leaver, n=came, cancel_first=cancel_first)
            (saw,) = trace.noted("served")
            others = [place + 1 for place in served[1]]
            assert saw in served, (
                f"Orders for {listed(orders)} wait; `restock({came})` comes in, and order {leaver + 1} is cancelled "
                f"just {'before' if cancel_first else 'after'} that: the goods are for order {listed(others)}. "
                f"Number of orders served: expected {len(others)}, saw {len(saw) or 'nothing'}."
            )
            (left,) = trace.noted("stock")
            assert left == 0, (
                f"Orders for {listed(orders)} wait; `restock({came})` comes in, and order {leaver + 1} is cancelled in "
                f"the same moment. What is in stock then: expected 0, saw {left!r}."
            )


@scenario
async def order(kata, stage, *, n):
    """Pieces come in one by one, until the order can be served, and then one more."""
    warehouse = kata.Warehouse()
    task = stage.target(asyncio.create_task(warehouse.take(n)))
    for _ in range(n + 1):
        await asyncio.sleep(1)
        await warehouse.restock(1)
    stage.note("stock", warehouse.stock)
    await asyncio.wait_for(warehouse.take(1), 1)
    return await task


@cancellation
async def test_a_cancelled_order_takes_nothing(sweep, rng):
    """Cancelled while it waits, `take` ends with CancelledError, takes nothing, and trade goes on."""
    n = rng.randint(2, 4)
    for trace in await sweep(order, n=n):
        (left,) = trace.noted("stock")
        assert left == n + 1, (
            f"`take({n})` was cancelled, and {n + 1} pieces came in. "
            f"What is in stock then: expected {n + 1}, saw {left!r}."
        )


@scenario
async def bad_numbers(kata, stage, *, stock, numbers):
    warehouse = kata.Warehouse(stock)
    for n in numbers:
        for name, method in (("take", warehouse.take), ("restock", warehouse.restock)):
            try:
                await asyncio.wait_for(method(n), 1)
                came = "nothing was raised"
            except ValueError:
                came = "ValueError was raised"
            except TimeoutError:
                came = "it waits"
            stage.note(f"{name}({n})", came)
    return warehouse.stock


@result
async def test_at_least_one_piece(run, rng):
    """`take` and `restock` raise ValueError for an n below 1, at once, and the stock stays as it is."""
    numbers = [0, -rng.randint(1, 9)]
    for stock in (rng.randint(1, 9), 0):
        trace = await run(bad_numbers, stock=stock, numbers=numbers)
        for what in [f"{name}({n})" for n in numbers for name in ("take", "restock")]:
            [came] = trace.noted(what)
            assert came == "ValueError was raised", f"`{what}` with {stock} in stock should raise ValueError; {came}."
        assert trace.elapsed == 0
        assert trace.result == stock


# --- TaxiRank ------------------------------------------------------------------------------------------


@scenario
async def evening(kata, stage, *, plan, beat):
    """One step of the plan a beat; passengers are noted when they leave. Returns what each sending returned."""
    rank = kata.TaxiRank()
    passengers, sent = {}, []

    async def passenger(name):
        await rank.wait(name)
        stage.note(f"{name} left")

    try:
        for step, what in plan:
            if step == "wait":
                passengers[what] = asyncio.create_task(passenger(what))
            elif step == "send":
                sent.append(await rank.send(what))
            elif step == "send_all":
                sent.append(await rank.send_all())
            else:
                passengers[what].cancel()
            await asyncio.sleep(beat)
    finally:
        await go_home(passengers.values())
    return sent


def people(rng, count):
    """So many names that nobody can know; not in the order of the alphabet."""
    return [f"rider {number}" for number in sorted(rng.sample(range(100, 1000), count), reverse=True)]


def arrivals(names):
    """The steps in which they come."""
    return [("wait", name) for name in names]


async def driving(run, rng, plan, *, sent=None, left=()):
    """Plays the plan, and checks what the sendings return, and with which step of it (None: not at all) who leaves."""
    beat = odd_second(rng)
    trace = await run(evening, plan=plan, beat=beat)
    shown = {"send": "`send({})`", "send_all": "`send_all()`"}
    sendings = [(at, shown[step].format(what)) for at, (step, what) in enumerate(plan) if step in shown]
    for (at, what), wanted, saw in zip(sendings, sent or [], trace.result, strict=False):
        gone = [name for step, name in plan[:at] if step == "cancel"]
        came = [name for step, name in plan[:at] if step == "wait"]
        assert saw == wanted, (
            f"Until {what} at {at * beat:g} s, {len(came)} had come, {listed(came or ['nobody'])}"
            f"{f', and {listed(gone)} had given up' if gone else ''}. It should return {wanted}; it returned {saw!r}."
        )
    for name, place in left:
        at = [*trace.noted_at(f"{name} left")]
        came = f"{name.capitalize()} came at {plan.index(('wait', name)) * beat:g} s"
        if place is None:
            assert at == [], f"{came}, and no sending was for it; yet it left, at {at[0]!r} s."
            continue
        by = shown[plan[place][0]].format(plan[place][1])
        assert at == [place * beat], (
            f"{came}, and {by} at {place * beat:g} s should send it off. "
            f"Left at, in seconds: expected {place * beat:g}, saw {f'{at[0]!r}.' if at else 'nothing.'}"
        )
    return trace


@scenario
async def namesakes(kata, stage, *, names, leaver, sends):
    """Passengers come, one may give up, and some are sent off; notes what each send returned and who has gone by it."""
    rank = kata.TaxiRank()
    tasks = []
    try:
        for name in names:
            tasks.append(asyncio.create_task(rank.wait(name)))
            await asyncio.sleep(1)
        if leaver:
            tasks[leaver - 1].cancel()
            await asyncio.sleep(1)
        waiting = [task for task in tasks if not task.done()]
        for n in sends:
            sent = await rank.send(n)
            await asyncio.sleep(1)
            gone = [place for place, task in enumerate(tasks, 1) if task in waiting and task.done()]
            waiting = [task for task in waiting if not task.done()]
            stage.note("sent", [sent, gone])
    finally:
        await go_home(tasks)


async def sending_namesakes(run, names, sends, *, leaver=0):
    """Sends `n` off of passengers with these names; `sends` has for each n the numbers of those who should go."""
    trace = await run(namesakes, names=names, leaver=leaver, sends=[n for n, _ in sends])
    story = f"Passengers named {listed(names)} came, in this order"
    story += f", and number {leaver} gave up" if leaver else ""
    for place, ((n, wanted), (sent, gone)) in enumerate(zip(sends, trace.noted("sent"), strict=True)):
        after = f"{story}; {f'after `send({sends[0][0]})` ' if place else ''}`send({n})` should send off number"
        after += f"{'s' if wanted[1:] else ''} {listed(wanted)}"
        assert gone == wanted, f"{after}, but {listed([f'number {each}' for each in gone] or ['nobody'])} went."
        named = [names[number - 1] for number in wanted]
        assert sent == named, f"{after} and return {named}, but it returned {sent!r}."


@ordering
@points(2)
async def test_those_who_have_waited_longest_are_sent(run, rng):
    """`send(n)` sends off exactly the n who waited longest (all, if fewer); it and `send_all` return names in order."""
    names = people(rng, 6)
    sends = [("send", 2), ("send", 0), ("send", 1), ("send", rng.randint(4, 9))]
    left = zip(names, [6, 6, 8, 9, 9, 9], strict=True)
    await driving(run, rng, [*arrivals(names), *sends], sent=[names[:2], [], names[2:3], names[3:]], left=left)
    trace = await driving(run, rng, [*arrivals(names), ("send_all", None)])
    [sent] = trace.result
    assert sent == names, (
        f"`send_all()` should return the names of all who wait, in order: {names}; it returned {sent!r}."
    )
    same, other = names[:2]
    await sending_namesakes(run, [same, same, other], [(1, [1]), (2, [2, 3])])


@scenario
async def commuting(kata, stage, *, name, sends):
    """A commuter waits again the moment it has been sent off: that is later than the send, which it is not part of."""
    rank = kata.TaxiRank()

    async def commuter():
        for _ in range(6):
            await rank.wait(name)

    task = asyncio.create_task(commuter())
    try:
        await asyncio.sleep(1)
        for n in sends:
            stage.note("sent", await (rank.send_all() if n is None else rank.send(n)))
            await asyncio.sleep(1)
    finally:
        await go_home([task])


@ordering
async def test_nothing_is_kept_for_those_who_come_later(run, rng):
    """What an earlier `send` had to spare is not kept: who comes later waits for a `send` of their own."""
    early, late, last = people(rng, 3)
    plan = [("send", rng.randint(1, 5)), ("wait", early), ("send", rng.randint(2, 5)), ("wait", late), ("wait", last)]
    left = [(early, 2), (late, 5), (last, None)]
    await driving(run, rng, [*plan, ("send", 1)], sent=[[], [early], [late]], left=left)
    several = rng.randint(2, 4)
    trace = await run(commuting, name=early, sends=[several, None, several])
    for what, sent in zip([f"send({several})", "send_all()"] * 2, trace.noted("sent"), strict=False):
        assert sent == [early], (
            f"One passenger waits, and waits again as soon as it has been sent off; `{what}` should send it off once "
            f"and return {[early]}, but it returned {sent!r}."
        )


@scenario
async def empty_rank(kata, stage):
    """Nobody waits, and everybody is sent off: notes what came of it."""
    rank = kata.TaxiRank()
    try:
        stage.note("sent", await asyncio.wait_for(rank.send_all(), 1))
    except NotImplementedError:
        raise
    except TimeoutError:
        stage.note("failed", "it had not returned after 1 s")
    except Exception as error:
        stage.note("failed", f"it raised {type(error).__name__}")


@timing
async def test_send_all_sends_everybody_who_waits_now(run, rng):
    """`send_all()` sends off everybody who waits at that moment, and nobody who comes later."""
    names = people(rng, rng.randint(3, 5))
    plan = [*arrivals(names[:-1]), ("send_all", None), *arrivals(names[-1:]), ("send", 3)]
    left = [*((name, len(names) - 1) for name in names[:-1]), (names[-1], len(names) + 1)]
    trace = await driving(run, rng, plan, left=left)
    _, later = trace.result
    assert later == names[-1:], f"The next `send(3)` should return {names[-1:]}, who came later; it returned {later!r}."
    trace = await run(empty_rank)
    came = [*trace.noted("failed"), *(f"it returned {sent!r}" for sent in trace.noted("sent") if sent != [])]
    came += [f"it took {trace.elapsed!r} s"] if trace.elapsed > 0 else []
    assert not came, f"Nobody waits: `send_all()` should return [] at once, but {came[0]}."


@scenario
async def rush(kata, stage, *, first, second, newcomer):
    """Somebody comes, and another taxi, before those who were sent off have had time to leave."""
    rank = kata.TaxiRank()
    tasks = []
    try:
        for name in (first, second):
            tasks.append(asyncio.create_task(rank.wait(name)))
            await asyncio.sleep(1)
        tasks.append(asyncio.create_task(rank.wait(newcomer)))
        sent = [*await rank.send(1)]
        sent += await rank.send(1)
        await asyncio.sleep(1)
        stage.note("gone", [task.done() for task in tasks])
        return [*sent, *await rank.send(5)]
    finally:
        await go_home(tasks)


@ordering
async def test_each_send_sends_others(run, rng):
    """Two sends at the same moment send off two; who comes at that moment waits for the next."""
    first, second, newcomer = people(rng, 3)
    trace = await run(rush, first=first, second=second, newcomer=newcomer)
    (gone,) = trace.noted("gone")
    assert gone == [True, True, False], (
        f"Two had waited, and somebody came as `send(1)` was called twice at 2 s: the two should have gone, and the "
        f"newcomer wait; of the two {sum(gone[:2])} had gone, of the newcomers {sum(gone[2:])}."
    )
    assert trace.result == [first, second, newcomer], (
        f"`send(1)`, `send(1)` and later `send(5)` should name {first}, {second} and {newcomer}, in the order in which "
        f"they had come; they named {trace.result!r}."
    )


@scenario
async def two_ranks(kata, stage, *, here, there):
    station, harbour = kata.TaxiRank(), kata.TaxiRank()
    tasks = [asyncio.create_task(station.wait(here)), asyncio.create_task(harbour.wait(there))]
    try:
        await asyncio.sleep(1)
        sent = await harbour.send(2)
        await asyncio.sleep(1)
        stage.note("gone", [task.done() for task in tasks])
        return [sent, await station.send(2)]
    finally:
        await go_home(tasks)


@ordering
async def test_each_rank_has_its_own_line(run, rng):
    """A taxi at one rank sends off nobody at another one."""
    here, there = people(rng, 2)
    trace = await run(two_ranks, here=here, there=there)
    (gone,) = trace.noted("gone")
    assert gone == [False, True], (
        "One passenger waited at each of two ranks, and `send(2)` was called at the second one: "
        f"nobody should have gone from the first, and 1 from the second; gone from each: {[*map(int, gone)]}."
    )
    assert trace.result == [[there], [here]], (
        f"{here} waited at one rank and {there} at another one; `send(2)` at the other one and then at the first "
        f"should return {[there]} and {[here]}; they returned {trace.result!r}."
    )


@scenario
async def last_moment(kata, stage, *, names):
    """The first in the line gives up in the very moment in which one is sent off: notes what that raised."""
    rank = kata.TaxiRank()
    tasks = []
    try:
        for name in names:
            tasks.append(asyncio.create_task(rank.wait(name)))
            await asyncio.sleep(1)
        tasks[0].cancel()
        try:
            await rank.send(1)
        except NotImplementedError:
            raise
        except Exception as error:
            stage.note("raised", type(error).__name__)
        await asyncio.sleep(1)
    finally:
        await go_home(tasks)


@cancellation
async def test_who_has_given_up_has_left_the_line(run, rng):
    """A passenger who gives up is not counted and not named by a later `send`."""
    names = people(rng, 5)
    gone = rng.randrange(3)
    plan = [*arrivals(names[:4]), ("cancel", names[gone]), *arrivals(names[4:]), ("send", 3)]
    rest = [name for name in names if name != names[gone]]
    await driving(run, rng, plan, sent=[rest[:3]], left=[*((name, 6) for name in rest[:3]), (rest[3], None)])
    same, other = names[:2]
    await sending_namesakes(run, [same, other, same], [(1, [1]), (2, [2])], leaver=3)
    trace = await run(last_moment, names=names[:2])
    raised = [*trace.noted("raised")]  # whom it sends off is left open: who is cancelled may not have woken yet
    assert not raised, (
        f"{names[0].capitalize()} and {names[1]} wait, {names[0]} is cancelled, and `send(1)` is called in the same "
        f"moment: it should return as ever, but it raised {raised[0]}."
    )


@scenario
async def impatience(kata, stage, *, names):
    """The first in the line may be cancelled; after that everybody is sent off."""
    rank = kata.TaxiRank()
    tasks = [stage.target(asyncio.create_task(rank.wait(names[0])))]
    for name in names[1:]:
        await asyncio.sleep(1)
        tasks.append(asyncio.create_task(rank.wait(name)))
    await asyncio.sleep(1)
    stage.note("sent first", await rank.send(1))
    await asyncio.sleep(1)
    stage.note("sent then", await rank.send(3))
    await asyncio.wait(tasks[1:], timeout=1)
    return await tasks[0]


@cancellation
async def test_a_cancelled_passenger_ends_and_the_others_go(sweep, rng):
    """Cancelled while it waits, `wait` ends with CancelledError, and the others are sent off as if alone."""
    first, second, third = people(rng, 3)
    for trace in await sweep(impatience, names=[first, second, third]):
        for what, name, told in (("send(1)", second, "sent first"), ("send(3)", third, "sent then")):
            (sent,) = trace.noted(told)
            assert sent == [name], (
                f"{first}, who came first, was cancelled, and {second} and {third} waited; `{what}` at "
                f"{3 if told == 'sent first' else 4} s should return {[name]}, but it returned {sent!r}."
            )


# --- take_turns ----------------------------------------------------------------------------------------


@scenario
async def game(kata, stage, *, seats, rounds):
    play = stage.calls("play")
    players = [partial(play, seat) for seat in seats]
    given = list(players)
    answers = await kata.take_turns(players, rounds)
    stage.note("list changed", players != given)
    return answers


@ordering
@points(2)
async def test_one_after_another_in_order(run, rng):
    """Players are called strictly one after another, in their order, as many times round as asked for."""
    seats = rng.sample(range(10, 100), rng.randint(3, 5))
    rounds = rng.randint(2, 4)
    delays = [rng.randint(1, 12) / 4 for _ in range(len(seats) * rounds)]
    trace = await run(game, seats=seats, rounds=rounds, world=calls(play=delays))
    assert trace.order("play") == seats * rounds
    assert trace.peak("play") == 1
    trace = await run(game, seats=seats[:1], rounds=rounds, world=calls(play=delays))
    assert trace.order("play") == seats[:1] * rounds


@timing
async def test_the_next_player_is_called_at_once(run, rng):
    """Each player is called the moment the one before has answered; no players, or no rounds, take no time."""
    seats = list(range(rng.randint(2, 4)))
    odd = odd_second(rng)
    delays = [rng.randint(0, 8) / 4 + odd for _ in range(len(seats) * 2)]
    trace = await run(game, seats=seats, rounds=2, world=calls(play=delays))
    assert trace.starts("play") == [sum(delays[:turn]) for turn in range(len(delays))]
    assert trace.elapsed == sum(delays)
    for nobody, rounds in (([], 3), (seats, 0)):
        trace = await run(game, seats=nobody, rounds=rounds, world=calls(play=1.0))
        assert trace.result == []
        assert trace.elapsed == 0


@scenario
async def two_games(kata, stage, *, players, rounds):
    """Two games at the same time, the second one a little later; notes the answers of each, if it ends in 20 s."""

    async def one(label, wait):
        await asyncio.sleep(wait)
        play = stage.calls(label)
        stage.note(label, await kata.take_turns([partial(play, seat) for seat in range(players)], rounds))

    tasks = [asyncio.create_task(one("first", 0)), asyncio.create_task(one("second", 0.5))]
    await asyncio.wait(tasks, timeout=20)
    await go_home(tasks)


@scenario
async def game_of_errors(kata, stage, *, players):
    """Each player's answer is an exception object, which none of them raises; tells whether these came back."""
    given = [LookupError(seat) for seat in range(players)]

    async def player(error):
        return error

    try:
        answers = await kata.take_turns([partial(player, error) for error in given], 1)
    except (LookupError, ExceptionGroup) as error:
        if isinstance(error, ExceptionGroup) and not error.subgroup(LookupError):
            raise
        return "it raised such an answer"
    return answers == given or "it returned something else"


@result
async def test_answers_come_in_the_order_played(run, rng):
    """The answers stand in the order in which they were given, and the list of players is left as it was."""
    world = calls(play=[0.5, call(0.5, None), 0.5, call(0.5, 0), 0.5])
    trace = await run(game, seats=["white", "black", "red"], rounds=rng.randint(2, 4), world=world)
    assert trace.result == trace.all_given("play")
    assert trace.noted("list changed") == [False]
    players, rounds = rng.randint(2, 3), rng.randint(2, 3)
    trace = await run(two_games, players=players, rounds=rounds, world=calls(first=1.0, second=1.0))
    for label in ("first", "second"):
        which = f"Of two games at the same time, each with {players} players and {rounds} rounds, the {label} one"
        order, answers, own = trace.order(label), trace.noted(label), trace.all_given(label)
        assert order == [*range(players)] * rounds, f"{which} should have {players * rounds} turns; it had {order}."
        assert answers == [own], (
            f"{which} should return the {players * rounds} answers of its own players; "
            f"{f'it returned {answers[0]!r}' if answers else 'it had not ended after 20 s'}."
        )
    trace = await run(game_of_errors, players=players)
    assert trace.result is True, (
        f"The answers of {players} players are exception objects, returned and not raised; `take_turns` should return "
        f"these {players} objects in a list, but {trace.result}."
    )


@scenario
async def twice_at_the_table(kata, stage, *, rounds):
    play = stage.calls("play")
    hare, hedgehog = partial(play, "hare"), partial(play, "hedgehog")
    return await kata.take_turns([hedgehog, hare, hedgehog], rounds)


@ordering
async def test_one_player_may_sit_in_two_places(run, rng):
    """The same player may stand in the list twice, and then plays twice a round."""
    rounds = rng.randint(1, 3)
    trace = await run(twice_at_the_table, rounds=rounds, world=calls(play=1.0))
    assert trace.order("play") == ["hedgehog", "hare", "hedgehog"] * rounds
    assert trace.result == trace.all_given("play")


@scenario
async def table(kata, stage, *, players, rounds):
    """Notes for each call who plays, and the number of the task that calls; and the tasks there are early on."""
    play = stage.calls("play")
    called_by = []

    def player(seat):
        called_by.append((seat, asyncio.current_task()))
        return play(seat)

    game = asyncio.create_task(kata.take_turns([partial(player, seat) for seat in range(players)], rounds))
    await asyncio.sleep(0.5)
    there = asyncio.all_tasks()
    await asyncio.wait([game])
    tasks = list({task for _, task in called_by})
    stage.note("called by", [[seat, tasks.index(task)] for seat, task in called_by])
    stage.note("tasks there from the start", sum(task in there for task in tasks))
    return await game


@ordering
async def test_each_player_has_a_task_of_its_own_from_the_start(run, rng):
    """Each player is called by a task of its own, the same in every round; all of them are there from the start."""
    players, rounds = rng.randint(3, 4), rng.randint(2, 3)
    trace = await run(table, players=players, rounds=rounds, world=calls(play=1.0))
    assert trace.order("play") == list(range(players)) * rounds
    [called_by] = trace.noted("called by")
    tasks = {task for _, task in called_by}
    for task in tasks:
        seats = {seat for seat, other in called_by if other == task}
        assert len(seats) == 1, f"One task calls {len(seats)} players; each should have a task of its own."
    assert len(tasks) == players, (
        f"{len(tasks)} tasks call the {players} players in {rounds} rounds; each player should have one task, "
        "the same in every round."
    )
    [there] = trace.noted("tasks there from the start")
    assert there == len(tasks), f"{len(tasks)} tasks call the players; from the start there were only {there} of them."


@scenario
async def new_game(kata, stage, *, players, rounds):
    """A game in which a player fails, and after it another one at the same table: that begins from the start."""
    for label in ("first", "play"):
        play = stage.calls(label)
        try:
            answers = await kata.take_turns([partial(play, seat) for seat in range(players)], rounds)
        except (ArithmeticError, ExceptionGroup):
            if label == "play":
                raise
            await asyncio.sleep(1)  # the other players' tasks may need some turns of the loop to end
    return answers


@result
@points(2)
async def test_a_player_that_fails_ends_the_game(run, rng):
    """When a player fails its error is raised at once; nobody else is called, and no task stays behind."""
    players, rounds = rng.randint(3, 5), 3
    turns = players * rounds
    for last in (rng.randrange(players, 2 * players), 0, turns - 1):
        delays = [rng.randint(1, 12) / 4 for _ in range(last + 1)]
        world = calls(play=[*delays[:-1], call(delays[-1], error=ArithmeticError), 1.0])
        trace = await run(game, seats=list(range(players)), rounds=rounds, world=world, raises=ArithmeticError)
        assert trace.count("play") == last + 1
        failure = trace.calls("play")[-1].value
        assert trace.error.holds(failure), f"The player raised {failure!r}; what came out is {trace.error!r}."
        assert trace.elapsed == sum(delays)
    last = rng.randrange(players + 1, 2 * players)  # not the first one's turn: the next game begins with that one
    world = calls(first=[*[1.0] * last, call(1.0, error=ArithmeticError), 1.0], play=1.0)
    trace = await run(new_game, players=players, rounds=rounds, world=world)
    after = f"In a game turn {last + 1} failed, and then another game was played"
    order = trace.order("play")
    assert order == [*range(players)] * rounds, (
        f"{after}: players {[*range(players)]} should play {rounds} times round; those who played were {order}."
    )
    assert trace.result == trace.all_given("play"), (
        f"{after}: it should return the {turns} answers of its own, but it returned {trace.result!r}."
    )


@scenario
async def broken_off(kata, stage, *, seats, rounds):
    play = stage.calls("play")
    task = stage.target(asyncio.create_task(kata.take_turns([partial(play, seat) for seat in range(seats)], rounds)))
    await asyncio.wait([task])
    await asyncio.sleep(1)  # players' tasks that hand a lock on as they end need some turns of the loop
    return await task


@cancellation
async def test_a_cancelled_game_is_over(sweep, rng):
    """Cancelled at any point, it ends with CancelledError, and no player plays on or is called any more."""
    for trace in await sweep(broken_off, seats=3, rounds=2, world=calls(play=[0.5, 1.25, 0.75, 2.0])):
        late = [span for span in trace.calls("play") if span.end is None or span.end > trace.struck_at]
        assert not late, f"Cancelled at {trace.struck_at!r} s; player {late[0].key} played after that."
