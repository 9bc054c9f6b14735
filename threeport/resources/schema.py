"""From a pydantic model to a structural OpenAPI v3 schema, the form that a CustomResourceDefinition takes.

Structural means: no ``$ref``, no ``anyOf`` over types, a type at every level
(Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", section "Specifying a structural schema").
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from threeport.common.types import FrozenJson, JsonObject

_KEPT = (
    "type", "format", "description", "enum", "default", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "maxProperties", "required", "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
)  # fmt: skip


def structural_schema(model: type[BaseModel]) -> JsonObject:
    """The schema of a whole object. ``metadata`` is left to the server, as Kubernetes wants it."""
    raw = model.model_json_schema(by_alias=True)
    schema = _structural(raw, raw.get("$defs", {}))
    schema["description"] = (model.__doc__ or "").strip()
    properties = schema["properties"]
    properties["apiVersion"] = {"type": "string", "description": "Group and version of the kind."}
    properties["kind"] = {"type": "string", "description": "The kind."}
    properties["metadata"] = {"type": "object"}  # a CustomResourceDefinition may say no more of it
    return schema


def _structural(node: FrozenJson, defs: FrozenJson) -> JsonObject:
    if "$ref" in node:
        target = defs[node["$ref"].rsplit("/", 1)[-1]]
        return _structural({**target, **{key: node[key] for key in node if key != "$ref"}}, defs)
    if "anyOf" in node:
        return _structural({**_only_type(node["anyOf"]), **{k: v for k, v in node.items() if k != "anyOf"}}, defs)
    kept = {key: node[key] for key in _KEPT if key in node and not (key == "default" and node[key] is None)}
    if "const" in node:
        kept["enum"] = [node["const"]]
    if "properties" in node:
        kept["properties"] = {name: _structural(part, defs) for name, part in node["properties"].items()}
    if "items" in node:
        kept["items"] = _structural(node["items"], defs)
    _open_ends(node, kept, defs)
    return kept


def _only_type(choices: list[JsonObject]) -> JsonObject:
    """``X | None`` is X; a choice between several types is an open value, which the model validates."""
    real = [choice for choice in choices if choice.get("type") != "null"]
    return real[0] if len(real) == 1 else {"x-kubernetes-preserve-unknown-fields": True}


def _open_ends(node: FrozenJson, kept: JsonObject, defs: FrozenJson) -> None:
    """Mappings: of a known type as ``additionalProperties``, of anything as an object whose fields are kept."""
    extra: Any = node.get("additionalProperties")
    if isinstance(extra, dict) and extra:
        kept["additionalProperties"] = _structural(extra, defs)
    elif extra is True or (extra is None and kept.get("type") == "object" and "properties" not in kept):
        kept["x-kubernetes-preserve-unknown-fields"] = True
    if not kept.get("type") and "enum" not in kept:
        kept["x-kubernetes-preserve-unknown-fields"] = True
