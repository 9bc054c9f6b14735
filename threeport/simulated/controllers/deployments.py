"""Deployments: one ReplicaSet per template, the newest scaled up, the others down."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.controllers.pods import HASH_LABEL, owner_reference, set_condition, template_hash
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE: Final = "deployments.apps"
REPLICA_SETS: Final = "replicasets.apps"
REVISION: Final = "deployment.kubernetes.io/revision"


class Deployments:
    """Rolls out the template: all new pods at once, old ones go as new ones become available (or first: Recreate)."""

    resources = (RESOURCE, REPLICA_SETS)

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The Deployment itself, or the one that owns the ReplicaSet."""
        return itself_or_owner(RESOURCE, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """One step of the rollout, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        sets = world.owned(entry.uid, REPLICA_SETS)
        new = next((one for one in sets if one.key.name == _name_of(entry)), None)
        if new is None and not entry.obj["spec"].get("paused"):
            await world.create(_replica_set(entry, revision=1 + max((_revision(one) for one in sets), default=0)))
            return 0.0
        old = [one for one in sets if one is not new]
        if not entry.obj["spec"].get("paused"):
            await self._scale(entry, new, old, world)
            await self._drop_history(entry, old, world)
        await self._report(key, world)
        return None

    async def _scale(self, entry: Entry, new: Entry | None, old: Sequence[Entry], world: World) -> None:
        wanted = entry.obj["spec"].get("replicas", 1)
        if new is None:
            return
        if (entry.obj["spec"].get("strategy") or {}).get("type") == "Recreate":
            for one in old:
                await _set_replicas(one, 0, world)
            if any(_count(one, "replicas") for one in old):
                return
        await _set_replicas(new, wanted, world)
        still_needed = max(0, wanted - _count(new, "availableReplicas"))
        for one in sorted(old, key=_revision, reverse=True):
            kept = min(still_needed, one.obj["spec"].get("replicas", 1))
            await _set_replicas(one, kept, world)
            still_needed -= kept

    async def _drop_history(self, entry: Entry, old: Sequence[Entry], world: World) -> None:
        limit = entry.obj["spec"].get("revisionHistoryLimit", 10)
        empty = [one for one in sorted(old, key=_revision) if not _count(one, "replicas")]
        for one in empty[: max(0, len(empty) - limit)]:
            await world.delete(one)

    async def _report(self, key: Key, world: World) -> None:
        entry = world.find(key)
        if entry is None:
            return
        sets = world.owned(entry.uid, REPLICA_SETS)
        new = next((one for one in sets if one.key.name == _name_of(entry)), None)
        await world.set_status(entry, _status(entry, new, sets))


def _status(entry: Entry, new: Entry | None, sets: Sequence[Entry]) -> JsonObject:
    wanted = entry.obj["spec"].get("replicas", 1)
    total, ready = sum(_count(one, "replicas") for one in sets), sum(_count(one, "readyReplicas") for one in sets)
    updated = _count(new, "replicas") if new else 0
    status: JsonObject = {
        "observedGeneration": entry.stored.generation,
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
        "conditions": (entry.obj.get("status") or {}).get("conditions") or [],
    }
    now = timestamp()
    enough = ready >= wanted - wanted // 4
    availability = "Available" if enough else "Unavailable"
    set_condition(
        status, "Available", value=enough, reason=f"MinimumReplicas{availability}",
        message=f"Deployment {'has' if enough else 'does not have'} minimum availability.", now=now,
    )  # fmt: skip
    done = new is not None and updated == wanted == total and _count(new, "availableReplicas") >= wanted
    name = f'ReplicaSet "{_name_of(entry)}"'
    set_condition(
        status, "Progressing", value=True, reason="NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
        message=f"{name} has successfully progressed." if done else f"{name} is progressing.", now=now,
    )  # fmt: skip
    return status


def _replica_set(entry: Entry, *, revision: int) -> JsonObject:
    spec = entry.obj["spec"]
    template = copy.deepcopy(spec["template"])
    digest = template_hash(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    selector = {**spec["selector"], "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH_LABEL: digest}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": _name_of(entry),
            "namespace": entry.key.namespace,
            "labels": labels,
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [owner_reference(entry, "apps/v1", "Deployment")],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }


def _name_of(entry: Entry) -> str:
    return f"{entry.key.name}-{template_hash(entry.obj['spec']['template'])}"


def _revision(replica_set: Entry) -> int:
    return int((replica_set.obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def _count(replica_set: Entry, field: str) -> int:
    return int((replica_set.obj.get("status") or {}).get(field) or 0)


async def _set_replicas(replica_set: Entry, wanted: int, world: World) -> None:
    if replica_set.obj["spec"].get("replicas", 1) != wanted:
        await world.update(replica_set, lambda obj: obj["spec"].update(replicas=wanted))
