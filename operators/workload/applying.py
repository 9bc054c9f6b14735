"""Carrying out a plan: apply in order, then prune. What the cluster refuses is collected; the rest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from operators.workload.going import describe_going
from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live, is_of
from operators.workload.replacement import BeingReplaced, is_replaceable, refusal, replace
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError, ClusterUnreachable, FieldImmutable, NamespaceMissing
from threeport.kube.labels import INSTANCE_LABEL, INSTANCE_NAME_LABEL
from threeport.kube.ordering import OWNS_NOTHING, rank_of


class NotOurs(ClusterError):
    """An object of that name is somebody else's. A person may hand it over in the cluster, so it is looked at again."""

    reason = "NotOurs"


class Applied(NamedTuple):
    """What came of applying: what was replaced, in words, and what went wrong."""

    replaced: list[str]
    failures: list[ClusterError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """What applying one object takes."""

    cluster: Cluster
    live: Live
    uid: str
    """Of the instance."""
    check_lease: Callable[[], None]
    replaces: bool = False
    """Whether what cannot be changed in place is deleted and created anew."""
    hidden: Sequence[ClusterError] = ()
    """Why some could not be looked at; they are not applied."""
    new_namespaces: set[str] = field(default_factory=set)
    """Those that were not there before this applying: nobody has put anything into them yet."""
    done: list[JsonObject] = field(default_factory=list)
    """The manifests that have been applied, also where it ended with an error."""


async def apply_all(applier: Applier, manifests: Sequence[JsonObject]) -> Applied:
    """Applies manifests rank by rank, those of one rank together. Raises `ClusterUnreachable` when it has ended with
    the others of its rank: one that goes on alone would make anew what the next cycle has deleted."""
    replaced, failures = list[str](), list(applier.hidden)
    for _, group in groupby(manifests, key=lambda manifest: rank_of(manifest["kind"])):
        members = list(group)
        applier.check_lease()
        outcomes = await asyncio.gather(*(_apply_one(applier, manifest) for manifest in members))
        applier.done.extend(one for one, outcome in zip(members, outcomes, strict=True) if isinstance(outcome, str))
        if away := next((outcome for outcome in outcomes if isinstance(outcome, ClusterUnreachable)), None):
            raise away
        failures += [outcome for outcome in outcomes if isinstance(outcome, ClusterError)]
        replaced += [outcome for outcome in outcomes if isinstance(outcome, str) and outcome]
        if any(manifest["kind"] == "CustomResourceDefinition" for manifest in members):
            applier.cluster.look_again_for_kinds()
    return Applied(replaced, failures)


async def delete_all(
    cluster: Cluster, items: Sequence[FrozenJson], live: Live, check_lease: Callable[[], None]
) -> None:
    """Asks for the deletion of objects that are ours and not on their way out yet."""
    check_lease()
    objects = [live[id_of(item)] for item in items if id_of(item) in live]
    await asyncio.gather(
        *(_delete_one(cluster, obj) for obj in objects if not obj["metadata"].get("deletionTimestamp"))
    )


async def _apply_one(applier: Applier, manifest: JsonObject) -> str | ClusterError:
    """What was replaced, in words, if anything had to be; or what went wrong."""
    found = applier.live.get(id_of(item_of(manifest)))
    try:
        if found is None:
            await _look_for_foreign(applier, manifest)
        elif found["metadata"].get("deletionTimestamp"):
            return BeingReplaced(f"{describe_going(found)} is being deleted; it is created anew when it is gone")
        return await _apply_or_replace(applier, manifest, found)
    except ClusterError as error:
        return error


async def _apply_or_replace(applier: Applier, manifest: JsonObject, found: FrozenJson | None) -> str:
    try:
        await applier.cluster.apply(manifest)
    except FieldImmutable as error:
        if found is None:
            raise
        if not applier.replaces or not is_replaceable(manifest):
            raise refusal(error, found, manifest) from None
        return await replace(applier.cluster, manifest, found, error, applier.check_lease)
    return ""


async def _look_for_foreign(applier: Applier, manifest: FrozenJson) -> None:
    """Raises if what is to be created is somebody else's already."""
    metadata = manifest["metadata"]
    if metadata.get("namespace") in applier.new_namespaces:
        return
    is_there = await refuse_foreign(applier.cluster, manifest, applier.uid)
    if manifest["kind"] == "Namespace" and not is_there:
        applier.new_namespaces.add(metadata["name"])


async def refuse_foreign(cluster: Cluster, manifest: FrozenJson, uid: str, *, is_new: bool = False) -> bool:
    """An object of that name which is not ours is not taken over: with the instance it would be deleted, too.

    Returns whether one that is ours is there. `is_new` says that the instance does not exist yet: nothing can be
    handed over to it.
    """
    metadata = manifest["metadata"]
    found = await cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))
    if found is None or is_of(uid, found):
        return found is not None
    subject = str(id_of(item_of(manifest)))
    if found["metadata"].get("deletionTimestamp"):
        raise NamespaceMissing(f"{subject} of somebody else is being deleted; this waits until it is gone")
    raise NotOurs(f"{subject} {_whose(found)}; give yours another name, or {_handing_over(found, uid, is_new=is_new)}")


def _whose(found: FrozenJson) -> str:
    labels = found["metadata"].get("labels") or {}
    if INSTANCE_LABEL not in labels:
        return "exists in the cluster and does not belong to this workload"
    name, uid = labels.get(INSTANCE_NAME_LABEL), labels[INSTANCE_LABEL]
    return f"does not belong to this workload, but, by its labels, to the instance {name} of uid {uid}"


def _handing_over(found: FrozenJson, uid: str, *, is_new: bool) -> str:
    """How a person makes the object one of this instance."""
    metadata = found["metadata"]
    if is_new:
        return "hand it over once this workload is there: its Ready condition says how"
    place = f" -n {metadata['namespace']}" if metadata.get("namespace") else ""
    overwrite = " --overwrite" if INSTANCE_LABEL in (metadata.get("labels") or {}) else ""
    command = f"kubectl label {found['kind'].lower()} {metadata['name']}{place}{overwrite} {INSTANCE_LABEL}={uid}"
    return f"hand it over: {command}"


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
