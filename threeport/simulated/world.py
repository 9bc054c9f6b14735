"""The state of one simulated cluster as its controllers see it: a mirror of the store, and writes that go to the store.

The process is the only writer of the cluster's schema, and the store tells of every commit, so the mirror is complete
without a watch. Writes are made from what the mirror shows, and refused by the store if that is no longer current.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.deletion import begun_deletion
from threeport.krm.drafts import change, creation, spec_of
from threeport.krm.interfaces import ObjectStore
from threeport.krm.metadata import generated_name, stamp_new
from threeport.resources.kind import Catalog
from threeport.store.records import Key, Listing, NameTaken, StoredObject

SIMULATED_LABEL: Final = "threeport.io/simulated"
"""Marks what the simulation itself has made."""

PAGE: Final = 500

LATEST_NEWS: Final = 60.0
"""Seconds after a commit in which its writer has surely told of it: the store gives a write five."""


class Entry(NamedTuple):
    """An object of the mirror: as stored, and decoded. The decoded form is shared, so it is only read."""

    stored: StoredObject
    obj: JsonObject

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.stored.key

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.stored.uid

    @property
    def owners(self) -> list[JsonObject]:
        """Its owner references."""
        return self.obj["metadata"].get("ownerReferences") or []

    @property
    def controller(self) -> str | None:
        """Uid of the owner that controls it."""
        return next((owner["uid"] for owner in self.owners if owner.get("controller")), None)


class World:
    """Everything in one simulated cluster. `on_change` hears of every change, deletions included."""

    def __init__(self, store: ObjectStore, catalog: Catalog, on_change: Callable[[Entry], None]) -> None:
        self.catalog = catalog
        self._store = store
        self._on_change = on_change
        self._entries: dict[str, dict[Key, Entry]] = {}
        self._by_uid: dict[str, Key] = {}
        self._owned: dict[str, set[Key]] = {}
        self._newest: dict[Key, int] = {}
        """The newest revision of each object that is known, also of one that was deleted a moment ago: two writers of
        one object hear of their commits in any order, and an object that is gone must not come back."""
        self._deletions: deque[tuple[float, Key, int]] = deque()

    # -- reading ---------------------------------------------------------------------------------------------------

    async def load(self, resource: str) -> None:
        """Reads all objects of a resource from the store."""
        after: tuple[str, str] | None = None
        while True:
            page = await self._store.list_page(Listing(resource), limit=PAGE, after=after)
            self.absorb(page.items)
            after = page.after
            if after is None:
                return

    def absorb(self, objects: Iterable[StoredObject]) -> None:
        """Takes in what the store has committed, in whatever order it tells."""
        self._forget_deletions()
        for stored in objects:
            if stored.revision <= self._newest.get(stored.key, 0):
                continue
            self._newest[stored.key] = stored.revision
            if stored.deleted:
                self._deletions.append((time.monotonic(), stored.key, stored.revision))
            self._take(Entry(stored, orjson.loads(stored.body)))

    def _forget_deletions(self) -> None:
        """Of those that no late news can precede any more."""
        while self._deletions and self._deletions[0][0] < time.monotonic() - LATEST_NEWS:
            _, key, revision = self._deletions.popleft()
            if self._newest.get(key) == revision:
                del self._newest[key]

    def get(self, resource: str, namespace: str, name: str) -> Entry | None:
        """The object, or None."""
        return self.find(Key(resource, namespace, name))

    def find(self, key: Key) -> Entry | None:
        """The object of this key, or None."""
        return self._entries.get(key.resource, {}).get(key)

    def find_uid(self, uid: str) -> Entry | None:
        """The object with this uid, or None."""
        key = self._by_uid.get(uid)
        return self.find(key) if key else None

    def all_of(self, resource: str, namespace: str | None = None) -> list[Entry]:
        """All objects of a resource, in one namespace or in all."""
        entries = self._entries.get(resource, {}).values()
        return [entry for entry in entries if namespace is None or entry.key.namespace == namespace]

    def owned(self, uid: str, resource: str | None = None) -> list[Entry]:
        """The objects that have an owner with this uid, oldest first."""
        keys = self._owned.get(uid, set())
        found = [entry for key in keys if (entry := self.find(key)) and resource in (None, key.resource)]
        return sorted(found, key=lambda entry: (entry.obj["metadata"]["creationTimestamp"], entry.key))

    def everything(self) -> list[Entry]:
        """All objects."""
        return [entry for entries in self._entries.values() for entry in entries.values()]

    # -- writing ---------------------------------------------------------------------------------------------------

    async def create(self, obj: JsonObject) -> bool:
        """Creates an object, with a generated name if it only says ``generateName``.

        False if the name is taken, or the namespace is gone or going.
        """
        kind = self.catalog.by_kind(obj["apiVersion"], obj["kind"])
        if kind is None:
            raise KeyError(f"no kind {obj['kind']} in {obj['apiVersion']}")
        metadata = obj["metadata"]
        if "name" not in metadata:
            metadata["name"] = generated_name(metadata["generateName"])
        namespace = metadata.get("namespace") or ""
        if namespace and not self._is_living(namespace):
            return False
        stamp_new(obj)
        key = Key(kind.resource, namespace, metadata["name"])
        try:
            await self._store.write([creation(key, obj, {})])
        except NameTaken:
            return False
        return True

    async def update(self, entry: Entry, edit: Callable[[JsonObject], None]) -> bool:
        """Lets `edit` change a copy of the object and stores it; False if that changed nothing.

        Raises `StaleRevision` if the object is no longer as in `entry`.
        """
        obj: JsonObject = orjson.loads(entry.stored.body)
        edit(obj)
        if obj == entry.obj:
            return False
        kind = self.catalog.by_resource(entry.key.resource)
        if kind is not None and spec_of(kind, obj) != spec_of(kind, entry.obj):
            obj["metadata"]["generation"] = entry.stored.generation + 1
        await self._store.write([change(entry.stored, obj, entry.stored.bookkeeping)])
        return True

    async def set_status(self, entry: Entry, status: FrozenJson) -> bool:
        """Replaces the status; False if it is the same already."""
        return await self.update(entry, lambda obj: obj.update(status=dict(status)))

    async def delete(self, entry: Entry) -> None:
        """Deletes the object, or marks it where finalizers hold it; nothing for one that is marked already."""
        if not entry.stored.deleting:
            await self._store.write([begun_deletion(entry.stored)])

    def _is_living(self, namespace: str) -> bool:
        found = self.get("namespaces", "", namespace)
        return found is not None and not found.stored.deleting

    # -- the mirror ------------------------------------------------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        self._forget(entry.key)
        if not entry.stored.deleted:
            self._entries.setdefault(entry.key.resource, {})[entry.key] = entry
            self._by_uid[entry.uid] = entry.key
            for owner in entry.owners:
                self._owned.setdefault(owner["uid"], set()).add(entry.key)
        self._on_change(entry)

    def _forget(self, key: Key) -> None:
        former = self._entries.get(key.resource, {}).pop(key, None)
        if former is None:
            return
        if self._by_uid.get(former.uid) == key:
            del self._by_uid[former.uid]
        for owner in former.owners:
            members = self._owned.get(owner["uid"], set())
            members.discard(key)
            if not members:
                self._owned.pop(owner["uid"], None)
