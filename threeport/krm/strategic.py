"""Strategic merge patch for the kinds of Kubernetes itself: lists merge by the key that identifies their items.

Kubernetes takes the merge keys from struct tags (``patchMergeKey``); here they are known by the name of the list, which
is the same wherever the built-in kinds use it.
Source: sig-api-machinery, "Strategic Merge Patch" (contributors/devel/sig-api-machinery/strategic-merge-patch.md).
"""

from __future__ import annotations

from typing import Any

from threeport.common.errors import BadRequest
from threeport.common.types import JsonObject

_MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "containerStatuses": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
_MERGED_SETS = {"finalizers"}
_DIRECTIVES = ("$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch")


def strategic_merge(obj: Any, patch: Any) -> Any:
    """`obj` with the patch merged in. Changes `obj`. Raises `BadRequest` for a directive that is none."""
    if not isinstance(patch, dict):
        return patch
    target: JsonObject = obj if isinstance(obj, dict) else {}
    if (directive := patch.get("$patch")) not in (None, "merge"):
        return _directed(directive, patch)
    _retain(target, patch)
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            target[name] = [item for item in target.get(name) or () if item not in value]
        elif not key.startswith(_DIRECTIVES):
            _merge_field(target, key, value)
    return target


def _directed(directive: Any, patch: JsonObject) -> JsonObject | None:
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return None
    raise BadRequest(f"$patch: {directive!r} is not one of merge, replace, delete")


def _retain(target: JsonObject, patch: JsonObject) -> None:
    if (kept := patch.get("$retainKeys")) is not None:
        for key in [key for key in target if key not in kept]:
            del target[key]


def _merge_field(target: JsonObject, key: str, value: Any) -> None:
    if value is None:
        target.pop(key, None)
    elif isinstance(value, list):
        target[key] = _merged_list(key, target.get(key) or [], value)
    elif (merged := strategic_merge(target.get(key), value)) is None:
        target.pop(key, None)
    else:
        target[key] = merged


def _merged_list(name: str, items: list[Any], patch: list[Any]) -> list[Any]:
    if name in _MERGED_SETS:
        return [*items, *(item for item in patch if item not in items)]
    merge_key = _merge_key(name, [*patch, *items])
    if merge_key is None:
        return patch
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    merged = {item.get(merge_key): item for item in items}
    for item in patch:
        identity = item.get(merge_key)
        result = strategic_merge(merged.get(identity), item)
        merged.pop(identity, None) if result is None else merged.update({identity: result})
    return list(merged.values())


def _merge_key(name: str, items: list[Any]) -> str | None:
    if not all(isinstance(item, dict) for item in items):
        return None
    candidates = _MERGE_KEYS.get(name, ())
    return next((key for key in candidates if all(key in item or "$patch" in item for item in items)), None)
