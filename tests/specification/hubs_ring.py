"""The obvious design, which fails: a ring of recent messages, and a watch that resumes at a place in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.specification.hubs import Done, SimulatedHub
from tests.specification.hubs_rules import ModelWatch
from tests.specification.rules import TOMBSTONES_LIVE
from threeport.common.revisions import SECOND, revision_of
from threeport.store.records import StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process
    from tests.specification.world import World

OVERLAP = revision_of(10 * SECOND)
RING = 40


class RingHub(SimulatedHub):
    """Lives on the stream; SQL is read only while the stream is away."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self._ring: list[StoredObject] = []
        self._sent: dict[str, int] = {}
        self._consumed = self._polled = 0
        self._watches: list[ModelWatch] = []
        self._position = max(0, len(world.stream) - world.random.choice((0, 0, 5, 50)))
        world.after(SECOND, self._poll_sql)

    def list_revision(self) -> int:
        return self._consumed

    def cut_watches(self) -> None:
        for watch in self._watches:
            watch.open = False

    def consume(self, event: StoredObject) -> None:
        self._consumed = event.revision
        if self._emit_if_newer(event):
            self._ring = [*self._ring, event][-RING:]

    def watch(self, since: int, done: Done) -> None:
        places = [place for place, event in enumerate(self._ring) if event.revision == since]
        rows: Sequence[StoredObject]
        if places:
            rows = self._ring[places[-1] + 1 :]
        elif since and since < revision_of(self.world.now - TOMBSTONES_LIVE):
            return done(None)
        else:
            rows = sorted(self.world.snapshot(since - OVERLAP), key=lambda event: event.revision)
        watch = ModelWatch(rows, newest=False)
        self._watches.append(watch)
        return done(watch)

    def _poll_sql(self) -> None:
        if self.closed:
            return
        if self.world.now < self.world.nats_down_until and self.process.sql():
            start = self.process.clock()
            rows = self.world.snapshot((self._polled or start) - OVERLAP)
            for event in sorted(rows, key=lambda event: event.revision):
                self._emit_if_newer(event)
            self._polled = start
        self.world.after(SECOND, self._poll_sql)

    def _emit_if_newer(self, event: StoredObject) -> bool:
        if event.revision <= self._sent.get(event.uid, -1):
            return False
        self._sent[event.uid] = event.revision
        self._watches = [watch for watch in self._watches if watch.open]
        for watch in self._watches:
            watch.push(event)
        return True
