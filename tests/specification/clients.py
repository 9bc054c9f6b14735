"""A client as client-go and kopf are: LIST, WATCH, resume anywhere; one store by name, one by uid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.specification.hubs import SimulatedHub, SimulatedWatch
from tests.specification.rules import NAMES, WRITES_END
from tests.specification.world import World, label_of, seconds, show
from threeport.common.revisions import SECOND
from threeport.store.records import Bookmark, StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process


class Client:
    """A reflector: what it believes the state to be, and the last revision it has seen."""

    def __init__(self, world: World, number: int, *, selective: bool) -> None:
        self.world, self.number = world, number
        self._names: dict[str, tuple[str, int]] = {}
        self._uids: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        """Uid -> highest revision ever seen."""
        self._gone: set[str] = set()
        """Uids seen as deleted, or absent from a LIST."""
        self._revision = 0
        self._asked: object = None
        self._label = world.random.choice("xy") if selective else None
        world.after(world.random.randrange(10 * SECOND), self._list)

    def check(self) -> None:
        """Compare with the database, when faults and writes have ended."""
        world = self.world
        truth = {e.key.name: (e.uid, e.revision) for e in world.objects.values() if self._matches(e)}
        if self._names != truth:
            self._violation("LOST", f"has {self._names}, database {truth}")
        if self._uids != dict(truth.values()):
            self._violation("LEAK", f"has {self._uids}, database {dict(truth.values())}")

    def _violation(self, kind: str, text: str) -> None:
        self.world.violations[kind] += 1
        self.world.say(f"C{self.number} {kind}: {text}")

    def _matches(self, event: StoredObject) -> bool:
        return self._label is None or label_of(event) == self._label

    def _some_process(self, *, with_sql: bool) -> Process | None:
        up = [process for process in self.world.processes if process.alive and (process.sql() or not with_sql)]
        return self.world.random.choice(up) if up else None

    # -- LIST, in two pages

    def _list(self) -> None:
        world = self.world
        process = self._some_process(with_sql=True)
        if not process:
            return world.after(SECOND // 5, self._list)
        revision, cut = process.hub.list_revision(), world.random.choice(NAMES)
        first = [event for event in world.snapshot() if event.key.name <= cut]
        wait = world.random.randrange(25 * SECOND) if world.now < WRITES_END and world.chance(0.3) else 0
        return world.after(wait, self._list_more, process, revision, cut, first)

    def _list_more(self, process: Process, revision: int, cut: str, rows: list[StoredObject]) -> None:
        world = self.world
        rows = [*rows, *(event for event in world.snapshot() if event.key.name > cut)]
        rows = [event for event in rows if self._matches(event)]
        if not world.config.on("list_before"):
            revision = process.clock()
        for event in rows:
            self._note(event)
        if self._label is None:
            self._gone |= set(self._seen) - {event.uid for event in rows}
        self._names = {event.key.name: (event.uid, event.revision) for event in rows}
        self._uids = {event.uid: event.revision for event in rows}
        self._revision = revision
        world.say(f"C{self.number} lists at P{process.number}: {' '.join(map(show, rows))}; r={seconds(revision):.3f}")
        world.after(world.random.randrange(1000, 200_000), self._connect)

    # -- WATCH

    def _connect(self) -> None:
        world = self.world
        process = self._some_process(with_sql=False)
        if not process:
            return world.after(SECOND // 5, self._connect)
        world.say(f"C{self.number} watches at P{process.number} from {seconds(self._revision):.3f}")
        self._asked = asked = object()
        process.hub.watch(self._revision, lambda watch: self._connected(watch, asked))
        return world.after(SECOND, self._retry, process.hub, asked)

    def _retry(self, hub: SimulatedHub, asked: object) -> None:
        if self._asked is asked:  # no answer yet
            if hub.closed:
                self._connect()
            else:
                self.world.after(SECOND, self._retry, hub, asked)

    def _connected(self, watch: SimulatedWatch | None, asked: object) -> None:
        world, rnd = self.world, self.world.random
        if self._asked is not asked:
            return None
        self._asked = None
        if watch is None:
            world.say(f"C{self.number} gets 410")
            return self._list()
        life = rnd.choice((100_000, SECOND, 10 * SECOND, 40 * SECOND)) * (rnd.random() + 0.05)
        if world.chance(world.faults.cut) and world.now + life < WRITES_END + 20 * SECOND:
            world.after(life, self._cut, watch)
        return self._pump(watch, rnd.choice((1000, 1000, 20_000, 300_000)) if world.now < WRITES_END else 1000)

    def _cut(self, watch: SimulatedWatch) -> None:
        watch.open = False

    def _pump(self, watch: SimulatedWatch, pace: int) -> None:
        world, rnd = self.world, self.world.random
        if not watch.open:
            world.say(f"C{self.number} is cut")
            least, more = rnd.choice(((0, 0), (0, 0), (0, SECOND), (0, 30 * SECOND), (40 * SECOND, 25 * SECOND)))
            away = least + more * rnd.random() if world.now < WRITES_END else 0
            return world.after(away + 1000, self._connect)
        item = watch.pop()
        if isinstance(item, Bookmark):
            self._revision = item.revision or self._revision
        elif item is not None:
            self._receive(item)
        delay = rnd.randrange(1, pace) if item is not None else 100_000 + rnd.randrange(pace)
        return world.after(delay, self._pump, watch, pace)

    def _receive(self, event: StoredObject) -> None:
        if self._matches(event) and not event.deleted:
            self._apply(event)
        elif self._matches(event) or self._label is None or {"label": self._label} in (event.former or ()):
            self._apply(replace(event, deleted=True), really=event.deleted)

    def _apply(self, event: StoredObject, *, really: bool = False) -> None:
        self.world.say(f"C{self.number} gets {show(event)}")
        self._revision = event.revision
        name = event.key.name
        if event.deleted:
            self._names.pop(name, None)
            self._uids.pop(event.uid, None)
            if really:
                self._gone.add(event.uid)
            return
        self._note(event)
        if event.revision < self._names.get(name, ("", -1))[1]:
            self._violation("REGRESS", f"by name {show(event)}")
        self._names[name] = (event.uid, event.revision)
        self._uids[event.uid] = event.revision

    def _note(self, event: StoredObject) -> None:
        if event.revision < self._seen.get(event.uid, -1) or event.uid in self._gone:
            self._violation("REGRESS", show(event))
        self._seen[event.uid] = max(event.revision, self._seen.get(event.uid, -1))
