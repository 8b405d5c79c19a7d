"""The suite of 01_event_loop: one visit, in a coroutine and from ordinary code, and whatever can be awaited."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from checker.suite import call, calls, cancellation, points, result, scenario, timing

# --- visit -------------------------------------------------------------------------------------------


@scenario
async def visits(kata, stage, *, sites, threads=None):
    if threads is not None:  # the loop's own pool has more or less of them, as the machine has processors
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))

    async def visit(url, delay):
        text = await kata.visit(url, delay)
        stage.note("visited", url)
        return text

    return await asyncio.gather(*(visit(url, delay) for url, delay in sites))


def sites(rng, count):
    """Urls that nobody can know, with delays that are all different.

    They are odd multiples of 1/64 s: who looks at the clock every so often, in any round number of seconds, looks
    too late.
    """
    delays = rng.sample(range(17, 481, 2), count)
    return [(f"http://site-{rng.randrange(10**6)}.example", delay / 64) for delay in delays]


@scenario
async def visit_beside_a_clock(kata, stage, *, url, delay):
    async def clock():
        await asyncio.sleep(delay / 2)
        stage.note("the clock struck")

    text, _ = await asyncio.gather(kata.visit(url, delay), clock())
    return text


@timing
@points(2)
async def test_a_visit_waits_its_delay_without_blocking_the_loop(run, rng):
    """A visit waits `delay` seconds, and meanwhile the loop is free for others."""
    [(url, delay)] = sites(rng, 1)
    trace = await run(visit_beside_a_clock, url=url, delay=delay)
    assert trace.elapsed == delay
    assert trace.noted_at("the clock struck") == [delay / 2]
    trace = await run(visit_beside_a_clock, url=url, delay=0.0)
    assert trace.elapsed == 0.0, f"A visit with a delay of 0 s took {trace.elapsed!r} s; expected 0."


@timing
@points(2)
async def test_visits_started_together_take_as_long_as_the_longest(run, rng):
    """Visits started together take as long as the longest of them, not their sum."""
    chosen = sites(rng, 4)
    chosen.append((chosen[0][0], chosen[1][1]))  # the same site again
    trace = await run(visits, sites=chosen)
    assert trace.elapsed == max(delay for _, delay in chosen)
    assert trace.noted_at("visited") == sorted(delay for _, delay in chosen)
    many = sorted(sites(rng, rng.randint(7, 9)), key=lambda site: site[1])
    trace = await run(visits, sites=many, threads=2)
    longest = many[-1][1]
    assert trace.elapsed == longest, (
        f"{len(many)} visits started together, on a loop whose thread pool has 2 threads, "
        f"the longest visit of {longest} s, took {trace.elapsed!r} s in all."
    )


@result
async def test_a_visit_says_what_it_visited(run, rng):
    """A visit returns the url followed by the word `visited`."""
    chosen = sites(rng, 2)
    trace = await run(visits, sites=chosen)
    assert trace.result == [f"{url} visited" for url, _ in chosen]


@scenario
async def one_visit(kata, stage, *, url, delay):
    return await kata.visit(url, delay)


@cancellation
async def test_a_cancelled_visit_ends_at_once(sweep, rng):
    """A visit that is cancelled while it waits ends at once, with CancelledError."""
    [(url, delay)] = sites(rng, 1)
    for trace in await sweep(one_visit, url=url, delay=delay, returns=f"{url} visited"):
        assert trace.elapsed == trace.struck_at


# --- visit_now ---------------------------------------------------------------------------------------


@scenario
def visits_now(kata, stage, *, sites):
    return [kata.visit_now(url, delay) for url, delay in sites]


@timing
async def test_visit_now_runs_one_visit_to_its_end(run, rng):
    """`visit_now` returns when the visit is over, not before and not later."""
    chosen = sites(rng, 1)
    trace = await run(visits_now, sites=chosen)
    assert trace.elapsed == chosen[0][1]
    assert trace.result == [f"{url} visited" for url, _ in chosen]


@result
@points(2)
async def test_visit_now_can_be_called_twice(run, rng):
    """`visit_now` can be called again and again, for the same site too, and leaves no loop open."""
    chosen = sites(rng, 2)
    chosen += chosen[:1]
    trace = await run(visits_now, sites=chosen)
    assert trace.result == [f"{url} visited" for url, _ in chosen]
    every = sum(delay for _, delay in chosen)
    assert trace.elapsed == every, (
        f"`visit_now` was called for {chosen[0][0]}, for another site, and for the first one again, with delays of "
        f"{', '.join(str(delay) for _, delay in chosen)} s: expected {every} s in all, each visit "
        f"taking its time, saw {trace.elapsed!r}."
    )


@scenario
def visits_in_threads(kata, stage, *, sites):
    """A thread for each of the sites, all at the same time."""
    told, failures = {}, []

    def visitor(url, delay):
        try:
            told[url] = kata.visit_now(url, delay)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=visitor, args=site) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [told[url] for url, _ in sites]


@result
async def test_visit_now_works_in_another_thread(run, rng):
    """`visit_now` works in a thread other than the main one, without a loop to begin with, and in two at a time."""
    chosen = sites(rng, 2)
    trace = await run(visits_in_threads, sites=chosen[:1])
    assert trace.result == [f"{chosen[0][0]} visited"]
    assert trace.elapsed == chosen[0][1]
    trace = await run(visits_in_threads, sites=chosen)
    both = f"Two threads called `visit_now` at the same time, with delays of {chosen[0][1]} and {chosen[1][1]} s"
    expected, longest = [f"{url} visited" for url, _ in chosen], max(delay for _, delay in chosen)
    assert trace.result == expected, f"{both}: expected the results {expected}, saw {trace.result}."
    assert trace.elapsed == longest, f"{both}: expected {longest} s in all, saw {trace.elapsed!r}."


# --- resolve -----------------------------------------------------------------------------------------


@scenario
async def resolve_each(kata, stage, *, kinds):
    answer = stage.calls("answer")
    loop = asyncio.get_running_loop()

    class Promise:
        def __init__(self, name):
            self.name = name

        def __await__(self):
            return answer(self.name).__await__()

    class EmptyPromise(Promise):
        def __len__(self):
            return 0

    def future():
        made = loop.create_future()

        async def fill():
            made.set_result(await answer("future"))

        fillers.append(loop.create_task(fill()))
        return made

    fillers = []
    makers = {
        "coroutine": lambda: answer("coroutine"),
        "task": lambda: loop.create_task(answer("task")),
        "future": future,
        "object": lambda: Promise("object"),
        "empty object": lambda: EmptyPromise("empty object"),
    }
    return [await kata.resolve(makers[kind]()) for kind in kinds]


@result
@points(2)
async def test_every_kind_of_awaitable_is_awaited(run, rng):
    """A coroutine, a Task, a Future and any object with `__await__` give what awaiting them gives."""
    kinds = rng.sample(["coroutine", "task", "future", "object"], 4)
    seconds = rng.randint(1, 9)
    trace = await run(resolve_each, kinds=kinds, world=calls(answer=seconds))
    assert trace.result == [trace.given("answer", kind) for kind in kinds]
    assert trace.elapsed == len(kinds) * seconds


@result
async def test_objects_of_any_class_with_await_are_awaited(run, rng):
    """What counts is `__await__`, whatever the object's class, and even if the object is empty, and so false."""
    trace = await run(resolve_each, kinds=["object", "object"], world=calls(answer=rng.randint(1, 9)))
    assert trace.count("answer") == 2
    assert trace.result == trace.all_given("answer")
    trace = await run(resolve_each, kinds=["empty object"], world=calls(answer=rng.randint(1, 9)))
    awaited = len(trace.calls("answer"))
    assert awaited == 1, f"An object with `__await__` whose `len()` is 0 was awaited {awaited} times, expected 1."
    assert trace.result == trace.all_given("answer")


