"""The simulated world: a scheduler, the database with its outbox and tombstones, the stream, and the faults."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

from tests.specification.rules import (
    DEDUPLICATION,
    END,
    NAMES,
    PROCESSES,
    SKEW,
    TOMBSTONES_LIVE,
    TXN,
    WRITES_END,
    Config,
    Faults,
)
from threeport.common.revisions import SECOND, micros_of, next_revision, revision_of
from threeport.store.records import Key, StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process

RESOURCE = "things.example.org"
Identity = tuple[str, int]
"""Uid and revision."""


def seconds(revision: int) -> float:
    """When a revision was made, for people."""
    return micros_of(revision) / SECOND


def label_of(event: StoredObject) -> str:
    """The one label that objects of this world have."""
    return event.labels["label"]


def show(event: StoredObject) -> str:
    """An event in a few characters: A(alive) or D(eleted), name, uid, time, label."""
    state = "D" if event.deleted else "A"
    return f"{state}({event.key.name}{event.uid}@{seconds(event.revision):.3f},{label_of(event)})"


class World:
    """One run. Times are microseconds since its start; everything random comes from the seed."""

    def __init__(self, config: Config, seed: int, *, trace: bool = False) -> None:
        from tests.specification.clients import Client
        from tests.specification.processes import Process

        self.config, self.random = config, random.Random(seed)
        self.now, self._scheduled = 0, 0
        self._heap: list[tuple[int, int, Callable[..., object], tuple[object, ...]]] = []
        # Swarm testing: each run has its own mix of faults.
        self.faults = Faults(*(v * self.random.choice((0, 0.5, 1, 1)) for v in astuple(config.faults)))
        self.trace: list[str] | None = [] if trace else None
        self.violations: Counter[str] = Counter()
        self.objects: dict[str, StoredObject] = {}
        self.tombstones: dict[str, StoredObject] = {}
        self.outbox: dict[Identity, tuple[StoredObject, int]] = {}
        self.locked: set[str] = set()
        self.uids = 0
        self.stream: list[StoredObject] = []
        self.message_ids: dict[Identity, int] = {}
        self.stream_epoch, self.nats_down_until = 0, 0
        self.processes = [Process(self, number) for number in range(PROCESSES)]
        self.clients = [Client(self, number, selective=number % 2 == 1) for number in range(4)]
        self.at(0, self._expire_tombstones)
        for _ in range(self.random.randint(15, 45)):
            self.at(self.random.randrange(WRITES_END), self.write)
        self._plan_faults()

    # -- scheduler

    def at(self, time: float, action: Callable[..., object], *arguments: object) -> None:
        """Do something at a time."""
        self._scheduled += 1
        heapq.heappush(self._heap, (int(time), self._scheduled, action, arguments))

    def after(self, delay: float, action: Callable[..., object], *arguments: object) -> None:
        """Do something after a delay."""
        self.at(self.now + delay, action, *arguments)

    def say(self, text: str) -> None:
        """Write the history, where one is asked for."""
        if self.trace is not None:
            self.trace.append(f"{self.now / SECOND:9.3f}  {text}")

    def chance(self, probability: float) -> bool:
        """Throw a coin."""
        return self.random.random() < probability

    def run(self) -> Counter[str]:
        """Run to the end. Returns how often each kind of violation was seen."""
        while self._heap:
            time, _, action, arguments = heapq.heappop(self._heap)
            if time > END:
                break
            self.now = time
            action(*arguments)
        for client in self.clients:
            client.check()
        return self.violations

    def _plan_faults(self) -> None:
        faults, rnd = self.faults, self.random
        for process in self.processes:
            while self.chance(faults.crash * 0.6):
                self.at(rnd.randrange(5 * SECOND, WRITES_END), process.crash)
                if self.chance(0.3):
                    break
            if self.chance(faults.sqlstall):
                self.at(rnd.randrange(5 * SECOND, WRITES_END), process.stall)
        if self.chance(faults.outage):
            self.at(rnd.randrange(WRITES_END), self._nats_outage)
        for _ in range(2):
            if self.chance(faults.wipe):
                self.at(rnd.randrange(5 * SECOND, WRITES_END), self._wipe)

    # -- database

    def write(self, name: str | None = None) -> None:
        """Begin a transaction on some name at some process, and often another one soon."""
        up = [process for process in self.processes if process.alive]
        if not up:
            return
        process = self.random.choice(up)
        slow = self.chance(self.faults.slow_txn)
        duration = self.random.randrange(TXN - SECOND // 10) if slow else self.random.randrange(30_000)
        if not self.config.on("txn_bound") and slow:
            duration *= 6
        name = name or self.random.choice(NAMES)
        self._lock(process, process.incarnation, name, process.stamp(), self.now, duration)
        if self.chance(0.5):
            self.after(self.random.randrange(2 * SECOND), self.write)

    def _lock(self, process: Process, incarnation: int, name: str, stamp: int, begun: int, duration: int) -> None:
        if process.incarnation != incarnation:
            return
        if name in self.locked:
            if self.now - begun < TXN - SECOND // 5:
                self.after(20_000, self._lock, process, incarnation, name, stamp, begun, duration)
            return
        if self.config.on("clock_guard") and abs(micros_of(stamp) - self.now) > SKEW + TXN:
            return
        self.locked.add(name)
        self.at(max(self.now + 1000, begun + duration), self._commit, process, incarnation, name, stamp)

    def _commit(self, process: Process, incarnation: int, name: str, stamp: int) -> None:
        self.locked.remove(name)
        if process.incarnation != incarnation and self.chance(0.5):
            return  # died before the commit; otherwise after it, before the relay
        event = self._change(name, self._revision(process, name, stamp))
        process.last = max(process.last, event.revision)
        self.outbox[event.uid, event.revision] = (event, self.now)
        self.say(f"P{process.number} commits {show(event)}")
        if process.incarnation == incarnation:
            slow = self.chance(self.faults.slow_relay)
            delay = self.random.randrange(1_500_000) if slow else self.random.randrange(3000)
            self.after(delay, self.publish, process, incarnation, event)
            if self.chance(self.faults.handover):
                late = self.chance(self.faults.late_handover)
                delay = self.random.randrange(8 * SECOND) if late else self.random.randrange(3000)
                self.after(delay, self._hand_over, process, incarnation, event)

    def _hand_over(self, process: Process, incarnation: int, event: StoredObject) -> None:
        if process.incarnation == incarnation:
            process.hub.committed(event)

    def _revision(self, process: Process, name: str, stamp: int) -> int:
        current = self.objects.get(name)
        previous = current.revision if current else 0
        if self.config.on("bump"):
            previous = max([previous, *(t.revision for t in self.tombstones.values() if t.key.name == name)])
        elif current and self.chance(0.5):
            previous = 0
        return next_revision(previous, stamp, process.number)

    def _change(self, name: str, revision: int) -> StoredObject:
        current, dice = self.objects.get(name), self.random.random()
        if current is None:
            self.uids += 1
            labels = {"label": self.random.choice("xy")}
            event = StoredObject(
                key=Key(RESOURCE, "", name), uid=str(self.uids), revision=revision, generation=1, body="", labels=labels
            )
        elif dice < 0.35:
            event = replace(current, revision=revision, deleted=True)
            del self.objects[name]
            self.tombstones[event.uid] = event
            if self.chance(0.6):  # re-create soon, elsewhere
                self.after(self.random.randrange(SECOND // 2), self.write, name)
            return event
        else:
            labels = {"label": self.random.choice("xy") if dice < 0.7 else label_of(current)}
            former = (*(current.former or ()), current.labels) if labels != current.labels else current.former
            event = replace(
                current, revision=revision, labels=labels, former=former if self.config.on("former") else ()
            )
        self.objects[name] = event
        return event

    def snapshot(self, above: int | None = None) -> list[StoredObject]:
        """What SQL answers: the objects, or, with a revision, objects and tombstones above it."""
        if above is None:
            return list(self.objects.values())
        rows = (*self.objects.values(), *self.tombstones.values())
        return [event for event in rows if event.revision > above]

    def _expire_tombstones(self) -> None:
        limit = revision_of(self.now - TOMBSTONES_LIVE)
        self.tombstones = {uid: event for uid, event in self.tombstones.items() if event.revision > limit}
        self.after(SECOND, self._expire_tombstones)

    # -- relay and stream

    def publish(self, process: Process, incarnation: int, event: StoredObject) -> None:
        """A relay or a sweeper publishes; the acknowledgement, if it arrives, deletes the row of the outbox."""
        identity = (event.uid, event.revision)
        if process.incarnation != incarnation or self.now < self.nats_down_until or identity not in self.outbox:
            return
        if self.now - self.message_ids.get(identity, -DEDUPLICATION) >= DEDUPLICATION:
            self.message_ids[identity] = self.now
            self.stream.append(event)
            for each in self.processes:
                if each.alive:
                    each.hub.wake()
            if self.chance(self.faults.wipe * 0.06):
                self.after(self.random.randrange(40_000), self._wipe)
            self.say(f"P{process.number} publishes {show(event)} at {len(self.stream)}")
        if not self.chance(0.1):  # else the acknowledgement is lost: the sweeper will repeat it
            self.after(self.random.randrange(500, 20_000), self._acknowledge, process, incarnation, identity)

    def _acknowledge(self, process: Process, incarnation: int, identity: Identity) -> None:
        if process.incarnation == incarnation:
            self.outbox.pop(identity, None)

    def _nats_outage(self) -> None:
        self.nats_down_until = self.now + self.random.randrange(2 * SECOND, 50 * SECOND)
        self.say(f"NATS down until {self.nats_down_until / SECOND:.1f}")

    def _wipe(self) -> None:
        tail = self.random.randrange(1, 5) if self.chance(0.5) else len(self.stream)
        keep = max(0, len(self.stream) - tail)
        self.stream, self.message_ids = self.stream[:keep], {}
        self.stream_epoch += keep == 0
        self.say(f"the stream loses its last {tail}")
        if self.chance(self.faults.sqlstall):
            self.random.choice(self.processes).stall()
