"""The events of one watch, of which the first may be asked for before the answer has begun."""

from __future__ import annotations

import asyncio

from threeport.common.errors import Expired
from threeport.krm.interfaces import Bookmark, EventStream
from threeport.store.records import StoredObject


class Feed:
    """Takes events from a stream; close it when the watcher leaves (`contextlib.aclosing`)."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._first: asyncio.Task[StoredObject | Bookmark | None] | None = None

    async def begin(self) -> None:
        """Asks for the first item, so that "too many watches" is an answer and not a broken stream.

        Raises what is known after one turn of the loop; but `Expired` is an event of the watch, and comes with `next`.
        """
        self._first = asyncio.create_task(self._take())
        await asyncio.wait({self._first}, timeout=0)
        if self._first.done() and (error := self._first.exception()) and not isinstance(error, Expired):
            raise error

    async def next(self) -> StoredObject | Bookmark | None:
        """The next item; None at the end."""
        first, self._first = self._first, None
        return await (self._take() if first is None else first)

    def pop(self) -> StoredObject | Bookmark | None:
        """The next item if one is there already; None if not."""
        return self._stream.pop()

    async def aclose(self) -> None:
        """The watcher has left."""
        if self._first is not None:
            self._first.cancel()
        await self._stream.aclose()

    async def _take(self) -> StoredObject | Bookmark | None:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            return None
