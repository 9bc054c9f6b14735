"""What stays of an instance, since others use it: it is no longer ours then.

Deleting a namespace deletes all that is in it, and deleting a CustomResourceDefinition all objects of its kind. So
before one goes it is searched for what somebody else has put there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from operators.workload.inventory import id_of
from operators.workload.plan import Live
from operators.workload.strangers import strange_objects, strangers_in
from threeport.common.types import FrozenJson
from threeport.kube.cluster import Cluster
from threeport.kube.labels import APPLIED_ANNOTATION, labels_that_are_ours
from threeport.resources.manifests import ObjectId

_NAMED: Final = 5
"""How many objects a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One cluster, and what one instance has in it."""

    cluster: Cluster
    uid: str
    """Of the instance."""
    inventory: Sequence[FrozenJson]
    """All that is to go, or has gone already."""


async def spare_shared(
    holdings: Holdings, items: Sequence[FrozenJson], live: Live, check_lease: Callable[[], None]
) -> dict[ObjectId, str]:
    """Gives up what others use among `items`: it loses our labels.

    Returns for each the sentence that says why.
    """
    spared = await shared_among(holdings, items, live)
    for identity in spared:
        check_lease()
        labels = labels_that_are_ours(live[identity]["metadata"].get("labels") or {})
        await holdings.cluster.release(live[identity], labels, (APPLIED_ANNOTATION,))
    return spared


async def shared_among(holdings: Holdings, items: Sequence[FrozenJson], live: Live) -> dict[ObjectId, str]:
    """Those of `items` that others use, each with the sentence that says how."""
    shared: dict[ObjectId, str] = {}
    for item in items:
        identity = id_of(item)
        found = live.get(identity)
        if found is None or found["metadata"].get("deletionTimestamp"):
            continue
        if why := await _why_it_stays(holdings, identity, found):
            shared[identity] = f"{identity} stays, since {why}"
    return shared


async def _why_it_stays(holdings: Holdings, identity: ObjectId, found: FrozenJson) -> str:
    """Empty if it may go."""
    if identity.kind == "Namespace" and not identity.group:
        theirs = await strangers_in(holdings.cluster, identity.name, holdings.uid, holdings.inventory)
        return f"others keep {_listed(theirs)} in it" if theirs else ""
    if identity.kind == "CustomResourceDefinition":
        theirs = await strange_objects(holdings.cluster, *kind_defined_by(found), holdings.uid)
        return f"others have objects of this kind: {_listed(theirs)}" if theirs else ""
    return ""


def kind_defined_by(definition: FrozenJson) -> tuple[str, str]:
    """(apiVersion, kind) of what a CustomResourceDefinition defines, in the version in which it is stored: others may
    need a webhook, which has perhaps just been taken away."""
    spec = definition["spec"]
    stored = next((one for one in spec["versions"] if one.get("storage")), spec["versions"][0])
    return f"{spec['group']}/{stored['name']}", spec["names"]["kind"]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
