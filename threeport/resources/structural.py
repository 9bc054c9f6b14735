"""Values against structural schemas: defaults filled in, nulls dropped, and a check for kinds that have no model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from threeport.common.errors import Cause
from threeport.common.types import FrozenJson

Location: TypeAlias = tuple[str | int, ...]
"""The way to a value: names of fields and indices of items."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def path_text(location: Location) -> str:
    """``spec.manifests[2].name``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".")


def normalise(value: Any, schema: FrozenJson) -> None:
    """Fills in defaults and drops nulls of fields that cannot be null, as an apiserver does before it stores."""
    for name, part in schema.get("properties", {}).items():
        if isinstance(value, dict):
            if value.get(name, ...) is None and not part.get("nullable"):
                del value[name]
            if name not in value and "default" in part:
                value[name] = orjson.loads(orjson.dumps(part["default"]))
    for _, child, child_schema in _children(value, schema):
        normalise(child, child_schema)


def prune(value: Any, location: Location) -> None:
    """Removes the field at `location`; no error if it is not there."""
    for step in location[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(value, dict):
        value.pop(location[-1], None)


def _children(value: Any, schema: FrozenJson) -> Iterator[tuple[str | int, Any, FrozenJson]]:
    """The parts of a value of which the schema knows something."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for key, part in value.items():
            known = properties.get(key, extra)
            if isinstance(known, dict):
                yield key, part, known
    elif isinstance(value, list) and isinstance(items := schema.get("items"), dict):
        for index, part in enumerate(value):
            yield index, part, items


@dataclass(slots=True)
class Findings:
    """What is wrong with a value: fields that the schema does not know, and values that it does not allow."""

    unknown: list[Location] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)


def check(value: Any, schema: FrozenJson, location: Location, findings: Findings) -> None:
    """Checks types, required fields, enumerations and unknown fields; adds to `findings`."""
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            findings.causes.append(Cause(path_text(location), "must be a number or text"))
        return
    wanted = schema.get("type")
    if wanted and not _is_of_type(value, wanted):
        if not (value is None and schema.get("nullable")):
            findings.causes.append(Cause(path_text(location), f"must be of type {wanted}", "FieldValueTypeInvalid"))
        return
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(map(str, schema["enum"]))
        findings.causes.append(Cause(path_text(location), f"must be one of {allowed}", "FieldValueNotSupported"))
    if isinstance(value, dict):
        _check_fields(value, schema, location, findings)
    for step, child, child_schema in _children(value, schema):
        check(child, child_schema, (*location, step), findings)


def _check_fields(value: FrozenJson, schema: FrozenJson, location: Location, findings: Findings) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            findings.causes.append(Cause(path_text((*location, name)), "is required", "FieldValueRequired"))
    closed = "properties" in schema and not schema.get("additionalProperties")
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        findings.unknown += [(*location, name) for name in value if name not in schema["properties"]]


def _is_of_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES.get(wanted, (object,)))
