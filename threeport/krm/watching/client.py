"""What the client of a watch knows, as far as the name of an event depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from threeport.common.revisions import SECOND, micros_of
from threeport.store.records import StoredObject

_NEW_FOR = 10
"""Seconds after creation in which an event may be an ADDED."""
_RECENT = 1000
"""Objects of which it is remembered that they were ADDED."""


@dataclass(slots=True)
class ClientState:
    """What one watch knows of its client."""

    listed: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """Uid and revision of the objects that the client was given first, as it has them now, by namespace and name."""
    recent: dict[str, None] = field(default_factory=dict)
    """Uids that were ADDED lately, oldest first."""

    def listing(self, obj: StoredObject) -> None:
        """The client has the object as it is here."""
        self.listed[obj.key.namespace, obj.key.name] = (obj.uid, obj.revision)

    def is_old_news(self, event: StoredObject) -> bool:
        """Whether the state that the client was given first, and has since followed, is as new as this event.

        Revisions order the changes of one name: the end of an object before the one that was given is old news too.
        That of the given one never is, even when the client already has the object that took the name over; then the
        living one is told again behind it.
        """
        place = (event.key.namespace, event.key.name)
        uid, revision = self.listed.get(place, ("", 0))
        if event.revision <= revision:
            return True
        if event.uid == uid and not event.deleted:
            self.listed[place] = (uid, event.revision)
        else:
            self.listed.pop(place, None)
        return False

    def is_new(self, event: StoredObject, created: int) -> bool:
        """Whether the client is likely to hear of this object for the first time. `created`: in seconds since 1970."""
        if event.uid in self.recent or micros_of(event.revision) // SECOND - created > _NEW_FOR:
            return False
        self.recent[event.uid] = None
        if len(self.recent) > _RECENT:
            del self.recent[next(iter(self.recent))]
        return True
