"""Which objects an object refers to, by the reference fields of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threeport.common.types import FrozenJson
from threeport.resources.kind import FieldPath, Kind
from threeport.store.ownership import ownership
from threeport.store.records import Key, ReferenceTarget


def targets_of(kind: Kind, obj: FrozenJson) -> tuple[ReferenceTarget, ...]:
    """What `obj` refers to, its owners included, each once; a reference that blocks deletion wins over one that
    does not."""
    blocking: dict[Key, bool] = {}
    own_namespace = obj["metadata"].get("namespace", "")
    for reference in kind.references:
        for value in _values(obj, reference.path):
            value = {"name": value} if isinstance(value, str) else value
            if isinstance(value, dict) and isinstance(value.get("name"), str):
                namespace = (value.get("namespace") or own_namespace) if reference.namespaced else ""
                key = Key(reference.resource, namespace, value["name"])
                blocking[key] = blocking.get(key, False) or reference.blocks_deletion
    owners = owner_targets(obj)
    return (*(ReferenceTarget(key, blocks) for key, blocks in blocking.items()), *owners)


def owner_targets(obj: FrozenJson) -> tuple[ReferenceTarget, ...]:
    """The owners of `obj`, as references that the garbage collector goes by."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return tuple(ownership(uid) for uid in dict.fromkeys(owner["uid"] for owner in owners))


def _values(value: Any, path: FieldPath) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*":
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for part in parts:
            yield from _values(part, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])
