"""Garbage collection: what has lost its owners goes, and an owner deleted in the foreground waits for what it owns.

Nothing of it is remembered: which owners are gone or going, and what they own, is asked of the store. So it does not
matter which process collects, that several do, or that one dies in the middle; a sweep finds what was left undone.
Source: Kubernetes, "Garbage Collection", and its ``attemptToDeleteItem``.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Mapping, Sequence

import orjson

from threeport.common.types import JsonObject
from threeport.krm.batches import write_each
from threeport.krm.deletion import FOREGROUND, ORPHAN, begun_deletion
from threeport.krm.drafts import change
from threeport.krm.references import targets_of
from threeport.krm.services import Services
from threeport.resources.kind import Catalog
from threeport.store.ownership import Ownership
from threeport.store.records import StoredObject, StoreUnavailable, Write

logger = logging.getLogger(__name__)

_GATHERING = 0.05
"""Seconds in which further deletions are gathered, to look at them together."""
_AGAIN = 1.0
"""Seconds until owners that wait for something are looked at again."""
_SWEEP_PERIOD = 30.0
"""Seconds, on average, between sweeps for what another process has left undone."""
_AT_ONCE = 500


class GarbageCollector:
    """Looks after owners that are gone or going, and after what they own."""

    def __init__(self, services: Services, ownership: Ownership) -> None:
        self._services = services
        self._ownership = ownership
        self._uids: dict[str, None] = {}
        self._wake = asyncio.Event()

    def notice(self, objects: Iterable[StoredObject]) -> None:
        """These have been written: those on their way out may leave something behind, or be waited for."""
        for obj in objects:
            if obj.deleted or obj.deleting:
                self._uids[obj.uid] = None
            if obj.deleted:
                self._uids |= dict.fromkeys(_owner_uids(obj))
        if self._uids:
            self._wake.set()

    async def run(self) -> None:
        """Collects until cancelled."""
        next_sweep = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            try:
                if clock() >= next_sweep:
                    next_sweep = clock() + _SWEEP_PERIOD * random.uniform(0.5, 1.5)
                    found = await self._ownership.unsettled((FOREGROUND, ORPHAN), limit=_AT_ONCE)
                    self._uids |= dict.fromkeys(found)
                await self._collect_noticed()
            except StoreUnavailable:
                logger.info("Nothing can be collected while the database is away")
            except Exception:
                logger.exception("Garbage collection failed; it is tried again")
            await self._pause(next_sweep - clock())

    async def _pause(self, until_sweep: float) -> None:
        try:
            async with asyncio.timeout(_AGAIN if self._uids else max(until_sweep, 0)):
                await self._wake.wait()
            await asyncio.sleep(_GATHERING)
        except TimeoutError:
            pass

    async def _collect_noticed(self) -> None:
        self._wake.clear()
        noticed, self._uids = list(self._uids), {}
        for start in range(0, len(noticed), _AT_ONCE):
            part = noticed[start : start + _AT_ONCE]
            try:
                self._uids |= dict.fromkeys(await self.collect(part))
            except Exception:
                self._uids |= dict.fromkeys(part)
                raise

    async def collect(self, uids: Sequence[str]) -> list[str]:
        """One step for everything that these own. Returns those of them that have to be looked at again."""
        owned = await self._ownership.owned(uids)
        owners = await self._ownership.living({*uids, *(uid for obj in owned for uid in _owner_uids(obj))})
        writes = [write for obj in owned if (write := _verdict(self._services.catalog, obj, owners))]
        failures = await write_each(self._services.store, writes)
        failed = {failure.write.uid for failure in failures}
        self.notice(write.outcome(0) for write in writes if write.uid not in failed)
        left = {uid for obj in owned if obj.uid in failed for uid in _owner_uids(obj)} & set(uids)
        return [*left, *await self._release(uids)]

    async def _release(self, uids: Sequence[str]) -> list[str]:
        """Lets those owners go whom only their foreground or orphaning deletion holds. Returns those held still."""
        held = [obj for obj in (await self._ownership.living(uids)).values() if _policy(obj)]
        blocked = {
            reference["uid"]
            for obj in await self._ownership.owned([owner.uid for owner in held])
            for reference in _owner_references(obj)
            if reference.get("blockOwnerDeletion") or _policy(owner_of(reference, held)) == ORPHAN
        }
        writes = [_without_finalizer(obj) for obj in held if obj.uid not in blocked]
        failed = {failure.write.uid for failure in await write_each(self._services.store, writes)}
        self.notice(write.outcome(0) for write in writes if write.uid not in failed)
        return [obj.uid for obj in held if obj.uid in blocked or obj.uid in failed]


def owner_of(reference: Mapping[str, object], owners: Sequence[StoredObject]) -> StoredObject | None:
    """The owner that a reference speaks of, if it is one of these."""
    return next((owner for owner in owners if owner.uid == reference["uid"]), None)


def _verdict(catalog: Catalog, obj: StoredObject, owners: Mapping[str, StoredObject]) -> Write | None:
    """What is to become of an owned object: its deletion, a change that takes owners off it, or nothing."""
    references = _owner_references(obj)
    policies = {one["uid"]: _policy(owners.get(one["uid"])) for one in references}
    lost = [one for one in references if _is_lost(catalog, one, owners)]
    orphaned = [one for one in references if policies[one["uid"]] == ORPHAN]
    waiting = [one for one in references if policies[one["uid"]] == FOREGROUND]
    staying = [one for one in references if one not in [*lost, *orphaned, *waiting]]
    if orphaned:
        return _with_owners(catalog, obj, [one for one in references if one not in orphaned])
    if staying and (lost or waiting):
        return _with_owners(catalog, obj, staying)
    if obj.deleting or not (lost or waiting):
        return None
    return begun_deletion(obj, FOREGROUND if waiting else None)


def _is_lost(catalog: Catalog, reference: JsonObject, owners: Mapping[str, StoredObject]) -> bool:
    """Whether the owner is gone. One of a kind that is not served here may live elsewhere."""
    known = catalog.by_kind(str(reference.get("apiVersion")), str(reference.get("kind")))
    return known is not None and reference["uid"] not in owners


def _policy(owner: StoredObject | None) -> str | None:
    """The finalizer by which a deleted owner waits for the collector, if it does."""
    if owner is None or not owner.deleting:
        return None
    finalizers = owner.decoded()["metadata"].get("finalizers") or ()
    return next((policy for policy in (ORPHAN, FOREGROUND) if policy in finalizers), None)


def _with_owners(catalog: Catalog, obj: StoredObject, references: list[JsonObject]) -> Write:
    changed: JsonObject = orjson.loads(obj.body)
    changed["metadata"]["ownerReferences"] = references
    if not references:
        del changed["metadata"]["ownerReferences"]
    kind = catalog.by_resource(obj.key.resource)
    return change(obj, changed, obj.bookkeeping, references=targets_of(kind, changed) if kind else None)


def _without_finalizer(owner: StoredObject) -> Write:
    changed: JsonObject = orjson.loads(owner.body)
    finalizers = changed["metadata"]["finalizers"]
    changed["metadata"]["finalizers"] = [name for name in finalizers if name not in (ORPHAN, FOREGROUND)]
    return change(owner, changed, owner.bookkeeping)


def _owner_references(obj: StoredObject) -> list[JsonObject]:
    references: list[JsonObject] = obj.decoded()["metadata"].get("ownerReferences") or []
    return references


def _owner_uids(obj: StoredObject) -> list[str]:
    # Most objects have no owner, and looking into the text is a hundredth of decoding it.
    return [one["uid"] for one in _owner_references(obj)] if '"ownerReferences"' in obj.body else []
