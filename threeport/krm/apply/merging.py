"""Objects put together and taken apart field by field, by the schema of the kind."""

from __future__ import annotations

from typing import Any

from threeport.common.types import FrozenJson
from threeport.krm.apply.fieldsv1 import FieldsPath, field_schema, is_atomic, list_type, step_of


def merged(live: Any, config: Any, schema: FrozenJson) -> Any:
    """`live` with `config` merged into it: maps field by field, lists item by item unless they are atomic. A copy."""
    if isinstance(config, dict) and isinstance(live, dict) and not is_atomic(schema):
        both = dict(live)
        for key, value in config.items():
            both[key] = merged(live.get(key), value, field_schema(schema, key))
        return both
    if isinstance(config, list) and isinstance(live, list) and list_type(schema) != "atomic":
        items = {step_of(item, schema): item for item in live}
        for item in config:
            step = step_of(item, schema)
            items[step] = merged(items.get(step), item, schema.get("items", {}))
        return list(items.values())
    return config


def without(obj: Any, path: FieldsPath, schema: FrozenJson) -> Any:
    """A copy of `obj` that lacks the field, and the maps that it leaves empty."""
    step, rest = path[0], path[1:]
    if step.startswith("f:"):
        if not isinstance(obj, dict) or step[2:] not in obj:
            return obj
        inner = without(obj[step[2:]], rest, field_schema(schema, step[2:])) if rest else None
        copy = {**obj, step[2:]: inner}
        if not rest or (inner in ({}, []) and len(path) > 1):
            del copy[step[2:]]
        return copy
    if not isinstance(obj, list):
        return obj
    if not rest:
        return [item for item in obj if step_of(item, schema) != step]
    items = schema.get("items", {})
    return [without(item, rest, items) if step_of(item, schema) == step else item for item in obj]
