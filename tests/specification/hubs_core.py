"""The hub that the API server runs: its core, driven by the simulation as `threeport.events.hub` drives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.specification.hubs import Done, SimulatedHub, SimulatedWatch
from tests.specification.rules import BUFFER, END, PAGE, TIMING, TOMBSTONES_LIVE, Config
from tests.specification.world import RESOURCE
from threeport.common.revisions import SECOND
from threeport.events.core import HubCore, Refresh, Source
from threeport.events.timing import Timing
from threeport.store.changes import Head
from threeport.store.records import Bookmark, StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process
    from tests.specification.world import World


ROOMY = 1 << 30
"""Bytes of memory that are never used up; with none, the memory ends where the slack does."""


def timing_of(config: Config) -> Timing:
    """The core's times; a rule that is nothing but a time is switched off by changing that."""
    never = 2 * END
    return replace(
        TIMING,
        slack=TIMING.slack if config.on("slack") else 2 * SECOND,
        fence=TIMING.fence if config.on("fence") and config.on("periodic") else never,
        abandon=TIMING.abandon if config.on("abandon") else never,
        expiry=TIMING.expiry if config.on("gone_margin") else TOMBSTONES_LIVE,
    )


class ReplayingWatch:
    """A watch whose client takes a replay page by page, and then what is live."""

    def __init__(self, hub: CoreHub, since: int, above: int, page: Sequence[StoredObject]) -> None:
        self.open = True
        self._hub, self._since = hub, since
        self._live: SimulatedWatch | None = None
        self._take(above, page)

    def _take(self, above: int, page: Sequence[StoredObject]) -> None:
        self._above, self._page, self._asked = above, deque(page), False

    def pop(self) -> StoredObject | Bookmark | None:
        """The next item, or None; behind the last one of a page the next page is asked for."""
        if self._live is not None:
            self.open = self.open and self._live.open
            return self._live.pop()
        self.open = self.open and not self._hub.closed
        if self._page:
            return self._page.popleft()
        if not self._asked:
            self._asked = True
            self._hub.read_on(self._since, self._above, self._on_rest)
        return None

    def _on_rest(self, rest: SimulatedWatch | None) -> None:
        if isinstance(rest, ReplayingWatch):
            self._take(rest._above, rest._page)
        elif rest is None:
            self.open = False  # 410: the client comes again, and is told then
        else:
            self._live = rest
            rest.open = self.open


class CoreHub(SimulatedHub):
    """Reads take time, messages that come while the core is fenced are gone, and a crash loses everything."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self._on = world.config.on
        self._core = HubCore(
            clock=process.clock,
            now=lambda: world.now,
            timing=timing_of(world.config),
            buffer=BUFFER,
            memory_limit=world.random.choice((0, ROOMY)),
        )
        self._refresh()
        world.after(TIMING.refresh, self._tick)
        world.after(TIMING.bookmark, self._bookmarks)

    def consume(self, event: StoredObject) -> None:
        self._core.consume(event)

    def committed(self, event: StoredObject) -> None:
        self._core.consume(event, Source.COMMIT)

    def cut_watches(self) -> None:
        self._core.cut_all()

    def watch(self, since: int, done: Done) -> None:
        if not self._on("gone_late") and self._core.too_old(since):
            return done(None)
        if self._on("watch_refresh"):
            return self._refresh(then=lambda: self._start(since, done))
        return self._start(since, done)

    def _start(self, since: int, done: Done) -> None:
        if self._too_old(since):
            return done(None)
        return self.read_on(since, self._core.replay_from(since), done)

    def read_on(self, since: int, above: int, done: Done) -> None:
        """Answer with the rest of a replay from `since`: a page of what SQL holds above `above`, or what is live."""
        core, world = self._core, self.world
        if self.closed:
            return None
        if core.remembers(above):
            return done(core.watch(RESOURCE, above=above))
        if not core.ready or not self.process.sql():
            return world.after(SECOND // 2, self.read_on, since, above, done)
        up_to = core.covers
        rows = sorted(world.snapshot(above), key=lambda row: row.revision)
        page = [row for row in rows if row.revision <= up_to][:PAGE]
        return world.after(self._reading_time(), self._sent_page, since, above, up_to, page, done)

    def _sent_page(self, since: int, above: int, up_to: int, page: Sequence[StoredObject], done: Done) -> None:
        if self.closed:
            return None
        if self._too_old(max(since, above)):
            return done(None)
        above = page[-1].revision if len(page) == PAGE else up_to
        if not page:
            return self.read_on(since, above, done)
        return done(ReplayingWatch(self, since, above, page))

    def _too_old(self, since: int) -> bool:
        return self._on("gone_late") and self._core.too_old(since)

    def _refresh(self, then: Callable[[], None] | None = None) -> None:
        if self.closed:
            return
        if not self.process.sql():
            if then or not self._core.ready:
                self.world.after(SECOND // 2, self._refresh, then)
            return
        refresh, world = self._core.begin_refresh(), self.world
        if not self._core.ready:
            world.after(self._reading_time(), self._apply, refresh, world.snapshot(refresh.above), then)
        else:
            heads = [Head(row.key.resource, row.uid, row.revision) for row in world.snapshot(refresh.above)]
            world.after(self._reading_time(), self._read_news, refresh, heads, then)

    def _read_news(self, refresh: Refresh, heads: Sequence[Head], then: Callable[[], None] | None) -> None:
        news = set(self._core.news(heads))
        rows = [row for row in self.world.snapshot(0) if row.uid in news]
        self.world.after(self._reading_time(), self._apply, refresh, rows, then)

    def _apply(self, refresh: Refresh, rows: Sequence[StoredObject], then: Callable[[], None] | None) -> None:
        if self.closed:
            return
        applied = self._core.apply_refresh(refresh, rows)
        if then:
            if applied:
                then()
            else:
                self._refresh(then)

    def _reading_time(self) -> int:
        return self.world.random.randrange(1000, 100_000)

    def _tick(self) -> None:
        if self.closed:
            return
        if self._core.abandon_if_stale() or self._on("periodic"):
            self._refresh()
        lost = self.world.now < self.world.nats_down_until
        self.world.after((TIMING.refresh_when_lagging if lost else TIMING.refresh) - 10_000, self._tick)

    def _bookmarks(self) -> None:
        if not self.closed:
            self._core.bookmarks()
            self.world.after(TIMING.bookmark, self._bookmarks)
