"""What there is in the cluster of one instance: one list per kind, by label, whatever the number of objects."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live
from operators.workload.rendering import scopes_from_definitions
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import KindUnknown
from threeport.kube.labels import INSTANCE_LABEL


async def observe(cluster: Cluster, items: Iterable[FrozenJson], uid: str) -> Live:
    """The objects of the instance among all objects of the kinds in `items` (manifests or items of an inventory)."""
    kinds = {(str(item["apiVersion"]).rpartition("/")[0], item["kind"]): item["apiVersion"] for item in items}
    lists = await asyncio.gather(
        *(
            cluster.list(api_version, kind, label_selector=f"{INSTANCE_LABEL}={uid}")
            for (_, kind), api_version in kinds.items()
        )
    )
    return {id_of(item_of(obj)): obj for found in lists for obj in found}


async def scopes_of(cluster: Cluster, manifests: list[JsonObject]) -> dict[tuple[str, str], bool]:
    """Which kinds of the manifests are namespaced, as the cluster says, or as the manifests themselves define."""
    scopes: dict[tuple[str, str], bool] = {}
    for api_version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}):
        try:
            scopes[api_version, kind] = await cluster.is_namespaced(api_version, kind)
        except KindUnknown:
            continue
    return {**scopes_from_definitions(manifests), **scopes}
