"""Shared state, with a lock and without.

On one loop nothing else runs between two awaits, so some shared state needs no lock at all. What
stretches over an await does: there you keep others out, in turn, and let them in again for sure.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Job = Callable[[], Coroutine[Any, Any, Any]]
Voter = Callable[[], Coroutine[Any, Any, str]]


async def count_votes(voters: list[Voter]) -> dict[str, int]:
    """Call every `voter()` at the same time; return how often each choice came, a plain dict.

    It takes as long as the slowest voter, no longer. A failure cancels the others and is raised.
    """
    raise NotImplementedError


class Account:
    """An account whose balance lies in `store`.

    A store offers `await store.read()` and `await store.write(value)`, which take time.
    """

    # TODO: decide who shares the lock: all accounts, one account, or one deposit
    def __init__(self, store: Any) -> None:
        raise NotImplementedError

    async def deposit(self, amount: int) -> int:
        """Add `amount` to the balance, with one read and one write; return the new balance.

        Overlapping deposits on one account lose nothing, and each begins the moment the one before
        it has ended; other accounts do not wait. A deposit that fails or is cancelled leaves the
        account usable.
        """
        raise NotImplementedError


async def in_turn(lock: asyncio.Lock, jobs: list[Job]) -> list[Any]:
    """Run each `await job()` holding `lock`, first come first served; results in order of `jobs`.

    Every job gets a task, started at once, so that all are in the queue of `lock`, in order,
    before anybody who comes later; somebody else may hold it already. A job that fails has its
    exception in its place, and the lock goes on to the next. Cancelled, you end all jobs and
    release nothing that is not yours.
    """
    # TODO: let every task queue for the lock by itself
    raise NotImplementedError
