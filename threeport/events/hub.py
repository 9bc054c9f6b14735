"""The hub: what happens in the whole control plane, for the watches of this process.

Its rules are in `threeport.events.core`; this is the part that touches the world. One reader of the stream and one
of the database serve any number of watches: an event is decoded once and put to every watch by reference.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from threeport.common.errors import Expired, TooManyRequests
from threeport.common.revisions import SECOND, micros_of
from threeport.events.broker import Broker
from threeport.events.core import HubCore, Source
from threeport.events.message import decode, identity_of
from threeport.events.metrics import EVENTS, LAG, WATCHES
from threeport.events.refresher import ChangeLog, Refresher
from threeport.events.subscription import StreamSubscription
from threeport.events.tasks import start, stop
from threeport.events.timing import Timing
from threeport.events.watch import Watch, WatchQueue
from threeport.store.changes import Place
from threeport.store.records import Key, StoredObject, StoreUnavailable

logger = logging.getLogger(__name__)

OPEN_TIMEOUT: Final = 10.0
"""Seconds in which a watch has to begin; without the database it cannot."""
RETRY_AFTER: Final = 2
"""Seconds after which a refused watcher may come again."""
TICK: Final = 1.0
PAGE: Final = 500
"""Objects of a replay that are read from the database at once."""
MEMORY_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of changes that are remembered, about: two minutes of a thousand changes of 1 kB a second."""

_EVENTS: Final = {source: EVENTS.labels(source.value) for source in Source}


@dataclass(frozen=True, slots=True)
class HubHealth:
    """How the hub is doing. Without the stream it works on, slower; without refreshes it cuts its watches."""

    nats: Literal["ok", "lost"]
    refresh_age: float
    """Seconds since the last refresh began."""
    ready: bool
    events: dict[str, int]
    """Events that were news, by source."""
    watches: int
    clock_offset: float
    """Seconds that this process's clock is ahead of the database's. Over one, neither list nor watch is served."""


