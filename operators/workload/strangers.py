"""What others keep in a namespace that an instance has made: what runs, is served, or holds data.

What a cluster itself puts into every namespace does not count, nor the volumes of our own StatefulSets, which
Kubernetes leaves behind on purpose, nor what is owned by something else: then the owner counts, of whatever kind it is.
Of what is looked for only metadata are read: values of Secrets are nobody's business here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from threeport.common.types import FrozenJson
from threeport.kube.cluster import Cluster
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.manifests import identity_of

KINDS: Final = (
    ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("v1", "Pod"),
    ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("batch/v1", "Job"),
    ("batch/v1", "CronJob"), ("networking.k8s.io/v1", "Ingress"),
)  # fmt: skip
"""Searched for in every namespace; beside them the kinds of the inventory."""

DEPENDENT: Final = frozenset({("apps", "ReplicaSet")})
"""(group, kind) of owners that have owners among `KINDS`, or none that keeps anything."""

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

LONGEST_CHAIN: Final = 10
"""Owners of owners that are followed."""


class Owner(NamedTuple):
    """What an object says of the one that owns it, which is in the same namespace, or in none."""

    api_version: str
    kind: str
    namespace: str | None
    name: str
    uid: str

    @property
    def group_kind(self) -> tuple[str, str]:
        """What of its kind is the same in all versions."""
        return self.api_version.rpartition("/")[0], self.kind


def kinds_with(inventory: Sequence[FrozenJson]) -> list[tuple[str, str]]:
    """What is looked for in a namespace: `KINDS`, and those of the inventory."""
    others = {(str(item["apiVersion"]), str(item["kind"])) for item in inventory if item.get("namespace")}
    return sorted({*KINDS, *others})


async def strangers_in(cluster: Cluster, namespace: str, uid: str, inventory: Sequence[FrozenJson]) -> list[str]:
    """What others than the instance with this uid keep in the namespace, as ``ConfigMap shop/theirs``."""
    kinds = kinds_with(inventory)
    lists = await asyncio.gather(
        *(
            cluster.list(
                *kind,
                namespace=namespace,
                label_selector=f"{INSTANCE_LABEL}!={uid}",
                field_selector=NOT_OF_THE_CLUSTER.get(kind, ""),
                metadata_only=True,
            )
            for kind in kinds
        )
    )
    stateful = [str(item["name"]) for item in inventory if item["kind"] == "StatefulSet"]
    found = [obj for listed in lists for obj in listed]
    looked_at = DEPENDENT | {(api_version.rpartition("/")[0], kind) for api_version, kind in kinds}
    # What is in no namespace, such as what puts a ConfigMap into each, stays when this one goes.
    owners = [one for one in await strange_owners(cluster, found, uid, looked_at) if one["metadata"].get("namespace")]
    return [str(identity_of(obj)) for obj in found if is_strange(obj, stateful)] + _names_of(owners)


async def strange_objects(cluster: Cluster, api_version: str, kind: str, uid: str) -> list[str]:
    """The objects of a kind that are there for others than the instance with this uid, or what they are there for."""
    found = await cluster.list(api_version, kind, label_selector=f"{INSTANCE_LABEL}!={uid}", metadata_only=True)
    return _names_of([obj for obj in found if is_strange(obj)] + await strange_owners(cluster, found, uid))


def is_strange(obj: FrozenJson, stateful_sets: Sequence[str] = ()) -> bool:
    """Whether an object without our label is somebody else's; `stateful_sets` are the names of ours."""
    metadata, kind = obj["metadata"], obj["kind"]
    if metadata.get("ownerReferences") or _is_on_its_way_out(obj) or kind in DERIVED:
        return False
    if (kind, metadata["name"]) in OF_EVERY_NAMESPACE:
        return False
    if kind == "PersistentVolumeClaim":
        return not any(re.fullmatch(rf".+-{re.escape(name)}-\d+", metadata["name"]) for name in stateful_sets)
    return True


def owners_of(obj: FrozenJson) -> list[Owner]:
    """What the object says of its owners."""
    metadata = obj["metadata"]
    return [
        Owner(one["apiVersion"], one["kind"], metadata.get("namespace"), one["name"], one["uid"])
        for one in metadata.get("ownerReferences") or ()
    ]


async def strange_owners(
    cluster: Cluster, objects: Iterable[FrozenJson], uid: str, looked_at: frozenset[tuple[str, str]] = frozenset()
) -> list[FrozenJson]:
    """What owns `objects` in the end and is not ours; not of the (group, kind) that are `looked_at` anyway."""
    strange: list[FrozenJson] = []
    theirs = [obj for obj in objects if not _is_on_its_way_out(obj)]
    for _ in range(LONGEST_CHAIN):
        owners = {owner for obj in theirs for owner in owners_of(obj) if owner.group_kind not in looked_at}
        found = await asyncio.gather(*(_find(cluster, owner) for owner in owners))
        theirs = [obj for obj in found if obj is not None and _label_of(obj) != uid and not _is_on_its_way_out(obj)]
        strange += [obj for obj in theirs if not owners_of(obj)]
    return strange


async def _find(cluster: Cluster, owner: Owner) -> FrozenJson | None:
    found = await cluster.get(owner.api_version, owner.kind, owner.name, owner.namespace)
    return found if found is not None and found["metadata"]["uid"] == owner.uid else None


def _names_of(objects: Iterable[FrozenJson]) -> list[str]:
    return sorted({str(identity_of(obj)) for obj in objects})


def _label_of(obj: FrozenJson) -> str | None:
    label: str | None = (obj["metadata"].get("labels") or {}).get(INSTANCE_LABEL)
    return label


def _is_on_its_way_out(obj: FrozenJson) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))
