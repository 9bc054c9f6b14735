"""The fields of the built-in kinds, as a real API server has them, so that misspelt ones are refused here too.

`fields.json` is written by ``scripts/built-in-fields`` from the OpenAPI documents of a cluster. It knows names and
types of fields, and how lists and maps merge; what a kind of ours says beside that (defaults, merge keys) wins.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind

FIELDS: Final = Path(__file__).with_name("fields.json")

_OPEN: Final[JsonObject] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_MERGING: Final = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "default")
_SERVERS: Final = ("apiVersion", "kind", "metadata")
"""Fields of an object that the server checks by itself."""


def checked(kind: Kind) -> Kind:
    """The kind with the fields of the real one, and no others."""
    real = _resolved(_data()["kinds"][kind.resource])
    schema = _overlaid(real, kind.schema)
    own = kind.schema.get("properties", {})
    return replace(kind, schema={**schema, "properties": {**schema["properties"], **_picked(own)}})


def _picked(properties: FrozenJson) -> JsonObject:
    return {name: properties.get(name, _OPEN) for name in _SERVERS if name in properties or name == "metadata"}


@cache
def _data() -> JsonObject:
    data: JsonObject = json.loads(FIELDS.read_text())
    return data


@cache
def _resolved(name: str) -> JsonObject:
    """A schema with those that it names in place of their names."""
    schema: JsonObject = _expanded(_data()["schemas"][name], (name,))
    return schema


def _expanded(schema: Any, within: tuple[str, ...]) -> Any:
    """`within`: the schemas that this one is part of. One that holds itself (JSONSchemaProps) ends open."""
    if not isinstance(schema, dict):
        return schema
    if isinstance(name := schema.get("$ref"), str):
        return _OPEN if name in within else _expanded(_data()["schemas"][name], (*within, name))
    parts = {key: _expanded(schema[key], within) for key in ("items", "additionalProperties") if key in schema}
    if "properties" in schema:
        parts["properties"] = {key: _expanded(part, within) for key, part in schema["properties"].items()}
    return {**schema, **parts}


def _overlaid(real: FrozenJson, own: FrozenJson) -> JsonObject:
    """The real schema, with the defaults and merge keys that ours has."""
    schema: JsonObject = {**real, **{key: own[key] for key in _MERGING if key in own}}
    if "items" in real and "items" in own:
        schema["items"] = _overlaid(real["items"], own["items"])
    if "properties" in real and "properties" in own:
        overlaid = {
            name: _overlaid(real["properties"].get(name, part), part) for name, part in own["properties"].items()
        }
        schema["properties"] = {**real["properties"], **overlaid}
    return schema
