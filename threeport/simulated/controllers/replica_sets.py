"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

from collections.abc import Sequence

from threeport.common.types import JsonObject
from threeport.simulated.controllers.pod_sets import PodSets
from threeport.simulated.controllers.pods import HASH_LABEL, count, is_living, is_ready, new_pod
from threeport.simulated.world import Entry, World


class ReplicaSets(PodSets):
    """Creates and deletes pods until there are as many as `spec.replicas`, and counts them in the status."""

    resource = "replicasets.apps"

    async def step(self, entry: Entry, world: World) -> None:
        """Makes the pods that are missing, deletes those that are too many."""
        wanted = entry.obj["spec"].get("replicas", 1)
        living = [pod for pod in world.owned(entry.uid, "pods") if is_living(pod)]
        for _ in range(wanted - len(living)):
            await world.create(new_pod(entry, template=entry.obj["spec"]["template"], labels=_hash_of(entry)))
        surplus = sorted(living, key=is_ready)[: max(0, len(living) - wanted)]
        for pod in surplus:
            await world.delete(pod)

    def status_of(self, entry: Entry, pods: Sequence[Entry]) -> JsonObject:
        """Counts of pods that are there to stay."""
        counts = count(pods)
        return {
            "replicas": counts.all,
            "fullyLabeledReplicas": counts.all,
            "readyReplicas": counts.ready,
            "availableReplicas": counts.ready,
            "observedGeneration": entry.stored.generation,
        }


def _hash_of(entry: Entry) -> dict[str, str]:
    labels = entry.obj["metadata"].get("labels") or {}
    return {HASH_LABEL: labels[HASH_LABEL]} if HASH_LABEL in labels else {}
