"""Carrying out a plan: apply in order, then prune. What the cluster refuses is collected; the rest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live, is_of
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError, ClusterUnreachable, NamespaceMissing, Rejected
from threeport.kube.ordering import OWNS_NOTHING, rank_of


class Applied(NamedTuple):
    """What came of applying: how many objects were written, and what went wrong."""

    written: int
    failures: list[ClusterError]


async def apply_all(
    cluster: Cluster, manifests: Sequence[JsonObject], live: Live, uid: str, check_lease: Callable[[], None]
) -> Applied:
    """Applies manifests rank by rank, those of one rank together. Raises `ClusterUnreachable` at once."""
    written, failures = 0, list[ClusterError]()
    for _, group in groupby(manifests, key=lambda manifest: rank_of(manifest["kind"])):
        members = list(group)
        check_lease()
        outcomes = await asyncio.gather(*(_apply_one(cluster, manifest, live, uid) for manifest in members))
        failures += [outcome for outcome in outcomes if outcome is not None]
        written += sum(outcome is None for outcome in outcomes)
        if any(manifest["kind"] == "CustomResourceDefinition" for manifest in members):
            cluster.look_again_for_kinds()
    return Applied(written, failures)


async def delete_all(
    cluster: Cluster, items: Sequence[FrozenJson], live: Live, check_lease: Callable[[], None]
) -> None:
    """Asks for the deletion of objects that are ours and not on their way out yet."""
    check_lease()
    objects = [live[id_of(item)] for item in items if id_of(item) in live]
    await asyncio.gather(
        *(_delete_one(cluster, obj) for obj in objects if not obj["metadata"].get("deletionTimestamp"))
    )


async def _apply_one(cluster: Cluster, manifest: JsonObject, live: Live, uid: str) -> ClusterError | None:
    try:
        if id_of(item_of(manifest)) not in live:
            await _refuse_foreign(cluster, manifest, uid)
        await cluster.apply(manifest)
    except ClusterUnreachable:
        raise
    except ClusterError as error:
        return error
    return None


async def _refuse_foreign(cluster: Cluster, manifest: FrozenJson, uid: str) -> None:
    """An object of that name which is not ours is not taken over: with the instance it would be deleted, too."""
    metadata = manifest["metadata"]
    found = await cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))
    if found is None or is_of(uid, found):
        return
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    subject = f"{manifest['kind']} {where}{metadata['name']}"
    if found["metadata"].get("deletionTimestamp"):
        raise NamespaceMissing(f"{subject} of somebody else is being deleted; this waits until it is gone")
    raise Rejected(
        f"{subject} exists in the cluster and does not belong to this workload; give yours another name, or hand it "
        f"over: kubectl label {manifest['kind'].lower()} {metadata['name']} threeport.io/workload-instance={uid}"
    )


async def _delete_one(cluster: Cluster, obj: FrozenJson) -> None:
    metadata, kind = obj["metadata"], obj["kind"]
    await cluster.delete(
        obj["apiVersion"],
        kind,
        metadata["name"],
        metadata.get("namespace"),
        uid=metadata["uid"],
        foreground=kind not in OWNS_NOTHING,
    )
