"""Sets of fields, and their form in ``managedFields`` (FieldsV1).

A field is a path from the root of the object. Its steps are written as FieldsV1 writes them: ``f:name`` for a field
or a key of a map, ``k:{"type":"Ready"}`` for the item of a list that has these keys, ``v:"x"`` for a value of a set.
Source: structured-merge-diff, ``fieldpath/serialize.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

from threeport.common.types import FrozenJson, JsonObject

FieldsPath: TypeAlias = tuple[str, ...]
FieldSet: TypeAlias = set[FieldsPath]

_UNOWNED = {
    ("f:apiVersion",),
    ("f:kind",),
    *(
        ("f:metadata", f"f:{field}")
        for field in (
            "name", "namespace", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp",
            "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields",
        )
    ),
}  # fmt: skip
"""Fields that nobody owns: the server decides them."""

_METADATA_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "finalizers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {"type": "object", "x-kubernetes-map-type": "atomic"},
        },
    },
}


def to_json(fields: FieldSet) -> JsonObject:
    """The nested form: ``{"f:spec": {"f:x": {}}}``; ``.`` marks a field that is owned besides fields inside it."""
    root: JsonObject = {}
    for path in sorted(fields):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    _drop_lonely_dots(root)
    return root


def _drop_lonely_dots(node: JsonObject) -> None:
    for part in node.values():
        if part.keys() == {"."}:
            part.clear()
        else:
            _drop_lonely_dots(part)


def from_json(node: FrozenJson) -> FieldSet:
    """The set of which `to_json` makes the nested form."""
    return set(_paths(node, ()))


def _paths(node: FrozenJson, here: FieldsPath) -> Iterator[FieldsPath]:
    for step, part in node.items():
        if step == ".":
            yield here
        elif not part:
            yield (*here, step)
        else:
            yield from _paths(part, (*here, step))


def fields_of(obj: FrozenJson, schema: FrozenJson) -> FieldSet:
    """All fields that an object states, as far down as ownership goes (maps by key, lists as a whole or by item)."""
    return {path for path in _walk(obj, root_schema(schema), ()) if not _is_unowned(path)}


def _is_unowned(path: FieldsPath) -> bool:
    return path[:1] in _UNOWNED or path[:2] in _UNOWNED


def root_schema(schema: FrozenJson) -> JsonObject:
    """The schema of an object with what is known of every object's metadata put in."""
    return {**schema, "properties": {**schema.get("properties", {}), "metadata": _METADATA_SCHEMA}}


def _walk(value: Any, schema: FrozenJson, here: FieldsPath) -> Iterator[FieldsPath]:
    if isinstance(value, dict) and value and not is_atomic(schema):
        for key, part in value.items():
            yield from _walk(part, field_schema(schema, key), (*here, f"f:{key}"))
    elif isinstance(value, list) and value and list_type(schema) != "atomic":
        for item in value:
            step = step_of(item, schema)
            yield (*here, step)
            if step.startswith("k:"):
                yield from _walk(item, schema.get("items", {}), (*here, step))
    elif here:
        yield here


def is_atomic(schema: FrozenJson) -> bool:
    """Whether a map is owned as a whole."""
    return schema.get("x-kubernetes-map-type") == "atomic"


def field_schema(schema: FrozenJson, key: str) -> FrozenJson:
    """The schema of a field or of a key of a map; empty where nothing is known of it."""
    found = schema.get("properties", {}).get(key)
    if found is None and isinstance(extra := schema.get("additionalProperties"), dict):
        found = extra
    return found or {}


def list_type(schema: FrozenJson) -> str:
    """``map``, ``set`` or ``atomic``, which lists are unless the schema says otherwise."""
    return str(schema.get("x-kubernetes-list-type", "atomic"))


def step_of(item: Any, schema: FrozenJson) -> str:
    """The step that leads to an item of a list of type ``map`` or ``set``."""
    if list_type(schema) == "map" and isinstance(item, dict):
        properties = schema.get("items", {}).get("properties", {})
        keys = {key: item.get(key, properties.get(key, {}).get("default")) for key in schema_keys(schema)}
        return f"k:{orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()}"
    return f"v:{orjson.dumps(item, option=orjson.OPT_SORT_KEYS).decode()}"


def schema_keys(schema: FrozenJson) -> list[str]:
    """The fields by which the items of a list of type ``map`` are told apart."""
    keys: list[str] = schema.get("x-kubernetes-list-map-keys", [])
    return keys


_MISSING = object()


def value_at(obj: Any, path: FieldsPath, schema: FrozenJson) -> Any:
    """The value of a field, or a marker that equals no value if the object lacks it."""
    for step in path:
        if step.startswith("f:"):
            if not isinstance(obj, dict) or step[2:] not in obj:
                return _MISSING
            obj, schema = obj[step[2:]], field_schema(schema, step[2:])
        else:
            if not isinstance(obj, list):
                return _MISSING
            obj = next((item for item in obj if step_of(item, schema) == step), _MISSING)
            schema = schema.get("items", {})
            if obj is _MISSING:
                return _MISSING
    return obj


def is_missing(value: Any) -> bool:
    """Whether `value_at` found nothing."""
    return value is _MISSING
