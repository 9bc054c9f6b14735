"""DaemonSets: one pod per node, and there is one node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.controllers.pods import count, is_living, new_pod, template_hash
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE: Final = "daemonsets.apps"
GENERATION_LABEL: Final = "controller-revision-hash"


class DaemonSets:
    """Keeps one pod of the newest template."""

    resources = (RESOURCE, "pods")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The DaemonSet itself, or the one that owns the pod."""
        return itself_or_owner(RESOURCE, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Replaces the pod if it is of an older template, makes it if there is none, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
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
        counts = count(world.owned(entry.uid, "pods"))
        entry = world.find(key)
        if entry is not None:
            await world.set_status(
                entry,
                {
                    "observedGeneration": entry.stored.generation,
                    "desiredNumberScheduled": 1,
                    "currentNumberScheduled": counts.all,
                    "updatedNumberScheduled": counts.all,
                    "numberReady": counts.ready,
                    "numberAvailable": counts.ready,
                    "numberMisscheduled": 0,
                },
            )
        return None
