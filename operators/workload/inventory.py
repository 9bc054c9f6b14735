"""The inventory in the status: all that an instance has put into its cluster, or is about to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.labels import APPLIED_ANNOTATION
from threeport.resources.manifests import ObjectId, identity_of


def item_of(manifest: FrozenJson) -> JsonObject:
    """How the inventory notes an object."""
    metadata = manifest["metadata"]
    item = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "name": metadata["name"]}
    return {**item, "namespace": metadata["namespace"]} if metadata.get("namespace") else item


def applied_item_of(manifest: FrozenJson) -> JsonObject:
    """How it notes an object that has been applied.

    A Job with ``spec.ttlSecondsAfterFinished`` is removed by Kubernetes when it has ended. Then nothing in the cluster
    shows that it has run, and it must not run again: that is noted here, by the manifest from which it was made.
    """
    item, digest = item_of(manifest), digest_in(manifest)
    is_job = item["kind"] == "Job" and str(item["apiVersion"]).startswith("batch/")
    ends = is_job and (manifest.get("spec") or {}).get("ttlSecondsAfterFinished") is not None
    return {**item, "applied": digest} if ends and digest else item


def has_run(manifest: FrozenJson, item: FrozenJson | None) -> bool:
    """Whether the item notes that exactly this manifest was applied, of an object that goes by itself."""
    return bool(item and item.get("applied") and item["applied"] == digest_in(manifest))


def digest_in(manifest: FrozenJson) -> str:
    """The digest of itself that a manifest brings along."""
    return str((manifest["metadata"].get("annotations") or {}).get(APPLIED_ANNOTATION) or "")


def id_of(item: FrozenJson) -> ObjectId:
    """What object an item stands for."""
    return identity_of({"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": item})


def inventory_of(status: FrozenJson | None) -> list[JsonObject]:
    """The items in a status."""
    return [dict(item) for item in (status or {}).get("inventory") or ()]


def united(first: Iterable[FrozenJson], second: Iterable[FrozenJson]) -> list[JsonObject]:
    """All items of `first`, and those of `second` that stand for other objects."""
    kept = [dict(item) for item in first]
    return kept + without(second, kept)


def without(items: Iterable[FrozenJson], others: Sequence[FrozenJson]) -> list[JsonObject]:
    """The items that stand for none of the objects of `others`."""
    left_out = {id_of(item) for item in others}
    return [dict(item) for item in items if id_of(item) not in left_out]
