"""What a hub remembers: the newest event of every object and of every name, for a bounded time.

The memory decides what is news. The stream may repeat, delay and reorder its messages, and the refresh reads again
what the stream has brought; all of them go through `Memory.accept`, and only what is newer than anything known of
the object comes out. No input or output happens here, so that the specification can drive it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from threeport.store.records import Key, StoredObject


class Memory:
    """The newest event per uid and per name of all resources, complete above the revision `covers`."""

    def __init__(self) -> None:
        self.covers = 0
        """Everything above this revision is remembered; nothing at or below it is."""
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
        self._by_uid[event.key.resource][event.uid] = event
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


def replay_of(*sources: Iterable[StoredObject]) -> list[StoredObject]:
    """What a resuming watch is sent, from what the memory and the database hold: ascending by revision.

    Of each object its newest event; of the living objects under one name only the newest. Ascending, so that a
    deletion comes before the object that took the name over, and so that each event seen is a point to resume from.
    """
    by_uid: dict[str, StoredObject] = {}
    for source in sources:
        for event in source:
            if event.uid not in by_uid or by_uid[event.uid].revision < event.revision:
                by_uid[event.uid] = event
    by_key: dict[Key, StoredObject] = {}
    for event in by_uid.values():
        if event.key not in by_key or by_key[event.key].revision < event.revision:
            by_key[event.key] = event
    return sorted(
        (event for event in by_uid.values() if event.deleted or by_key[event.key] is event),
        key=lambda event: event.revision,
    )
