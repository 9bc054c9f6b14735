"""The model of the hub: the nine rules in their shortest form, each of which can be switched off.

SQL is read on start, at each WATCH and every 5 s; the stream only makes it fast.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.specification.hubs import Done, SimulatedHub
from tests.specification.rules import BUFFER, PAGE, TIMING, TOMBSTONES_LIVE
from threeport.common.revisions import SECOND, revision_of
from threeport.store.records import Bookmark, Key, StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process
    from tests.specification.world import World


class ModelWatch:
    """A bounded queue; what is older than what was sent of a uid is not sent any more."""

    def __init__(self, replay: Sequence[StoredObject], *, newest: bool) -> None:
        self.open = True
        self._queue: deque[StoredObject | Bookmark] = deque(replay)
        self._newest = newest
        self._sent: dict[str, int] = {}

    def push(self, item: StoredObject | Bookmark) -> None:
        """Queue an item; a watcher that is too slow is cut, and what is queued is lost."""
        if self.open:
            self._queue.append(item)
            self.open = len(self._queue) <= BUFFER

    def pop(self) -> StoredObject | Bookmark | None:
        """The next item, or None."""
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, Bookmark):
                return item
            sent = self._sent.get(item.uid, -1)
            if not self._newest or item.deleted or item.revision >= sent:
                self._sent[item.uid] = max(item.revision, sent)
                return item
        return None


class RulesHub(SimulatedHub):
    """The rules, one by one."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self._on = world.config.on
        self._slack = TIMING.slack if self._on("slack") else 2 * SECOND
        self._watches: list[ModelWatch] = []
        self._last: dict[str, StoredObject] = {}
        """Per uid, the newest event passed on."""
        self._top: dict[Key, StoredObject] = {}
        """Per name, the newest event."""
        self._log: list[StoredObject] = []
        self._small = world.chance(0.5)
        """Whether it has room for no more than it has to remember."""
        self._since = self._covers = 0
        """Start of the last refresh; nothing at or below `covers` is remembered."""
        self._since_at = -10 * SECOND
        self._refresh(first=True)
        world.after(TIMING.refresh, self._tick)
        world.after(TIMING.bookmark, self._bookmarks)

    def cut_watches(self) -> None:
        for watch in self._watches:
            watch.open = False
        self._watches = []

    def accepts_messages(self) -> bool:
        fenced = self._on("fence") and self._on("periodic") and self.world.now - self._since_at >= TIMING.fence
        return bool(self._since) and not fenced

    def consume(self, event: StoredObject) -> None:
        top = self._top.get(event.key)
        if self._on("floor") and event.revision <= self._covers:
            return
        if self._on("newest") and event.uid in self._last and event.revision <= self._last[event.uid].revision:
            return
        replaced = top is not None and top.uid != event.uid and top.revision > event.revision
        if replaced and not event.deleted and self._on("stale_uid"):
            return
        self._last[event.uid] = event
        if not replaced:
            self._top[event.key] = event
        self._pass_on(event)
        if top is not None and replaced and event.deleted and not top.deleted and self._on("pair"):
            self._pass_on(top)

    def watch(self, since: int, done: Done) -> None:
        if self._on("gone_late") or not self._too_old(since):
            start = self._starter(since, done)
            if self._on("watch_refresh"):
                self._refresh(then=start)
            else:
                start()
        else:
            done(None)

    def _starter(self, since: int, done: Done) -> Callable[[], None]:
        return lambda: self._start(since, done)

    def _start(self, since: int, done: Done) -> None:
        if self._on("gone_late") and self._too_old(since):
            return done(None)
        places = [place for place, event in enumerate(self._log) if event.revision == since]
        if not self._on("anchor_sql") and places:
            return self._attach(self._log[places[0] + 1 :], done)
        above = min(since, self.process.clock()) if self._on("clock_guard") else since
        above -= revision_of(self._slack)
        return self._read_on(since, above, [], done)

    def _read_on(self, since: int, above: int, read: list[StoredObject], done: Done) -> None:
        """SQL in pages, up to where the memory begins."""
        world = self.world
        if self.closed:
            return None
        if self._since and above >= self._covers:
            return self._attach(self._replay(read, above), done)
        if not self._since or not self.process.sql():
            return world.after(SECOND // 2, self._read_on, since, above, read, done)
        up_to = self._covers if self._on("settled") else world.now << 20
        rows = sorted(world.snapshot(above), key=lambda row: row.revision)
        page = [row for row in rows if row.revision <= up_to][:PAGE]
        reached = page[-1].revision if len(page) == PAGE else self._covers
        return world.after(world.random.randrange(1000, 100_000), self._take, since, above, reached, page, read, done)

    def _take(
        self, since: int, above: int, reached: int, page: list[StoredObject], read: list[StoredObject], done: Done
    ) -> None:
        if self._on("gone_late") and self._too_old(max(since, above)):
            return done(None)
        return self._read_on(since, max(above, reached), [*read, *page], done)

    def _replay(self, read: Sequence[StoredObject], above: int) -> list[StoredObject]:
        rows = {row.uid: row for row in read}
        rows |= {uid: event for uid, event in self._last.items() if event.revision > above}
        tops: dict[Key, StoredObject] = {}
        for event in rows.values():
            if event.key not in tops or tops[event.key].revision < event.revision:
                tops[event.key] = event
        replay = [event for event in rows.values() if event.deleted or tops[event.key] is event]
        return sorted(replay, key=lambda event: event.revision, reverse=not self._on("ascending"))

    def _attach(self, replay: Sequence[StoredObject], done: Done) -> None:
        watch = ModelWatch(replay, newest=self._on("newest"))
        watch.open = not self.closed
        self._watches.append(watch)
        done(watch)

    def _too_old(self, since: int) -> bool:
        margin = TIMING.expiry if self._on("gone_margin") else TOMBSTONES_LIVE
        return since < revision_of(self.world.now - margin)

    def _tick(self) -> None:
        if self.closed:
            return
        world = self.world
        if self._since and world.now - self._since_at > TIMING.abandon and self._on("abandon"):
            self.cut_watches()
            self._last, self._top, self._since = {}, {}, 0
            self._refresh(first=True)
        elif self._on("periodic"):
            self._refresh()
        lost = world.now < world.nats_down_until
        world.after((TIMING.refresh_when_lagging if lost else TIMING.refresh) - 10_000, self._tick)

    def _refresh(self, then: Callable[[], None] | None = None, *, first: bool = False) -> None:
        """Snapshot now, apply a little later: other events come in between."""
        if self.closed:
            return
        if not self.process.sql():
            if first or then:
                self.world.after(SECOND // 2, lambda: self._refresh(then, first=first))
            return
        start, begun = self.process.clock(), self.world.now
        above = start - revision_of(TIMING.memory) if first else self._since - revision_of(self._slack)
        rows = self.world.snapshot(above)
        delay = self.world.random.randrange(1000, 100_000)
        self.world.after(delay, self._apply, rows, start, begun, above, then)

    def _apply(
        self, rows: Sequence[StoredObject], start: int, begun: int, above: int, then: Callable[[], None] | None
    ) -> None:
        if not self.closed:
            if not self._since:
                self._covers = above
            for row in sorted(rows, key=lambda row: row.revision):
                self.consume(row)
            if start > self._since:
                self._since, self._since_at = start, begun
            self._forget(start - revision_of(TIMING.memory))
            if self._small:
                self._forget(self._since - (revision_of(TIMING.slack) if self._on("settled") else 0))
        if then:
            then()

    def _forget(self, below: int) -> None:
        if below > self._covers:
            self._covers = below
            self._last = {uid: event for uid, event in self._last.items() if event.revision > below}
            self._top = {key: event for key, event in self._top.items() if event.revision > below}

    def _pass_on(self, event: StoredObject) -> None:
        self._log.append(event)
        self._emit(event)

    def _bookmarks(self) -> None:
        if not self.closed:
            self._emit(Bookmark(self._since if self._on("bookmark") else self.process.clock()))
            self.world.after(TIMING.bookmark, self._bookmarks)

    def _emit(self, item: StoredObject | Bookmark) -> None:
        self._watches = [watch for watch in self._watches if watch.open]
        for watch in self._watches:
            watch.push(item)
