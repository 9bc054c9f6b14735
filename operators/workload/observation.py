"""What there is in the cluster of one instance: a list per kind and namespace, by label, whatever their number.

In one namespace, since kube-apiserver goes through all objects of what is listed: with a thousand instances in a
cluster that is the difference between five objects and five thousand, for each look at each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live
from operators.workload.rendering import scopes_from_definitions
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import KindUnknown
from threeport.kube.labels import INSTANCE_LABEL


async def observe(cluster: Cluster, items: Iterable[FrozenJson], uid: str) -> Live:
    """Those of the `items` (manifests, or items of an inventory) that are there and belong to the instance."""
    selector = f"{INSTANCE_LABEL}={uid}"
    lists = await asyncio.gather(
        *(
            cluster.list(where.api_version, where.kind, label_selector=selector, namespace=where.namespace, name=name)
            for where, name in places_of(items).items()
        )
    )
    return {id_of(item_of(obj)): obj for found in lists for obj in found}


class Where(NamedTuple):
    """What one list shows: the objects of a kind in one namespace, or those that are in none."""

    api_version: str
    kind: str
    namespace: str | None


def places_of(items: Iterable[FrozenJson]) -> dict[Where, str]:
    """What to list to see all `items`, with the name of the one that it is about; empty if there are several."""
    versions: dict[tuple[str, str], str] = {}
    found: dict[Where, set[str]] = {}
    for item in items:
        metadata = item.get("metadata") or item
        group = str(item["apiVersion"]).rpartition("/")[0]
        version = versions.setdefault((group, item["kind"]), item["apiVersion"])
        found.setdefault(Where(version, item["kind"], metadata.get("namespace")), set()).add(metadata["name"])
    return {where: names.pop() if len(names) == 1 else "" for where, names in found.items()}


async def scopes_of(cluster: Cluster, manifests: list[JsonObject]) -> dict[tuple[str, str], bool]:
    """Which kinds of the manifests are namespaced, as the cluster says, or as the manifests themselves define."""
    scopes: dict[tuple[str, str], bool] = {}
    for api_version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}):
        try:
            scopes[api_version, kind] = await cluster.is_namespaced(api_version, kind)
        except KindUnknown:
            continue
    return {**scopes_from_definitions(manifests), **scopes}
