"""Garbage collection: what has lost its owners goes, and an owner deleted in the foreground waits for what it owns.

Source: Kubernetes, "Garbage Collection".
"""

from __future__ import annotations

from collections.abc import Iterable

from threeport.common.types import JsonObject
from threeport.krm.deletion import FOREGROUND, ORPHAN
from threeport.simulated.world import Entry, World
from threeport.store.records import Key


class Garbage:
    """Looks after every object that has owners, and every owner that is being deleted."""

    resources: tuple[str, ...] = ()

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The object itself, what it owns if it is gone or going, and its owners, which may wait for it."""
        if entry.stored.deleted or entry.stored.deleting:
            yield from (owned.key for owned in world.owned(entry.uid))
            yield from (owner.key for reference in entry.owners if (owner := world.find_uid(reference["uid"])))
        if not entry.stored.deleted and (entry.owners or entry.stored.deleting):
            yield entry.key

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Deletes an orphan, or lets an owner go whose dependents are gone."""
        entry = world.find(key)
        if entry is None:
            return None
        if entry.stored.deleting:
            await self._let_go(entry, world)
        elif entry.owners and _is_orphan(entry, world):
            going = any((owner := world.find_uid(one["uid"])) and _is_going(owner) for one in entry.owners)
            await world.delete(entry, foreground=going)
        return None

    async def _let_go(self, entry: Entry, world: World) -> None:
        finalizers = entry.obj["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            for owned in world.owned(entry.uid):
                await world.update(owned, lambda obj: _disown(obj, entry.uid))
            await world.update(entry, lambda obj: _finish(obj, ORPHAN))
        elif FOREGROUND in finalizers and not world.owned(entry.uid):
            await world.update(entry, lambda obj: _finish(obj, FOREGROUND))


def _is_orphan(entry: Entry, world: World) -> bool:
    """Whether no owner is left that stays: gone, or going in the foreground."""
    owners = [world.find_uid(reference["uid"]) for reference in entry.owners]
    return all(owner is None or _is_going(owner) for owner in owners)


def _is_going(owner: Entry) -> bool:
    return owner.stored.deleting and FOREGROUND in (owner.obj["metadata"].get("finalizers") or ())


def _finish(obj: JsonObject, finalizer: str) -> None:
    obj["metadata"]["finalizers"] = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]


def _disown(obj: JsonObject, uid: str) -> None:
    owners = obj["metadata"].get("ownerReferences") or []
    obj["metadata"]["ownerReferences"] = [owner for owner in owners if owner["uid"] != uid]
