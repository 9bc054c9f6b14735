"""Reads that many reconciles need at the same time: a thousand instances of one definition ask for it one by one.

What a reconcile reads has to be as new as the reconcile. So it never takes the result of a read that had begun before
it asked, but all those that ask while one read is under way share the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K")
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """Reads by key, for each key one at a time."""

    def __init__(self) -> None:
        self._next: dict[K, asyncio.Task[V]] = {}
        self._turns: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    async def read(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """The result of a `read` that begins after this call. It is shared, so it is not to be changed."""
        if key not in self._next:
            self._next[key] = asyncio.create_task(self._take_turn(key, read), name=f"read {key}")
            self._next[key].add_done_callback(_without_complaint)
        return await asyncio.shield(self._next[key])

    async def _take_turn(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            del self._next[key]
            return await read()


def _without_complaint(task: asyncio.Task[V]) -> None:
    """An error that nobody waits for any more is no error."""
    if not task.cancelled():
        task.exception()
