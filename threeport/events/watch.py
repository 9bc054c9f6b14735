"""The events that wait for one watcher: bounded, and never going backwards."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Self, TypeAlias

from threeport.store.records import Bookmark, StoredObject

Item: TypeAlias = StoredObject | Bookmark
Rest: TypeAlias = "Callable[[], Awaitable[WatchQueue]]"
"""Reads what follows a page of a replay: the next one, or the queue of what the hub remembers and passes on."""


class WatchQueue:
    """A replay, and behind it what the hub passes on, until the watcher is cut or has left; or, with `rest`, a page.

    A watcher that lets more than `limit` events pile up (beyond its replay) is cut: what waits is dropped, and it
    resumes from the last event it has received, or lists again. References to events wait here, no copies.
    """

    __slots__ = ("_capacity", "_items", "open", "resource", "rest", "wake")

    def __init__(self, resource: str, replay: Sequence[StoredObject], *, limit: int, rest: Rest | None = None) -> None:
        self.resource = resource
        self.open = True
        self.rest = rest
        self.wake: Callable[[], None] | None = None
        """Called when an item has come or the watch was cut."""
        self._items: deque[Item] = deque(replay)
        self._capacity = limit + len(replay)

    def push(self, item: Item) -> None:
        """Queue an item."""
        if len(self._items) >= self._capacity:
            self.cut()
            return
        self._items.append(item)
        if self.wake is not None:
            self.wake()

    def pop(self) -> Item | None:
        """The next item, or None when nothing waits (look at `open` then)."""
        return self._items.popleft() if self._items else None

    def cut(self) -> None:
        """End the watch at once: what waits is dropped."""
        self.open = False
        self._items.clear()
        if self.wake is not None:
            self.wake()


class Watch:
    """One watch, for its watcher: an asynchronous iterator, to be closed when the watcher leaves.

    It opens with the first item; a replay from SQL is read page by page, as the watcher takes it. To wait for an item
    may be cancelled and done again, so that a watcher can look at the clock in between.
    """

    def __init__(self, begin: Rest, detach: Callable[[WatchQueue], None]) -> None:
        self._begin = begin
        self._detach = detach
        self._queue: WatchQueue | None = None
        self._closed = False
        self._woken = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        queue = self._queue or await self._opened(self._begin)
        while True:
            item = queue.pop()
            if item is not None:
                return item
            if not queue.open:
                await self.aclose()
                raise StopAsyncIteration
            if queue.rest is not None:
                queue = await self._opened(queue.rest)
                continue
            self._woken.clear()
            await self._woken.wait()

    def pop(self) -> Item | None:
        """The next item if one is there already, to be sent together with the one before; None if not."""
        return self._queue.pop() if self._queue is not None else None

    async def aclose(self) -> None:
        """The watcher has left; whoever waits for an item is told the end."""
        self._closed = True
        if self._queue is not None:
            self._detach(self._queue)
        self._woken.set()

    async def _opened(self, begin: Rest) -> WatchQueue:
        if self._closed:
            raise StopAsyncIteration
        queue = await begin()
        queue.wake = self._woken.set
        page, self._queue = self._queue, queue
        if page is not None:
            if not page.open:
                queue.cut()  # as all watches were, while it was read
            self._detach(page)
        if self._closed:
            self._detach(queue)
        return queue
