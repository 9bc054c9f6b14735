"""StatefulSets: numbered pods, each with its own volumes, made in order and replaced from the highest down."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.controllers.pods import count, is_ready, new_pod, phase_of, template_hash
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE: Final = "statefulsets.apps"
REVISION_LABEL: Final = "controller-revision-hash"


class StatefulSets:
    """Takes one step at a time: the next pod is made when the one before is ready."""

    resources = (RESOURCE, "pods")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The StatefulSet itself, or the one that owns the pod."""
        return itself_or_owner(RESOURCE, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """One pod made, or one deleted, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        await self._step(entry, world)
        current = world.find(key)
        if current is not None:
            await world.set_status(current, _status(current, world.owned(current.uid, "pods")))
        return None

    async def _step(self, entry: Entry, world: World) -> None:
        wanted = entry.obj["spec"].get("replicas", 1)
        pods = {pod.key.name: pod for pod in world.owned(entry.uid, "pods")}
        names = [f"{entry.key.name}-{number}" for number in range(wanted)]
        at_once = entry.obj["spec"].get("podManagementPolicy") == "Parallel"
        for number, name in enumerate(names):
            pod = pods.get(name)
            if pod is None:
                await self._make(entry, number, world)
            elif phase_of(pod) == "Failed":
                await world.delete(pod)
            if not at_once and (pod is None or not is_ready(pod)):
                break
        for name in sorted(set(pods) - set(names)):
            await world.delete(pods[name])
        await self._replace(entry, [pods[name] for name in names if name in pods], world)

    async def _make(self, entry: Entry, number: int, world: World) -> None:
        name = f"{entry.key.name}-{number}"
        pod = new_pod(
            entry,
            template=entry.obj["spec"]["template"],
            name=name,
            labels={REVISION_LABEL: _revision(entry), "statefulset.kubernetes.io/pod-name": name},
        )
        volumes = pod["spec"].setdefault("volumes", [])
        for claim in entry.obj["spec"].get("volumeClaimTemplates") or ():
            claim_name = f"{claim['metadata']['name']}-{name}"
            await world.create(_claim(entry, claim, claim_name))
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
        await world.create(pod)

    async def _replace(self, entry: Entry, pods: Sequence[Entry], world: World) -> None:
        """Deletes the highest pod of an older template, once all above it are ready again."""
        strategy = entry.obj["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
        for pod in reversed(pods[partition:]):
            if (pod.obj["metadata"].get("labels") or {}).get(REVISION_LABEL) != _revision(entry):
                await world.delete(pod)
                return
            if not is_ready(pod):
                return


def _status(entry: Entry, pods: Sequence[Entry]) -> JsonObject:
    counts, revision = count(pods), _revision(entry)
    updated = [pod for pod in pods if (pod.obj["metadata"].get("labels") or {}).get(REVISION_LABEL) == revision]
    done = len(updated) == len(pods) == entry.obj["spec"].get("replicas", 1)
    former = (entry.obj.get("status") or {}).get("currentRevision") or revision
    return {
        "observedGeneration": entry.stored.generation,
        "replicas": counts.all,
        "readyReplicas": counts.ready,
        "availableReplicas": counts.ready,
        "currentReplicas": counts.all,
        "updatedReplicas": len(updated),
        "currentRevision": revision if done else former,
        "updateRevision": revision,
    }


def _claim(entry: Entry, template: JsonObject, name: str) -> JsonObject:
    labels = (entry.obj["spec"].get("selector") or {}).get("matchLabels") or {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": entry.key.namespace, "labels": dict(labels)},
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def _revision(entry: Entry) -> str:
    return f"{entry.key.name}-{template_hash(entry.obj['spec']['template'])}"[:63]
