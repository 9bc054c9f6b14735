"""What others keep in a namespace that an instance has made: the namespace then stays, and is no longer ours.

Deleting a namespace deletes all that is in it. So before one goes, it is searched for what somebody else has put
there: what runs, is served, or holds data. What a cluster itself puts into every namespace does not count, nor what
is owned by something else, nor the volumes of our own StatefulSets, which Kubernetes leaves behind on purpose. Only
metadata are read: values of Secrets are nobody's business here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final

from operators.workload.inventory import id_of
from operators.workload.plan import Live
from threeport.common.types import FrozenJson
from threeport.kube.cluster import Cluster
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.manifests import ObjectId, identity_of

KINDS: Final = (
    ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("v1", "Pod"),
    ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("batch/v1", "Job"),
    ("batch/v1", "CronJob"), ("networking.k8s.io/v1", "Ingress"),
)  # fmt: skip
"""Searched for in every namespace; beside them the kinds of the inventory."""

OF_EVERY_NAMESPACE: Final = frozenset({
    ("ConfigMap", "kube-root-ca.crt"), ("ConfigMap", "istio-ca-root-cert"), ("ConfigMap", "openshift-service-ca.crt"),
    ("ServiceAccount", "default"), ("ServiceAccount", "builder"), ("ServiceAccount", "deployer"),
    ("RoleBinding", "system:deployers"), ("RoleBinding", "system:image-builders"),
    ("RoleBinding", "system:image-pullers"),
})  # fmt: skip
"""(kind, name) of what clusters put into every namespace, those of OpenShift and Istio included."""

NOT_OF_THE_CLUSTER: Final = {("v1", "Secret"): "type!=kubernetes.io/service-account-token"}
"""Selectors of fields, for kinds of which metadata do not tell what a cluster makes by itself."""

DERIVED: Final = frozenset({"Endpoints", "EndpointSlice", "Event"})
"""Kinds that clusters write about other objects, not always with an owner."""

_NAMED: Final = 5
"""How many objects a message names."""


async def spare_shared(
    cluster: Cluster,
    items: Sequence[FrozenJson],
    live: Live,
    uid: str,
    inventory: Sequence[FrozenJson],
    check_lease: Callable[[], None],
) -> dict[ObjectId, str]:
    """Gives up those namespaces among `items` in which others keep something: they lose our labels.

    Returns for each the sentence that says why.
    """
    spared = await shared_namespaces(cluster, items, live, uid, inventory)
    for identity in spared:
        check_lease()
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": identity.name}})
    return spared


async def shared_namespaces(
    cluster: Cluster, items: Sequence[FrozenJson], live: Live, uid: str, inventory: Sequence[FrozenJson]
) -> dict[ObjectId, str]:
    """Those namespaces among `items` in which others keep something, each with the sentence that says what."""
    shared: dict[ObjectId, str] = {}
    for item in items:
        identity = id_of(item)
        found = live.get(identity)
        if item["kind"] != "Namespace" or found is None or found["metadata"].get("deletionTimestamp"):
            continue
        if theirs := await _strangers_in(cluster, item["name"], uid, inventory):
            more = f" and {len(theirs) - _NAMED} more" if len(theirs) > _NAMED else ""
            shared[identity] = f"{identity} stays, since others keep {', '.join(theirs[:_NAMED])}{more} in it"
    return shared


def kinds_with(inventory: Sequence[FrozenJson]) -> list[tuple[str, str]]:
    """What is looked for in a namespace: `KINDS`, and those of the inventory."""
    others = {(str(item["apiVersion"]), str(item["kind"])) for item in inventory if item.get("namespace")}
    return sorted({*KINDS, *others})


async def _strangers_in(cluster: Cluster, namespace: str, uid: str, inventory: Sequence[FrozenJson]) -> list[str]:
    lists = await asyncio.gather(
        *(
            cluster.list(
                *kind,
                namespace=namespace,
                label_selector=f"{INSTANCE_LABEL}!={uid}",
                field_selector=NOT_OF_THE_CLUSTER.get(kind, ""),
                metadata_only=True,
            )
            for kind in kinds_with(inventory)
        )
    )
    stateful = [str(item["name"]) for item in inventory if item["kind"] == "StatefulSet"]
    return [str(identity_of(obj)) for found in lists for obj in found if is_strange(obj, stateful)]


def is_strange(obj: FrozenJson, stateful_sets: Sequence[str]) -> bool:
    """Whether an object without our label is somebody else's; `stateful_sets` are the names of ours."""
    metadata, kind = obj["metadata"], obj["kind"]
    if metadata.get("ownerReferences") or metadata.get("deletionTimestamp") or kind in DERIVED:
        return False
    if (kind, metadata["name"]) in OF_EVERY_NAMESPACE:
        return False
    if kind == "PersistentVolumeClaim":
        return not any(re.fullmatch(rf".+-{re.escape(name)}-\d+", metadata["name"]) for name in stateful_sets)
    return True
