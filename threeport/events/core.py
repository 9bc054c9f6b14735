"""The rules of the hub, without input and output: clocks are passed in, and what was read from SQL or the stream too.

SQL is the truth, and a refresh reads from it everything that changed since shortly before the last one. The stream
only makes it fast, and so does a process that tells its own hub what it has committed: messages may be lost, repeated,
early, late or in any order. `tests/specification` drives this very class through thousands of simulated runs with
faults, and shows for every rule what is lost without it.

A revision is a time stamp, and a lower one may become visible after a higher one, by up to `Timing.slack`. All that
follows in here - refreshing and resuming from a little earlier, never from a place in the stream - is due to that.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from threeport.common.revisions import SKEW_LIMIT, micros_of, revision_of
from threeport.events.memory import Memory, replay_of
from threeport.events.timing import Timing
from threeport.events.watch import Rest, WatchQueue
from threeport.store.changes import Head
from threeport.store.records import Bookmark, Key, StoredObject

FUTURE = 4 * SKEW_LIMIT
"""How far ahead of this process a revision can be: both clocks may be off by the limit; the rest is reserve."""

HELD = 10_000
"""Messages kept while the hub is fenced; what is more comes with a refresh."""


class Source(StrEnum):
    """How an event has reached the hub."""

    COMMIT = "commit"
    """From the process itself, which has made the change."""
    STREAM = "stream"
    REFRESH = "refresh"


class Refresh(NamedTuple):
    """A refresh that has begun: read everything above the revision `above` now, then apply it."""

    above: int
    start: int
    """The clock as a revision, read before the database is."""
    begun: int
    """The same moment on the monotonic clock, in microseconds."""
    era: int


class HubCore:
    """Memory, watches, and the rules by which events come in and go out.

    `clock` is the process's clock as a revision (`RevisionClock.read`), `now` a monotonic clock in microseconds.
    The memory is kept below about `memory_limit` bytes, as far as the slack, which has to be remembered, allows for it.
    `observe` is told of every event that is news after the first refresh, and where it came from.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        now: Callable[[], int],
        timing: Timing,
        buffer: int,
        memory_limit: int,
        observe: Callable[[StoredObject, Source], None] = lambda event, source: None,
    ) -> None:
        self.clock = clock
        self.timing = timing
        self.accepted: Counter[Source] = Counter()
        """How many events of each source were news."""
        self._now = now
        self._buffer = buffer
        self._memory_limit = memory_limit
        self._observe = observe
        self._watches: dict[str, list[WatchQueue]] = {}
        self._replaying: set[WatchQueue] = set()
        self._era = 0
        self._anew()

    def _anew(self) -> None:
        self._memory = Memory()
        self._start = 0
        self._begun = self._now()
        self._held: deque[tuple[StoredObject, Source]] = deque(maxlen=HELD)

    @property
    def ready(self) -> bool:
        """Whether a refresh has been applied since the hub started (anew)."""
        return self._start > 0

    @property
    def watches(self) -> int:
        """How many watches are open."""
        return sum(len(watches) for watches in self._watches.values()) + len(self._replaying)

    @property
    def fenced(self) -> bool:
        """Whether no message is passed on, because the last refresh is missing or began too long ago."""
        return not self.ready or self.refresh_age() >= self.timing.fence

    def refresh_age(self) -> int:
        """Microseconds since the last applied refresh began, or since the hub started (anew)."""
        return self._now() - self._begun

    def begin_refresh(self) -> Refresh:
        """Call this *before* reading the database, objects and tombstones, above the revision that it returns.

        The first refresh goes back the whole memory, later ones to the slack before the start of the last one. What
        was found may be read in two steps: first all heads in one snapshot, then those objects that are `news`.
        """
        start = self.clock()
        above = self._start - revision_of(self.timing.slack) if self.ready else start - revision_of(self.timing.memory)
        return Refresh(above, start, self._now(), self._era)

    def news(self, heads: Iterable[Head]) -> list[str]:
        """The uids of those among `heads` that the hub does not know at that revision: their objects are to be read."""
        return [head.uid for head in heads if not self._memory.knows(*head)]

    def apply_refresh(self, refresh: Refresh, rows: Sequence[StoredObject]) -> bool:
        """Take in what a refresh has read. False if the hub has started anew in the meantime: it counts for nothing."""
        if refresh.era != self._era:
            return False
        if not self.ready:
            self._memory.covers = refresh.above
        for row in sorted(rows, key=lambda row: row.revision):
            self._take(row, Source.REFRESH)
        if refresh.start > self._start:
            self._start, self._begun = refresh.start, refresh.begun
        self._forget()
        while self._held and not self.fenced:
            self._take(*self._held.popleft())
        return True

    def consume(self, event: StoredObject, source: Source = Source.STREAM) -> None:
        """Take in a message of the stream, or of this process; while `fenced` it has to wait for the next refresh.

        One from the future is ignored: no writer has made it, and it would make true ones look old.
        """
        if micros_of(event.revision) - micros_of(self.clock()) > FUTURE:
            return
        if self.fenced:
            self._held.append((event, source))
        else:
            self._take(event, source)

    def knows(self, resource: str, uid: str, revision: int) -> bool:
        """Whether an event of this object at this revision would be no news."""
        return self._memory.knows(resource, uid, revision)

    def latest(self, key: Key) -> StoredObject | None:
        """The newest state of an object, if the hub has it from the database or from this process itself.

        There may be a newer one, or none. What only a message says is never written back: it may be forged.
        """
        return self._memory.latest(key)

    def abandon_if_stale(self) -> bool:
        """Without SQL for too long, cut all watches and start anew. Returns whether that has happened."""
        if not self.ready or self.refresh_age() <= self.timing.abandon:
            return False
        self.cut_all()
        self._era += 1
        self._anew()
        return True

    def too_old(self, since: int) -> bool:
        """Whether `since` is too old to resume from. Ask when the replay has been read, not when the request came."""
        return since < self.clock() - revision_of(self.timing.expiry)

    def replay_from(self, since: int) -> int:
        """The revision above which everything is sent to who resumes from `since`."""
        return min(since, self.clock()) - revision_of(self.timing.slack)

    @property
    def covers(self) -> int:
        """The revision up to which a replay has to be read from SQL; what is above it the memory holds.

        It goes up with time, and always is older than the slack: what SQL holds up to there is settled, so that it can
        be read in pages. A change that is made meanwhile has a higher revision, and is found further on.
        """
        return self._memory.covers

    def remembers(self, above: int) -> bool:
        """Whether the memory alone holds everything above this revision."""
        return self.ready and above >= self._memory.covers

    def watch(self, resource: str, *, above: int) -> WatchQueue:
        """Open a watch: a replay of everything above `above`, which the memory `remembers`, then whatever is passed on.

        Call it after a refresh that began after the request.
        """
        replay = replay_of(self._memory.newer(resource, above))
        return self._attach(WatchQueue(resource, replay, limit=self._buffer))

    def replay(self, resource: str, page: Sequence[StoredObject], rest: Rest) -> WatchQueue:
        """A page of a replay that is read from SQL, and how to get what follows. Nothing is passed on to it."""
        part = WatchQueue(resource, page, limit=0, rest=rest)
        self._replaying.add(part)
        return part

    def watch_live(self, resource: str) -> WatchQueue:
        """Open a watch without a replay."""
        return self._attach(WatchQueue(resource, (), limit=self._buffer))

    def detach(self, watch: WatchQueue) -> None:
        """The watcher has left."""
        watch.open = False
        self._replaying.discard(watch)
        watches = self._watches.get(watch.resource, [])
        if watch in watches:
            watches.remove(watch)

    def bookmarks(self) -> None:
        """Tell all watches how far they have come: to the start of the last refresh passed on, never to the clock."""
        if self.ready:
            bookmark = Bookmark(self._start)
            for resource in tuple(self._watches):
                self._emit(resource, bookmark)

    def cut_all(self) -> None:
        """End all watches."""
        for watches in (*self._watches.values(), self._replaying):
            for watch in watches:
                watch.cut()
        self._watches, self._replaying = {}, set()

    def _attach(self, watch: WatchQueue) -> WatchQueue:
        self._watches.setdefault(watch.resource, []).append(watch)
        return watch

    def _take(self, event: StoredObject, source: Source) -> None:
        events = self._memory.accept(event, hearsay=source is Source.STREAM)
        if events and self.ready:
            self.accepted[source] += 1
            self._observe(event, source)
        for each in events:
            self._emit(each.key.resource, each)

    def _emit(self, resource: str, item: StoredObject | Bookmark) -> None:
        watches = self._watches.get(resource)
        if not watches:
            return
        for watch in watches:
            watch.push(item)
        if not all(watch.open for watch in watches):
            self._watches[resource] = [watch for watch in watches if watch.open]

    def _forget(self) -> None:
        # Forgetting goes through the whole memory, so it is not done for every WATCH's refresh.
        memory, least = self._memory, revision_of(self.timing.refresh // 2)
        below = self._start - revision_of(self.timing.memory)
        if below - memory.covers >= least:
            memory.forget(below)
        # The next refresh reads again what is above here, and may find what has become visible late: it must know it.
        settled = self._start - revision_of(self.timing.slack)
        while memory.size > self._memory_limit and settled - memory.covers >= least:
            memory.forget((memory.covers + settled) // 2)
