"""One read for all who ask for the same at the same time: many clients want one list, a thousand instances one
definition.

What is read must be as new as the question. So nobody takes the result of a read that had begun before they asked, but
all who ask while one read is under way share the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """Reads by key, for each key one after the other."""

    def __init__(self, *, patience: float | None = None) -> None:
        """`patience` is how many seconds a read waits for the one before it, which may hang; without it, to the end."""
        self._patience = patience
        self._next: dict[K, asyncio.Task[V]] = {}
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def ask(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """The result of a `read` that begins after this call. It is shared, so it is not to be changed.

        Raises what `read` raises. Who is cancelled takes it from nobody else.
        """
        if key not in self._next:
            self._next[key] = asyncio.create_task(self._take_turn(key, read), name=f"read {key}")
            self._next[key].add_done_callback(_without_complaint)
        return await asyncio.shield(self._next[key])

    async def _take_turn(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        if former := self._under_way.get(key):
            await asyncio.wait([former], timeout=self._patience)
        mine = self._under_way[key] = self._next.pop(key)
        try:
            return await read()
        finally:
            if self._under_way.get(key) is mine:
                del self._under_way[key]


def _without_complaint(task: asyncio.Task[V]) -> None:
    """An error that nobody waits for any more is no error."""
    if not task.cancelled():
        task.exception()
