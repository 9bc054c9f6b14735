"""Reads the changes from SQL: periodically, and for watches that begin, one reading for all that wait."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from threeport.common.revisions import SECOND, SKEW_LIMIT, micros_of
from threeport.events.core import HubCore, Refresh
from threeport.store.changes import Head, Place
from threeport.store.records import StoredObject, StoreUnavailable

logger = logging.getLogger(__name__)

RETRY_DELAY: Final = 0.5
"""Seconds until the database is asked again after a failure."""
READ_TIMEOUT: Final = 8.0
"""Seconds a reading may take; it has to fail well before the hub is abandoned."""
SLICE: Final = 0.5
HEAD_START: Final = 0.02
"""Seconds that the stream gets to bring what a refresh has just found, before it is read: most of it is on its way."""
PART: Final = 1000
"""Objects that are read at once."""


class ChangeLog(Protocol):
    """What has changed in the database, tombstones included; current reads, no replica. All raise `StoreUnavailable`.

    Implemented by `threeport.store.changes.Changes`.
    """

    async def heads(self, revision: int) -> Sequence[Head]:
        """Which objects have a revision above `revision`, in one snapshot."""

    async def of(self, uids: Sequence[str]) -> Sequence[StoredObject]:
        """The present state of these objects, or their tombstones."""

    async def clock(self) -> int:
        """The database's clock, in microseconds since the epoch."""

    async def since(self, revision: int) -> Sequence[StoredObject]:
        """The objects with a revision above `revision`, in one snapshot."""

    async def page(self, resource: str, *, after: Place, up_to: int, limit: int) -> Sequence[StoredObject]:
        """The first `limit` objects of `resource` behind `after` and up to the revision `up_to`, ascending."""


class Refresher:
    """Keeps a hub's core fresh."""

    def __init__(self, core: HubCore, changes: ChangeLog, *, lagging: Callable[[], bool]) -> None:
        self._core = core
        self._changes = changes
        self._lagging = lagging
        self._wanted = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._begun = time.monotonic()
        self.clock_offset = 0.0
        """Seconds that this process's clock is ahead of the database's (negative: behind), as of the last refresh."""

    @property
    def clock_is_off(self) -> bool:
        """Whether the clock is further off than the rules allow for. Then no refresh counts, as without a database."""
        return abs(self.clock_offset) > SKEW_LIMIT / SECOND

    def want(self) -> None:
        """Ask for a refresh as soon as possible, without waiting for it."""
        self._wanted.set()

    async def fresh(self) -> None:
        """Return when a refresh that began after this call has been applied."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._wanted.set()
        await waiter

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            waiting, self._waiting = self._waiting, []
            self._wanted.clear()
            if await self._refresh():
                for waiter in waiting:
                    if not waiter.done():
                        waiter.set_result(None)
                await self._pause()
            else:
                self._waiting = waiting + self._waiting
                await asyncio.sleep(RETRY_DELAY)

    async def _refresh(self) -> bool:
        self._begun = time.monotonic()
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await self._compare_clocks()
                if self.clock_is_off:
                    logger.error("this machine's clock is %.1f s off the database's: correct it", self.clock_offset)
                    return False
                refresh = self._core.begin_refresh()
                rows = await self._read(refresh)
        except (StoreUnavailable, TimeoutError) as error:
            logger.warning("changes cannot be read from the database: %s", error or "no answer in time")
            return False
        return self._core.apply_refresh(refresh, rows)

    async def _compare_clocks(self) -> None:
        # The database has read its clock at some time since `begun`, which is measured by the monotonic clock: by the
        # wall clock alone, one that is set forward while the answer is awaited would look right.
        begun = time.monotonic()
        theirs = await self._changes.clock()
        ours = micros_of(self._core.clock())
        took = int((time.monotonic() - begun) * SECOND)
        self.clock_offset = (max(0, ours - took - theirs) + min(0, ours - theirs)) / SECOND

    async def _read(self, refresh: Refresh) -> list[StoredObject]:
        if not self._core.ready:
            return [*await self._changes.since(refresh.above)]
        # In normal operation the stream has brought nearly all of it: to read the bodies again would be most of the
        # work of a busy process.
        heads = await self._changes.heads(refresh.above)
        news = self._core.news(heads)
        if news and not self._lagging():
            await asyncio.sleep(HEAD_START)
            news = self._core.news(heads)
        return [row for part in range(0, len(news), PART) for row in await self._changes.of(news[part : part + PART])]

    async def _pause(self) -> None:
        # In slices, because the interval gets shorter when the stream is lost meanwhile.
        while (remaining := self._remaining()) > 0 and not self._wanted.is_set():
            with suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 it may swallow a cancellation that comes together with the event.
                async with asyncio.timeout(min(remaining, SLICE)):
                    await self._wanted.wait()

    def _remaining(self) -> float:
        timing = self._core.timing
        interval = timing.refresh_when_lagging if self._lagging() else timing.refresh
        return self._begun + interval / SECOND - time.monotonic()
