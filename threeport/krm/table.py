"""Tables: the columns that kubectl prints, made by the server (``meta.k8s.io/v1``, ``Table``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threeport.common.errors import BadRequest
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.ages import age
from threeport.krm.jsonpath import find
from threeport.resources.kind import Column, Kind

_NAME = Column("Name", ".metadata.name")
_AGE = Column("Age", ".metadata.creationTimestamp", "date")
INCLUDE = ("None", "Metadata", "Object")


def table(
    kind: Kind, objects: Sequence[JsonObject], list_metadata: FrozenJson, *, include: str = "Metadata"
) -> JsonObject:
    """A Table with a row for each object. `include` says how much of the object each row carries."""
    if include not in INCLUDE:
        raise BadRequest(f"includeObject is {include!r}, not one of {', '.join(INCLUDE)}")
    named = any(column.path == _NAME.path for column in kind.columns)
    columns = kind.columns if named else (_NAME, *(kind.columns or (_AGE,)))
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [_row(columns, obj, include) for obj in objects],
    }


def _definition(column: Column) -> JsonObject:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column is _NAME else "",
        "description": column.description or f"The value of {column.path}",
        "priority": column.priority,
    }


def _row(columns: Sequence[Column], obj: JsonObject, include: str) -> JsonObject:
    row: JsonObject = {"cells": [_cell(column, obj) for column in columns]}
    if include == "Metadata":
        row["object"] = partial_metadata(obj)
    elif include == "Object":
        row["object"] = obj
    return row


def _cell(column: Column, obj: FrozenJson) -> Any:
    """The value of one cell; dates become ages, since kubectl prints cells as they are."""
    if " " in column.path:
        return "/".join(str(value) for path in column.path.split() if (value := find(obj, path)) is not None)
    value = find(obj, column.path)
    if value is None:
        return "<unknown>" if column.type == "date" else "" if column.type == "string" else None
    if column.type == "date":
        return age(str(value))
    return value if isinstance(value, bool | int | float) and column.type != "string" else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def partial_metadata(obj: FrozenJson) -> JsonObject:
    """The object's metadata alone (``PartialObjectMetadata``)."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
