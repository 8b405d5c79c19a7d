"""Style: a TaskGroup of guarded visits inside an `asyncio.timeout` that serves as cancel scope."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Visit = Callable[[str], Coroutine[Any, Any, Any]]


@dataclass
class _Outcome:
    value: Any = None
    error: Exception | None = None

    def failed(self) -> bool:
        return self.error is not None

    def unwrap(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    def settled(self) -> Any:
        return self.value if self.error is None else self.error


async def visit_all(visit: Visit, urls: list[str]) -> list[Any]:
    outcomes = await _watch(visit, urls, enough=_Outcome.failed)
    for outcome in outcomes.values():
        outcome.unwrap()
    return [outcomes[place].unwrap() for place in range(len(urls))]


async def visit_groups(visit: Visit, groups: dict[str, list[str]]) -> dict[str, list[Any]]:
    places = [(name, url) for name, urls in groups.items() for url in urls]
    results: dict[str, list[Any]] = {name: [] for name in groups}
    found = await visit_all(visit, [url for _, url in places])
    for (name, _), result in zip(places, found, strict=True):
        results[name].append(result)
    return results


async def visit_settled(visit: Visit, urls: list[str]) -> list[Any]:
    outcomes = await _watch(visit, urls)
    return [outcomes[place].settled() for place in range(len(urls))]


async def visit_or_abandon(visit: Visit, urls: list[str]) -> list[Any]:
    return await visit_all(visit, urls)


async def first_visit(visit: Visit, urls: list[str]) -> Any:
    outcomes = await _watch(visit, urls, enough=lambda _: True)
    return next(iter(outcomes.values())).unwrap()


async def split_at(
    visit: Visit, urls: list[str], deadline: float
) -> tuple[dict[str, Any], list[str]]:
    outcomes = await _watch(visit, urls, deadline=deadline)
    return (
        {url: outcomes[place].settled() for place, url in enumerate(urls) if place in outcomes},
        [url for place, url in enumerate(urls) if place not in outcomes],
    )


async def _watch(
    visit: Visit,
    urls: list[str],
    *,
    enough: Callable[[_Outcome], bool] = lambda _: False,
    deadline: float | None = None,
) -> dict[int, _Outcome]:
    """Return outcomes by place, as they came in, until one is `enough` or the time is up."""
    outcomes: dict[int, _Outcome] = {}

    async def guarded(place: int, url: str) -> None:
        try:
            outcome = _Outcome(value=await visit(url))
        except Exception as error:
            outcome = _Outcome(error=error)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            return  # too late to count
        outcomes[place] = outcome
        if enough(outcome):
            scope.reschedule(asyncio.get_running_loop().time())

    with suppress(TimeoutError):
        async with asyncio.timeout(deadline) as scope, asyncio.TaskGroup() as group:
            for place, url in enumerate(urls):
                group.create_task(guarded(place, url))
    return outcomes
