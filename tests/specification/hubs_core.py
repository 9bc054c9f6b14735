"""The hub that the API server runs: its core, driven by the simulation as `threeport.events.hub` drives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.specification.hubs import Done, SimulatedHub
from tests.specification.rules import BUFFER, END, TIMING, TOMBSTONES_LIVE, Config
from tests.specification.world import RESOURCE
from threeport.common.revisions import SECOND
from threeport.events.core import HubCore, Refresh, Source
from threeport.events.timing import Timing
from threeport.store.changes import Head
from threeport.store.records import StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process
    from tests.specification.world import World


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


class CoreHub(SimulatedHub):
    """Reads take time, messages that come while the core is fenced are gone, and a crash loses everything."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self._on = world.config.on
        self._core = HubCore(clock=process.clock, now=lambda: world.now, timing=timing_of(world.config), buffer=BUFFER)
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
        core = self._core
        if self._too_old(since):
            return done(None)
        above = core.replay_from(since)
        if core.remembers(above):
            return self._attach(since, above, (), done)
        if not self.process.sql():
            return self.world.after(SECOND // 2, self._start, since, done)
        rows = self.world.snapshot(above)
        return self.world.after(self._reading_time(), self._attach, since, above, rows, done)

    def _attach(self, since: int, above: int, rows: Sequence[StoredObject], done: Done) -> None:
        if self.closed:
            return None
        if self._too_old(since):
            return done(None)
        if not self._core.ready:
            return self._refresh(then=lambda: self._start(since, done))
        return done(self._core.watch(RESOURCE, above=above, rows=rows))

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
