"""What a hub remembers: the newest event of every object and of every name, as far back as its core decides.

The memory decides what is news. The stream may repeat, delay and reorder its messages, and the refresh reads again
what the stream has brought; all of them go through `Memory.accept`, and only what is newer than anything known of
the object comes out. No input or output happens here, so that the specification can drive it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from threeport.store.records import Key, StoredObject

OVERHEAD: Final = 1000
"""Bytes of an event beside its body, about: record, key, labels, and its places here."""


class Memory:
    """The newest event per uid and per name of all resources, complete above the revision `covers`."""

    def __init__(self) -> None:
        self.covers = 0
        """Everything above this revision is remembered; nothing at or below it is."""
        self.size = 0
        """Bytes of all that is remembered, about."""
        self._by_uid: defaultdict[str, dict[str, StoredObject]] = defaultdict(dict)
        self._by_key: dict[Key, StoredObject] = {}
        self._hearsay: set[Key] = set()
        """Names whose newest state nobody but the stream has told."""

    def __len__(self) -> int:
        return sum(len(events) for events in self._by_uid.values())

    def knows(self, resource: str, uid: str, revision: int) -> bool:
        """Whether an event of this object, of this revision or a later one, has been accepted or is too old."""
        known = self._by_uid[resource].get(uid)
        return revision <= self.covers or (known is not None and known.revision >= revision)

    def accept(self, event: StoredObject, *, hearsay: bool = False) -> Sequence[StoredObject]:
        """Remember the event if it is news. Returns what to pass on, in order: nothing, the event, or a pair.

        `hearsay`: it has come by way of the stream, which may carry what none of ours has sent.

        Dropped is what is older than the memory, what is not newer than the last event of its uid, and a living
        object whose name has passed on to a newer one. The deletion of an object whose name lives on in another is
        passed on (a watcher that goes by uid must hear of it), and the living one's event again behind it (a watcher
        that goes by name would otherwise take the name for gone).
        """
        if self.knows(event.key.resource, event.uid, event.revision):
            return ()
        newest = self._by_key.get(event.key)
        replaced = newest is not None and newest.uid != event.uid and newest.revision > event.revision
        if replaced and not event.deleted:
            return ()
        self._keep(event)
        if newest is None or not replaced:
            self._by_key[event.key] = event
            (self._hearsay.add if hearsay else self._hearsay.discard)(event.key)
            return (event,)
        return (event,) if newest.deleted else (event, newest)

    def latest(self, key: Key) -> StoredObject | None:
        """The newest remembered state of the object of this name; None if it is not known for certain, or gone."""
        event = self._by_key.get(key)
        return None if event is None or event.deleted or key in self._hearsay else event

    def newer(self, resource: str, above: int) -> list[StoredObject]:
        """The remembered events of a resource with a revision above `above`, in no order."""
        return [event for event in self._by_uid[resource].values() if event.revision > above]

    def forget(self, below: int) -> None:
        """Drop what has a revision of `below` or less, and from now on refuse it."""
        self.covers = below
        for resource, events in self._by_uid.items():
            self._by_uid[resource] = {uid: event for uid, event in events.items() if event.revision > below}
        self._by_key = {key: event for key, event in self._by_key.items() if event.revision > below}
        self._hearsay &= self._by_key.keys()
        self.size = sum(_size_of(event) for events in self._by_uid.values() for event in events.values())

    def _keep(self, event: StoredObject) -> None:
        events = self._by_uid[event.key.resource]
        known = events.get(event.uid)
        self.size += _size_of(event) - (0 if known is None else _size_of(known))
        events[event.uid] = event


def replay_of(remembered: Iterable[StoredObject]) -> list[StoredObject]:
    """What a resuming watch is sent of what the memory holds, an event of each object: ascending by revision.

    Of the living objects under one name only the newest. Ascending, so that a deletion comes before the object that
    took the name over, and so that each event seen is a point to resume from.
    """
    events = sorted(remembered, key=lambda event: event.revision)
    newest = {event.key: event for event in events}
    return [event for event in events if event.deleted or newest[event.key] is event]


def _size_of(event: StoredObject) -> int:
    return sys.getsizeof(event.body) + OVERHEAD
