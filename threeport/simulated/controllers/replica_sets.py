"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

from collections.abc import Iterable

from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.controllers.pods import HASH_LABEL, count, is_living, is_ready, new_pod
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE = "replicasets.apps"


class ReplicaSets:
    """Creates and deletes pods until there are as many as `spec.replicas`, and counts them in the status."""

    resources = (RESOURCE, "pods")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The ReplicaSet itself, or the one that owns the pod."""
        return itself_or_owner(RESOURCE, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """One step: pods first, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        wanted = entry.obj["spec"].get("replicas", 1)
        pods = world.owned(entry.uid, "pods")
        living = [pod for pod in pods if is_living(pod)]
        for _ in range(wanted - len(living)):
            await world.create(new_pod(entry, template=entry.obj["spec"]["template"], labels=_hash_of(entry)))
        surplus = sorted(living, key=is_ready)[: max(0, len(living) - wanted)]
        for pod in surplus:
            await world.delete(pod)
        counts = count(world.owned(entry.uid, "pods"))
        entry = world.find(key)
        if entry is not None:
            await world.set_status(
                entry,
                {
                    "replicas": counts.all,
                    "fullyLabeledReplicas": counts.all,
                    "readyReplicas": counts.ready,
                    "availableReplicas": counts.ready,
                    "observedGeneration": entry.stored.generation,
                },
            )
        return None


def _hash_of(entry: Entry) -> dict[str, str]:
    labels = entry.obj["metadata"].get("labels") or {}
    return {HASH_LABEL: labels[HASH_LABEL]} if HASH_LABEL in labels else {}
