"""What there is in the cluster of one instance: a list per kind and namespace, by label, whatever their number.

In one namespace, since kube-apiserver goes through all objects of what is listed: with a thousand instances in a
cluster that is the difference between five objects and five thousand, for each look at each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live
from operators.workload.rendering import scopes_from_definitions
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError, ClusterUnreachable, KindUnknown
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.manifests import ObjectId


class Sight(NamedTuple):
    """What was seen of an instance in its cluster."""

    live: Live
    hidden: Mapping[ObjectId, ClusterError]
    """What could not be looked at: the cluster fails to list its kind, or does not let us."""


NOTHING: Final = Sight({}, {})


async def look_at(cluster: Cluster, items: Iterable[FrozenJson], uid: str) -> Sight:
    """Those of the `items` (manifests, or items of an inventory) that are there and belong to the instance.

    Raises `ClusterUnreachable`. That one kind cannot be listed, as while its server or its webhook is down, says
    nothing of the others.
    """
    items = list(items)
    selector, places = f"{INSTANCE_LABEL}={uid}", places_of(items)
    lists = await asyncio.gather(
        *(
            cluster.list(where.api_version, where.kind, label_selector=selector, namespace=where.namespace, name=name)
            for where, name in places.items()
        ),
        return_exceptions=True,
    )
    live, failed = dict[ObjectId, JsonObject](), dict[tuple[str, str, str], ClusterError]()
    for where, found in zip(places, lists, strict=True):
        if isinstance(found, ClusterError) and not isinstance(found, ClusterUnreachable):
            failed[_group_of(where.api_version), where.kind, where.namespace or ""] = found
        elif isinstance(found, BaseException):
            raise found
        else:
            live.update((id_of(item_of(obj)), obj) for obj in found)
    named = [id_of(item_of(item) if "metadata" in item else item) for item in items]
    return Sight(live, {one: failed[one[:3]] for one in named if one[:3] in failed})


async def observe(cluster: Cluster, items: Iterable[FrozenJson], uid: str) -> Live:
    """As `look_at`, for who has to see all of them. Raises what hides one."""
    sight = await look_at(cluster, items, uid)
    for error in sight.hidden.values():
        raise error
    return sight.live


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
        version = versions.setdefault((_group_of(item["apiVersion"]), item["kind"]), item["apiVersion"])
        found.setdefault(Where(version, item["kind"], metadata.get("namespace")), set()).add(metadata["name"])
    return {where: names.pop() if len(names) == 1 else "" for where, names in found.items()}


def _group_of(api_version: str) -> str:
    return api_version.rpartition("/")[0]


async def scopes_of(cluster: Cluster, manifests: list[JsonObject]) -> dict[tuple[str, str], bool]:
    """Which kinds of the manifests are namespaced, as the cluster says, or as the manifests themselves define."""
    scopes: dict[tuple[str, str], bool] = {}
    for api_version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}):
        try:
            scopes[api_version, kind] = await cluster.is_namespaced(api_version, kind)
        except KindUnknown:
            continue
    return {**scopes_from_definitions(manifests), **scopes}
