"""Telling the agent of a cluster what belongs to an instance: the ThreeportWorkload, and the right to look at it."""

from __future__ import annotations

from operators.workload.inventory import applied_item_of, digest_in
from operators.workload.placement import Place
from operators.workload.rendering import Desired
from threeport.common.types import FrozenJson
from threeport.controller.cycle import Waiting
from threeport.kube.agent_manifests import read_group_manifests
from threeport.kube.errors import Rejected
from threeport.kube.labels import RUNTIME_LABEL
from threeport.kube.manifest import drifted_fields, is_current, prepared
from threeport.kube.threeport_workload import threeport_workload_kind, threeport_workload_name


async def tell_agent(place: Place, instance: FrozenJson, desired: Desired, *, is_new: bool) -> None:
    """Writes what has changed, if anything. After the objects, since a report on them is a report on this digest.

    Of an instance that `is_new` there is nothing to look for: its object has its uid in its name. Raises `Waiting` if
    the cluster refuses it: its manifest is ours, and so is the kind, of a former version after an upgrade.
    """
    kind, metadata = threeport_workload_kind(), instance["metadata"]
    groups = {str(manifest["apiVersion"]).rpartition("/")[0] for manifest in desired.manifests}
    manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {
            "name": threeport_workload_name(metadata["name"], metadata["uid"]),
            "labels": {"app.kubernetes.io/managed-by": "threeport", RUNTIME_LABEL: place.runtime},
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
            "resources": [{**applied_item_of(one), "digest": digest_in(one)} for one in desired.manifests],
        },
    }
    for one in read_group_manifests(groups):
        await _ensure(place, one)
    try:
        await (place.cluster.apply(prepared(manifest)) if is_new else _ensure(place, manifest))
    except Rejected as error:
        message = f"applied; waits until runtime {place.runtime} has the present version of {kind.kind}: {error}"
        raise Waiting("AgentNotInstalled", message, first=1, longest=60) from None


async def _ensure(place: Place, manifest: FrozenJson) -> None:
    wanted, metadata = prepared(manifest), manifest["metadata"]
    found = await place.cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"])
    if found is None or not is_current(wanted, found) or drifted_fields(wanted, found):
        await place.cluster.apply(wanted)
