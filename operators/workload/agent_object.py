"""Telling the agent of a cluster what belongs to an instance: the ThreeportWorkload, and the right to look at it."""

from __future__ import annotations

from operators.workload.inventory import item_of
from operators.workload.placement import Place
from operators.workload.rendering import Desired
from threeport.common.types import FrozenJson
from threeport.kube.agent_manifests import read_group_manifests
from threeport.kube.manifest import drifted_fields, is_current, prepared
from threeport.kube.threeport_workload import threeport_workload_kind, threeport_workload_name


async def tell_agent(place: Place, instance: FrozenJson, desired: Desired) -> None:
    """Writes what has changed, if anything. After the objects, since a report on them is a report on this digest."""
    kind, metadata = threeport_workload_kind(), instance["metadata"]
    groups = {str(manifest["apiVersion"]).rpartition("/")[0] for manifest in desired.manifests}
    manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {
            "name": threeport_workload_name(metadata["name"], metadata["uid"]),
            "labels": {"app.kubernetes.io/managed-by": "threeport"},
        },
        "spec": {
            "instance": {
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "generation": metadata.get("generation"),
            },
            "runtime": place.runtime,
            "appliedHash": desired.digest,
            "resources": [item_of(one) for one in desired.manifests],
        },
    }
    for one in [*read_group_manifests(groups), manifest]:
        await _ensure(place, one)


async def _ensure(place: Place, manifest: FrozenJson) -> None:
    wanted, metadata = prepared(manifest), manifest["metadata"]
    found = await place.cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"])
    if found is None or not is_current(wanted, found) or drifted_fields(wanted, found):
        await place.cluster.apply(wanted)
