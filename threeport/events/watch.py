"""The events that wait for one watcher: bounded, and never going backwards."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Self, TypeAlias

from threeport.store.records import Bookmark, StoredObject

Item: TypeAlias = StoredObject | Bookmark


class WatchQueue:
    """A replay, and behind it what the hub passes on, until the watcher is cut or has left.

    A watcher that lets more than `limit` events pile up (beyond its replay) is cut: what waits is dropped, and it
    resumes from the last event it has received, or lists again. References to events wait here, no copies.
    """

    __slots__ = ("_capacity", "_items", "_replayed", "_replayed_up_to", "open", "resource", "wake")

    def __init__(self, resource: str, replay: Sequence[StoredObject], *, limit: int) -> None:
        self.resource = resource
        self.open = True
        self.wake: Callable[[], None] | None = None
        """Called when an item has come or the watch was cut."""
        self._items: deque[Item] = deque(replay)
        self._capacity = limit + len(replay)
        self._replayed = {event.uid: event.revision for event in replay}
        self._replayed_up_to = replay[-1].revision if replay else 0

    def push(self, item: Item) -> None:
        """Queue an item, unless the replay (which may be ahead of the hub) has shown a later state of the object."""
        if isinstance(item, StoredObject) and not item.deleted and item.revision < self._replayed.get(item.uid, 0):
            return
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

    def forget(self, below: int) -> None:
        """The hub passes on nothing with a revision of `below` or less any more: the replay need not be recalled."""
        if self._replayed and self._replayed_up_to <= below:
            self._replayed = {}


class Watch:
    """One watch, for its watcher: an asynchronous iterator, to be closed when the watcher leaves.

    It opens with the first item. To wait for an item may be cancelled and done again, so that a watcher can look at
    the clock in between.
    """

    def __init__(self, begin: Callable[[], Awaitable[WatchQueue]], detach: Callable[[WatchQueue], None]) -> None:
        self._begin = begin
        self._detach = detach
        self._queue: WatchQueue | None = None
        self._closed = False
        self._woken = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        queue = self._queue or await self._opened()
        while True:
            item = queue.pop()
            if item is not None:
                return item
            if not queue.open:
                await self.aclose()
                raise StopAsyncIteration
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

    async def _opened(self) -> WatchQueue:
        if self._closed:
            raise StopAsyncIteration
        queue = await self._begin()
        queue.wake = self._woken.set
        self._queue = queue
        if self._closed:
            self._detach(queue)
        return queue
