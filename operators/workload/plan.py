"""What one cycle does to a cluster: a pure function of what should be there, what is there, and what was put there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from operators.workload.inventory import has_run, id_of, item_of
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.labels import INSTANCE_LABEL
from threeport.kube.manifest import drifted_fields, is_current
from threeport.kube.ordering import in_reverse
from threeport.resources.manifests import ObjectId

Live: TypeAlias = Mapping[ObjectId, FrozenJson]
"""Objects in the cluster, as far as they carry the label of the instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. Empty means that the cluster is as it should be, and nothing is written."""

    apply: Sequence[JsonObject]
    """Manifests that are missing or going, changed, or drifted; in the order of applying."""
    prune: Sequence[JsonObject]
    """Items of the inventory that have left the definition and are still in the cluster; in the order of deletion."""
    drifted: Mapping[ObjectId, Sequence[str]] = field(default_factory=dict)
    """Objects that others have changed or removed since, with the fields (none if the object is missing)."""
    kept: Sequence[JsonObject] = ()
    """Items that have left the definition and stay, since what is in it would go with them."""

    @staticmethod
    def identity(manifest: FrozenJson) -> ObjectId:
        """By what `drifted` knows an object."""
        return id_of(item_of(manifest))


def make_plan(desired: Sequence[JsonObject], live: Live, inventory: Sequence[FrozenJson], *, settled: bool) -> Plan:
    """Compares. `settled` says that all of `desired` was applied before, so that what is missing was taken away.

    A Job that Kubernetes has removed since it had ended is neither missing nor drift: it has done what it was for.
    """
    apply: list[JsonObject] = []
    drifted: dict[ObjectId, Sequence[str]] = {}
    wanted = {id_of(item_of(manifest)): manifest for manifest in desired}
    noted = {id_of(item): item for item in inventory}
    for identity, manifest in wanted.items():
        found = live.get(identity)
        if found is None or found["metadata"].get("deletionTimestamp"):
            if has_run(manifest, noted.get(identity)):
                continue
            apply.append(manifest)
            if settled:
                drifted[identity] = ()
        elif not is_current(manifest, found):
            apply.append(manifest)
        elif fields := drifted_fields(manifest, found):
            apply.append(manifest)
            drifted[identity] = fields
    leaving = [dict(item) for item in inventory if id_of(item) not in wanted and id_of(item) in live]
    kept = [item for item in leaving if holds_any(live[id_of(item)], wanted)]
    gone = [item for item in leaving if item not in kept]
    return Plan(apply=apply, prune=in_reverse(gone), drifted=drifted, kept=kept)


def holds_any(obj: FrozenJson, wanted: Collection[ObjectId]) -> bool:
    """Whether it is the namespace of something that is wanted, or defines its kind: with it all that would go."""
    if obj["kind"] == "Namespace":
        return any(identity.namespace == obj["metadata"]["name"] for identity in wanted)
    if obj["kind"] == "CustomResourceDefinition":
        defined = (obj["spec"]["group"], obj["spec"]["names"]["kind"])
        return any((identity.group, identity.kind) == defined for identity in wanted)
    return False


def is_of(uid: str, obj: FrozenJson) -> bool:
    """Whether an object in the cluster belongs to the instance with this uid."""
    return bool((obj["metadata"].get("labels") or {}).get(INSTANCE_LABEL) == uid)
