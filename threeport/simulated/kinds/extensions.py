"""CustomResourceDefinitions, and the kinds that they make."""

from __future__ import annotations

from typing import Literal, get_args

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import open_object, root

KINDS = (
    Kind(
        kind="CustomResourceDefinition", plural="customresourcedefinitions", singular="customresourcedefinition",
        group="apiextensions.k8s.io", namespaced=False, short_names=("crd", "crds"), schema=root(),
        columns=(Column("Created At", ".metadata.creationTimestamp", "date"),),
    ),
)  # fmt: skip

ColumnType = Literal["string", "integer", "boolean", "date", "number"]


def kind_of_definition(definition: FrozenJson) -> Kind:
    """The kind that a CustomResourceDefinition describes, in its storage version. Raises `KeyError` if it is broken."""
    spec = definition["spec"]
    names = spec["names"]
    version = next(version for version in spec["versions"] if version.get("storage"))
    return Kind(
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        group=spec["group"],
        version=version["name"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        schema=_completed((version.get("schema") or {}).get("openAPIV3Schema") or open_object()),
        columns=tuple(_column(column) for column in version.get("additionalPrinterColumns") or ()) or (AGE,),
        has_status="status" in (version.get("subresources") or {}),
    )


def _completed(schema: FrozenJson) -> JsonObject:
    """The schema with the fields that every object has, which definitions leave to the server."""
    return {**schema, "properties": {**root()["properties"], **(schema.get("properties") or {})}}


def _column(column: FrozenJson) -> Column:
    kind: ColumnType = column["type"] if column["type"] in get_args(ColumnType) else "string"
    return Column(column["name"], column["jsonPath"], kind, column.get("priority") or 0)