@scenario
async def resolve_plain(kata, stage, *, number):
    answer = stage.calls("answer")

    def numbers():
        yield number

    async def async_numbers():
        yield number

    async def coroutine_function():
        return number

    things = {
        "a number": number,
        "a list": [number],
        "None": None,
        "zero": 0,
        "an empty text": "",
        "an empty list": [],
        "an exception": LookupError(number),
        "an async generator": async_numbers(),
        "a generator": (generator := numbers()),
        "a generator function": numbers,
        "a coroutine function": coroutine_function,
        "an object": stage,
    }
    changed = []
    for kind, thing in things.items():
        try:
            if await kata.resolve(thing) is not thing:
                changed.append(kind)
        except RuntimeError as error:  # such as asyncio's of somebody who awaits a generator
            stage.note("raised", [kind, error])
    return [changed, list(generator), await kata.resolve(answer("coroutine"))]


@result
async def test_ordinary_values_come_back_unchanged(run, rng):
    """An ordinary value, such as a number, a list, a function or a plain generator, comes back unchanged and unused."""
    number = rng.randrange(10**6)
    trace = await run(resolve_plain, number=number, world=calls(answer=1.0))
    changed, left, answer = trace.result
    for kind, error in trace.noted("raised"):
        assert not error, f"`resolve` of {kind} raised {error!r}; it should come back unchanged."
    assert not changed, f"{len(changed)} of 12 ordinary values did not come back unchanged: {', '.join(changed)}."
    assert left == [number], f"A generator of one value came back with {len(left)}: somebody has used it."
    assert answer == trace.given("answer", "coroutine"), f"A coroutine's value came back as {answer!r}."