class Hub:
    """The source of events of one process; implements `threeport.krm.interfaces.EventSource`.

    `changes` reads from the database, `clock` is the clock of the process as a revision, `lagging` says whether
    the outbox is behind (`Relay.lagging`). `buffer` events may wait for a watcher before it is cut. Changes of two
    minutes are remembered, those of the last 15 s in any case and older ones up to `memory_limit` bytes.

    What the process itself writes it tells the hub by `publish`. Without a `broker` there is no stream: then the
    process must be the only one that writes.
    """

    def __init__(
        self,
        broker: Broker | None,
        changes: ChangeLog,
        clock: Callable[[], int],
        *,
        lagging: Callable[[], bool] = lambda: False,
        timing: Timing | None = None,
        buffer: int = 2000,
        memory_limit: int = MEMORY_LIMIT,
        max_watches: int = 5000,
    ) -> None:
        self._core = HubCore(
            clock=clock,
            now=_monotonic_micros,
            timing=timing or Timing(),
            buffer=buffer,
            memory_limit=memory_limit,
            observe=self._observe,
        )
        self._changes = changes
        self._subscription = StreamSubscription(broker, self._on_message) if broker else None
        self._refresher = Refresher(self._core, changes, lagging=lambda: lagging() or not self._stream_is_alive())
        self._max_watches = max_watches
        self._opening = 0
        self._counted = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to follow database and stream; returns at once. Watches wait for the first refresh."""
        self._tasks = [
            start(self._refresher.run(), "hub-refresh"),
            *([start(self._subscription.run(), "hub-stream")] if self._subscription else []),
            start(self._tick(), "hub-tick"),
        ]

    async def close(self) -> None:
        """End all watches and stop."""
        self._core.cut_all()
        await stop(self._tasks)
        self._count_watches(0)

    def list_revision(self) -> int:
        """The revision to answer a LIST with: read it *before* the snapshot of the first page; later pages keep it.

        Raises `TooManyRequests` when this process's clock is off: to resume from its time could miss changes.
        """
        if self._refresher.clock_is_off:
            raise TooManyRequests(
                f"the clock of this API server is {self._refresher.clock_offset:.1f} s off the database's;"
                " correct it (NTP), or ask another API server",
                retry_after=RETRY_AFTER,
            )
        return self._core.clock()

    def latest(self, key: Key) -> StoredObject | None:
        """The newest state of an object that this process has lately written or read; there may be a newer, or none.

        Good for a change that is made only if the object is still at that revision, and no answer to who reads.
        """
        return self._core.latest(key)

    def watch(self, resource: str, *, since: int | None) -> Watch:
        """The changes of all objects of `resource`, as an asynchronous iterator of objects and `Bookmark`s.

        It begins with its first item, by a refresh from the database. With `since`, a revision from `list_revision`,
        from an object or from a `Bookmark` of any process, all changes are replayed that `since` may not include:
        those of the last 15 s before it are repeated. Then comes whatever happens. With None come only changes that
        this process has not known of at the end of that refresh.

        To give the current state first and then every change, with no gap::

            since = hub.list_revision()
            page = await store.list_page(...)                     # send these as ADDED
            async with contextlib.aclosing(hub.watch(resource, since=since)) as events:
                async for event in events: ...                    # send these

        What the list has shown may be repeated; that does no harm, but to drop repetitions by revision alone would:
        when the deletion of an object is followed by the living object that has its name, that one is repeated on
        purpose, because the watcher has just been told that the name is gone. Per uid, revisions never go back.

        A replay that goes back further than the hub remembers is read from the database as its watcher takes it.

        Raises, on the first item, `Expired` (410) if `since` is too old (35 minutes, and 0 is), and `TooManyRequests`
        (429) if too many watch or the database is away; while a replay is read, also later. Ends when the watcher falls
        more than the buffer behind, or when the hub has to start anew; who watches then resumes from what it has seen
        last.
        """
        return Watch(lambda: self._open_watch(resource, since), self._core.detach)

    def health(self) -> HubHealth:
        """How the hub is doing, for readiness checks."""
        return HubHealth(
            nats="ok" if self._stream_is_alive() else "lost",
            refresh_age=self._core.refresh_age() / SECOND,
            ready=self._core.ready,
            events={source.value: self._core.accepted[source] for source in Source},
            watches=self._core.watches,
            clock_offset=self._refresher.clock_offset,
        )

    def publish(self, events: Iterable[StoredObject]) -> None:
        """Take in what this process has just committed. What the stream brings of it later is no news then."""
        for event in events:
            self._core.consume(event, Source.COMMIT)

    def _stream_is_alive(self) -> bool:
        return self._subscription is None or self._subscription.alive

    async def _open_watch(self, resource: str, since: int | None) -> WatchQueue:
        if self._core.watches + self._opening >= self._max_watches:
            raise TooManyRequests(
                f"{self._max_watches} watches are open here, no more are accepted", retry_after=RETRY_AFTER
            )
        self._opening += 1
        try:
            async with _database_answers():
                await self._refresher.fresh()
                if since is None:
                    return self._core.watch_live(resource)
                self._refuse_if_too_old(resource, since)
                return await self._resume(resource, since, Place.above(self._core.replay_from(since)))
        finally:
            self._opening -= 1

    async def _read_on(self, resource: str, since: int, after: Place) -> WatchQueue:
        async with _database_answers():
            return await self._resume(resource, since, after)

    async def _resume(self, resource: str, since: int, after: Place) -> WatchQueue:
        """The next page of the replay from `since`, or, behind the last one, what is remembered and passed on.

        Each page is read when the watcher has taken the one before, and only up to where the memory begins: that goes
        up meanwhile, and what is read is settled.
        """
        while not self._core.remembers(after.revision - 1):
            if not self._core.ready:
                raise StoreUnavailable("the hub has started anew meanwhile")
            up_to = self._core.covers
            page = await self._changes.page(resource, after=after, up_to=up_to, limit=PAGE)
            # Tombstones may have been dropped while it was read: judge by the time at which it has arrived.
            self._refuse_if_too_old(resource, max(since, after.revision))
            after = Place(page[-1].revision, page[-1].uid) if len(page) == PAGE else Place.above(up_to)
            if page:
                return self._core.replay(resource, page, partial(self._read_on, resource, since, after))
        return self._core.watch(resource, above=after.revision - 1)

    def _refuse_if_too_old(self, resource: str, since: int) -> None:
        if self._core.too_old(since):
            raise Expired(f"revision {since} is too old to resume a watch of {resource} from: list again")

    def _on_message(self, message_id: str, data: bytes) -> None:
        identity = identity_of(message_id)
        if identity is not None and self._core.knows(*identity):
            return  # most of what this process has written; to decode it would be for nothing
        try:
            message = decode(data)
        except ValueError:
            logger.warning("a message of the stream cannot be understood; the next refresh makes up for it")
            return
        if isinstance(message, StoredObject):
            self._core.consume(message)
        else:
            self._refresher.want()

    def _observe(self, event: StoredObject, source: Source) -> None:
        _EVENTS[source].inc()
        LAG.observe(max(0, micros_of(self._core.clock()) - micros_of(event.revision)) / SECOND)

    async def _tick(self) -> None:
        last_bookmark = time.monotonic()
        while True:
            await asyncio.sleep(min(TICK, self._core.timing.bookmark / SECOND))
            if self._core.abandon_if_stale():
                logger.error("no refresh from the database for too long: all watches are cut, the hub starts anew")
            if time.monotonic() - last_bookmark >= self._core.timing.bookmark / SECOND:
                last_bookmark = time.monotonic()
                self._core.bookmarks()
            self._count_watches(self._core.watches)

    def _count_watches(self, watches: int) -> None:
        WATCHES.inc(watches - self._counted)
        self._counted = watches


@asynccontextmanager
async def _database_answers() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            yield
    except (StoreUnavailable, TimeoutError) as error:
        raise TooManyRequests(
            "the database is away, which a watch has to begin with; try again", retry_after=RETRY_AFTER
        ) from error


def _monotonic_micros() -> int:
    return time.monotonic_ns() // 1000
