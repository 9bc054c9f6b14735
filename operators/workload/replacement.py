"""Replacing what cannot be changed in place: deleted and created anew, if the definition allows it.

It can be broken off anywhere. Before the deletion nothing has happened; while the old object goes, the next cycle finds
it going and waits; once it is gone, the next cycle finds it missing and creates it. The object stands in the inventory
all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from operators.workload.inventory import id_of, item_of
from threeport.common.differences import given_differences
from threeport.common.types import FrozenJson
from threeport.kube.cluster import Cluster
from threeport.kube.errors import Changed, ClusterError, FieldImmutable, Rejected
from threeport.kube.ordering import OWNS_NOTHING

REPLACE: Final = "Replace"
"""The value of ``spec.onImmutableChange`` that allows it."""

HOLDING_OTHERS: Final = frozenset(
    {"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"}
)
"""Kinds that are never replaced: what they hold, data or objects of others, would go with them."""

_ALLOW: Final = "set spec.onImmutableChange: Replace in the definition to have it deleted and created anew,"
_NEVER: Final = "what a namespace, a kind or a volume holds would be lost with it, so it is never replaced:"
_OTHER_WAYS: Final = "take the change back, or give the object another name"

NAMED_OBJECTS: Final = 10
"""How many objects a message names."""

NAMED: Final = 5
"""How many fields a message names."""

SAME_FIELDS: Final = {"spec.clusterIPs[0]": "spec.clusterIP"}
"""Fields that Kubernetes names where people have written another, which it keeps the same."""


class BeingReplaced(ClusterError):
    """The old object is on its way out; the new one is made when it is gone."""

    reason = "Replacing"


def may_replace(definition: FrozenJson) -> bool:
    """Whether the definition allows it."""
    return bool(definition["spec"].get("onImmutableChange") == REPLACE)


def is_replaceable(manifest: FrozenJson) -> bool:
    """Whether objects of this kind are replaced at all."""
    return manifest["kind"] not in HOLDING_OTHERS


async def replace(
    cluster: Cluster,
    manifest: FrozenJson,
    found: FrozenJson,
    error: FieldImmutable,
    check_lease: Callable[[], None],
) -> str:
    """Deletes `found`, which is ours, and makes it anew. Returns a sentence about it.

    Raises `BeingReplaced` until the old one is gone, and what the cluster says if it would refuse a new one: then
    the old one stays.
    """
    kind, metadata = manifest["kind"], manifest["metadata"]
    fields = ", ".join(fields_of(error, found, manifest))
    await check_new(cluster, manifest, fields)
    check_lease()
    await cluster.delete(
        found["apiVersion"],
        kind,
        metadata["name"],
        metadata.get("namespace"),
        uid=found["metadata"]["uid"],
        foreground=kind not in OWNS_NOTHING,
    )
    subject = id_of(item_of(manifest))
    if await cluster.get(manifest["apiVersion"], kind, metadata["name"], metadata.get("namespace")) is not None:
        raise BeingReplaced(f"{subject} is being replaced, as {fields} cannot be changed in place")
    check_lease()
    await cluster.apply(manifest)
    return f"{subject}, as {fields} cannot be changed in place"


async def check_new(cluster: Cluster, manifest: FrozenJson, fields: str) -> None:
    """Raises `Rejected` if the cluster would not accept the manifest as a new object."""
    try:
        await cluster.create(manifest, dry_run=True)
    except Changed:
        return  # the name is taken, by the old object: nothing else is wrong
    except Rejected as refused:
        if "already allocated" in str(refused):
            return  # a port or an address, which the old object holds
        raise Rejected(f"{fields} cannot be changed in place, and a new object would be refused: {refused}") from None


class NotReplaced(FieldImmutable):
    """An object that stays as it is; `subject` names it with the fields that it is about, `may_be` says whether it
    would be replaced if the definition allowed it."""

    def __init__(self, subject: str, fields: Sequence[str], *, may_be: bool) -> None:
        advice = _ALLOW if may_be else _NEVER
        super().__init__(f"{subject} cannot be changed in place; {advice} {_OTHER_WAYS}", fields)
        self.subject, self.may_be = subject, may_be


def refusal(error: FieldImmutable, found: FrozenJson, manifest: FrozenJson) -> NotReplaced:
    """The error of an object that is not replaced: which fields it is about, and what to do."""
    subject = f"{id_of(item_of(manifest))}: {', '.join(fields_of(error, found, manifest))}"
    return NotReplaced(subject, error.fields, may_be=is_replaceable(manifest))


def gathered(failures: Sequence[ClusterError]) -> list[ClusterError]:
    """The failures, with one in place of all that are about fields that cannot change: the advice is given once."""
    kept = [one for one in failures if isinstance(one, NotReplaced)]
    if len(kept) < 2:
        return list(failures)
    named = "; ".join(one.subject for one in kept[:NAMED_OBJECTS])
    more = f"; and fields of {len(kept) - NAMED_OBJECTS} more objects" if len(kept) > NAMED_OBJECTS else ""
    advice = " ".join([*[_ALLOW] * any(one.may_be for one in kept), *[_NEVER] * any(not one.may_be for one in kept)])
    message = f"{named}{more} cannot be changed in place; {advice} {_OTHER_WAYS}"
    fields = [field for one in kept for field in one.fields]
    return [FieldImmutable(message, fields), *(one for one in failures if not isinstance(one, NotReplaced))]


def fields_of(error: FieldImmutable, found: FrozenJson, manifest: FrozenJson) -> Sequence[str]:
    """The fields that cannot change, as exactly as can be told: Kubernetes often names only ``spec``."""
    told = [SAME_FIELDS.get(field, field) for field in error.fields]
    changed = [
        difference.path
        for difference in given_differences(found, manifest)
        if any(_is_below(difference.path, field) for field in told)
    ]
    more = [f"{len(changed) - NAMED} more"] if len(changed) > NAMED else []
    return [*changed[:NAMED], *more] or told


def _is_below(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))