@scenario
async def resolve_nested(kata, stage, *, number):
    answer = stage.calls("answer")

    class Box:
        def __await__(self):
            stage.note("opened")
            return answer("box").__await__()

    async def give(box):
        return box

    box, done = Box(), asyncio.get_running_loop().create_future()
    done.set_result("the future's")
    same = []
    for thing in (box, done, None, 0, LookupError(number)):
        try:
            same.append(await kata.resolve(give(thing)) is thing)
        except LookupError as error:
            if error is not thing:
                raise
            stage.note("raised", error)
    return [*same, await kata.resolve(box)]


@result
async def test_the_result_is_not_awaited_again(run, rng):
    """Awaiting happens once: a result that could itself be awaited is handed on as it is."""
    trace = await run(resolve_nested, number=rng.randrange(10**6), world=calls(answer=1.0))
    for error in trace.noted("raised"):
        assert not error, f"A coroutine had returned the error object {error!r}, a value like others; it was raised."
    *same, opened = trace.result
    assert same == [True] * 5, f"{same.count(False)} of 5 results of a coroutine did not come back as they were."
    assert opened == trace.given("answer", "box")
    assert len(trace.noted("opened")) == 1, "The result was awaited as well."


@scenario
async def resolve_failing(kata, stage):
    ask = stage.calls("answer")
    originals = []

    async def answer(name):
        try:
            return await ask(name)
        except Exception as error:
            originals.append(error)
            raise

    class Promise:
        def __await__(self):
            return answer("object").__await__()

    async def fill(future):
        try:
            future.set_result(await answer("future"))
        except Exception as error:
            future.set_exception(error)

    seen = []
    early, late = asyncio.ensure_future(answer("early task")), asyncio.ensure_future(answer("late task"))
    failing, done = asyncio.Future(), asyncio.Future()
    filler = asyncio.ensure_future(fill(failing))
    done.set_result(await answer("done future"))
    for thing in (done, answer("good"), answer("bad"), answer("worse"), early, late, Promise(), failing):
        try:
            seen.append(await kata.resolve(thing))
        except Exception as error:
            if not any(type(error) is type(one) and error.args == one.args for one in originals):
                raise  # another error is about `resolve` itself, or tells of a limit that it has met
            seen.append(error)
            stage.note("raised", error in originals)  # errors are equal only to themselves
    await filler
    return seen


@scenario
async def resolve_cancelled(kata, stage, *, after):
    """Somebody else cancels the task that is awaited."""
    task = asyncio.ensure_future(stage.calls("answer")("slow"))
    asyncio.get_running_loop().call_later(after, task.cancel)
    try:
        return [await kata.resolve(task)]
    except asyncio.CancelledError:
        return "CancelledError"


@result
async def test_an_awaited_error_comes_through(run, rng):
    """An error of what is awaited comes through as it is."""
    world = {"done future": 0.5, "good": 1.0, "bad": call(rng.randint(1, 9), error=AttributeError)}
    world |= {
        "worse": call(1.0, error=TypeError),
        "early task": call(2.0, error=rng.choice([ValueError, ArithmeticError])),
        "late task": call(20.0, error=rng.choice([TimeoutError, OSError])),
    }
    world |= {"object": call(1.0, error=TypeError), "future": call(rng.randint(1, 40), error=KeyError)}
    trace = await run(resolve_failing, world=calls(answer=world))
    for name, saw in zip(world, trace.result, strict=True):
        given = trace.given("answer", name)
        assert saw == given, f"What was awaited brought {given!r}; expected just that, saw {saw!r}."
    raised = trace.noted("raised")
    assert len(raised) == 6, (
        f"Of 6 errors, {len(raised)} were raised; an error that is returned is a value like others."
    )
    assert all(raised), f"Of 6 errors, {raised.count(False)} came through as copies; expected the very same objects."
    after = rng.randint(1, 9)
    saw = (await run(resolve_cancelled, after=after, world=calls(answer=20.0))).result
    assert saw == "CancelledError", (
        f"A Task was awaited that somebody else cancelled at {after} s: expected CancelledError, saw {saw}."
    )


@scenario
async def resolve_one(kata, stage, *, as_task):
    thing = stage.calls("answer")("slow")
    return await kata.resolve(asyncio.ensure_future(thing) if as_task else thing)


@cancellation
async def test_a_cancellation_reaches_what_is_awaited(sweep, rng):
    """Cancelled while it awaits a coroutine or a Task, it ends with CancelledError, and cancels that as well."""
    for as_task in (False, True):
        for trace in await sweep(resolve_one, as_task=as_task, world=calls(answer=rng.randint(2, 9))):
            assert trace.outcomes("answer") == ["cancelled"]
