"""StatefulSets: numbered pods, each with its own volumes, made in order and replaced from the highest down."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.simulated.controllers.pod_sets import PodSets
from threeport.simulated.controllers.pods import count, is_ready, new_pod, phase_of, template_hash
from threeport.simulated.world import Entry, World

REVISION_LABEL: Final = "controller-revision-hash"


class StatefulSets(PodSets):
    """Takes one step at a time: the next pod is made when the one before is ready."""

    resource = "statefulsets.apps"

    async def step(self, entry: Entry, world: World) -> None:
        """One pod made, or one deleted."""
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

    def status_of(self, entry: Entry, pods: Sequence[Entry]) -> JsonObject:
        """Counts, and which revisions the pods are of."""
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
