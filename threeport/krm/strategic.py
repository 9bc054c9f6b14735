"""Strategic merge patch for the kinds of Kubernetes itself: lists merge by the key that identifies their items.

Kubernetes takes the merge keys from struct tags (``patchMergeKey``); here they are known by the name of the list, which
is the same wherever the built-in kinds use it. What Kubernetes answers with 500 or with the end of the connection, such
as a merge key that is an object, is 400 here.
Source: sig-api-machinery, "Strategic Merge Patch" (contributors/devel/sig-api-machinery/strategic-merge-patch.md), and
what kube-apiserver 1.36 does with odd patches.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from threeport.common.errors import BadRequest
from threeport.common.types import JsonObject
from threeport.krm.merged_lists import check_order, in_order, union

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
_DELETE_ITEMS, _SET_ORDER, _RETAIN, _PATCH = (
    "$deleteFromPrimitiveList", "$setElementOrder", "$retainKeys", "$patch",
)  # fmt: skip


def strategic_merged(obj: JsonObject, patch: JsonObject) -> JsonObject:
    """`obj` with the patch merged in. Changes `obj`. Raises `BadRequest` for a directive that is none."""
    merged = _merged(obj, patch)
    if not isinstance(merged, dict):
        raise BadRequest("$patch: delete leaves nothing of the object: to delete it, send DELETE")
    return merged


def _merged(obj: Any, patch: Any) -> Any:
    """As `strategic_merged`, for any part; None for what the patch deletes."""
    if not isinstance(patch, dict):
        return patch
    target: JsonObject = obj if isinstance(obj, dict) else {}
    fields, orders = _read(patch)
    if patch.get(_PATCH, "merge") != "merge":
        return None if _directive_of(patch) == "delete" else fields
    if _RETAIN in patch:
        _retain(target, patch[_RETAIN], fields)
    for key, values in patch.items():
        if key.startswith(f"{_DELETE_ITEMS}/"):
            _delete_items(target, key, values)
    for key, value in fields.items():
        _merge_field(target, key, value, orders.get(key))
    for key in orders.keys() - fields.keys():
        _reorder(target, key, orders[key])
    return target


def _read(patch: JsonObject) -> tuple[JsonObject, dict[str, list[Any]]]:
    """The fields of a patch without its directives, and the orders that it wants for lists."""
    fields, orders = JsonObject(), dict[str, list[Any]]()
    for key, value in patch.items():
        directive, _, name = key.partition("/")
        if directive in (_DELETE_ITEMS, _SET_ORDER):
            if not name or not isinstance(value, list):
                raise BadRequest(f'{key} is no directive: expected "{directive}/<name of a list>": [...]')
            if directive == _SET_ORDER:
                orders[name] = value
        elif key not in (_PATCH, _RETAIN):
            fields[key] = value
    return fields, orders


def _directive_of(patch: JsonObject) -> str:
    directive = patch.get(_PATCH, "merge")
    if directive not in ("merge", "replace", "delete"):
        raise BadRequest(f"$patch: {directive!r} is not one of merge, replace, delete")
    return str(directive)


def _retain(target: JsonObject, kept: Any, fields: JsonObject) -> None:
    if not isinstance(kept, list) or not all(isinstance(key, str) for key in kept) or not fields.keys() <= set(kept):
        raise BadRequest("$retainKeys is no list of field names that has each field of the patch beside it")
    for key in target.keys() - set(kept):
        del target[key]


def _delete_items(target: JsonObject, directive: str, values: list[Any]) -> None:
    name = directive.partition("/")[2]
    if not all(_is_scalar(value) for value in values):
        raise BadRequest(f"{directive} holds something else than texts and numbers")
    gone = set(values)
    if isinstance(items := target.get(name), list):
        target[name] = [item for item in items if not _is_scalar(item) or item not in gone]


def _reorder(target: JsonObject, name: str, order: list[Any]) -> None:
    items = target.get(name)
    if isinstance(items, list) and (name in _MERGED_SETS or _merge_key(name, items, [])):
        target[name] = _merged_list(name, items, [], order)


def _merge_field(target: JsonObject, key: str, value: Any, order: list[Any] | None) -> None:
    before = target.get(key)
    if value is None:
        target.pop(key, None)
    elif isinstance(value, list):
        target[key] = _merged_list(key, before if isinstance(before, list) else [], value, order)
    elif (merged := _merged(before, value)) is None:
        target.pop(key, None)
    else:
        target[key] = merged


def _merged_list(name: str, items: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if name in _MERGED_SETS:
        return _merged_set(name, items, patch, order)
    merge_key = _merge_key(name, items, patch)
    if merge_key is None:
        return patch
    directives = [_directive_of(item) for item in patch]
    if "replace" in directives:
        return [_merged({}, item) for item, directive in zip(patch, directives, strict=True) if directive == "merge"]

    def identity(item: Any) -> Hashable:
        return _identity(name, merge_key, item)

    deleted = {identity(item) for item, directive in zip(patch, directives, strict=True) if directive == "delete"}
    changes = [item for item, directive in zip(patch, directives, strict=True) if directive != "delete"]
    wanted = [identity(item) for item in changes]
    if order is not None:
        check_order(name, wanted, wanted := [identity(item) for item in order])
    merged = [item for item in items if identity(item) not in deleted]
    merged = union(merged, changes, identity, _merged)
    return in_order(merged, wanted, [identity(item) for item in items], identity)


def _merged_set(name: str, items: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if not all(_is_scalar(item) for item in (*patch, *(order or ()))):
        raise BadRequest(f"{name} of the patch holds something else than texts and numbers")
    if not all(_is_scalar(item) for item in items):
        return patch or items
    wanted = patch if order is None else order
    check_order(name, patch, wanted)
    return in_order(list(dict.fromkeys([*items, *patch])), wanted, items, lambda item: item)


def _merge_key(name: str, items: list[Any], patch: list[Any]) -> str | None:
    """What identifies the items of a list, if it merges. Raises `BadRequest` for items of a patch without it."""

    def has(key: str, item: Any) -> bool:
        return isinstance(item, dict) and (key in item or item.get(_PATCH) == "replace")

    for key in _MERGE_KEYS.get(name, ()):
        if all(has(key, item) for item in (items or patch)):
            if all(has(key, item) for item in patch):
                return key
            raise BadRequest(f"{name} of the patch has an item without {key}, by which they are told apart")
    return None


def _identity(name: str, key: str, item: Any) -> Hashable:
    value = item.get(key) if isinstance(item, dict) else None
    if not _is_scalar(value):
        raise BadRequest(f"{name} has an item whose {key} is neither text nor a number; {name} are told apart by it")
    identity: Hashable = value
    return identity


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)
