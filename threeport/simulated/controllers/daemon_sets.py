"""DaemonSets: one pod per node, and there is one node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.simulated.controllers.pod_sets import PodSets
from threeport.simulated.controllers.pods import count, is_living, new_pod, template_hash
from threeport.simulated.world import Entry, World

GENERATION_LABEL: Final = "controller-revision-hash"


class DaemonSets(PodSets):
    """Keeps one pod of the newest template."""

    resource = "daemonsets.apps"

    async def step(self, entry: Entry, world: World) -> None:
        """Replaces the pod if it is of an older template, makes it if there is none."""
        revision = template_hash(entry.obj["spec"]["template"])
        pods = world.owned(entry.uid, "pods")
        current = [pod for pod in pods if (pod.obj["metadata"].get("labels") or {}).get(GENERATION_LABEL) == revision]
        for pod in pods:
            if pod not in current or not is_living(pod):
                await world.delete(pod)
        if not any(is_living(pod) for pod in current):
            await world.create(
                new_pod(entry, template=entry.obj["spec"]["template"], labels={GENERATION_LABEL: revision})
            )

    def status_of(self, entry: Entry, pods: Sequence[Entry]) -> JsonObject:
        """Counts by node."""
        counts = count(pods)
        return {
            "observedGeneration": entry.stored.generation,
            "desiredNumberScheduled": 1,
            "currentNumberScheduled": counts.all,
            "updatedNumberScheduled": counts.all,
            "numberReady": counts.ready,
            "numberAvailable": counts.ready,
            "numberMisscheduled": 0,
        }
