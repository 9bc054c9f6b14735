"""``ThreeportWorkload``: the custom resource that tells the agent of a cluster what belongs to what."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from threeport.common.ids import derived_name
from threeport.common.types import JsonObject
from threeport.resources.kind import Column, Kind
from threeport.resources.model import Resource, Shape, kind_of, resource
from threeport.resources.workload import InventoryItem

AGENT_GROUP: Final = "agent.threeport.io"


class InstanceIdentity(Shape):
    """The WorkloadInstance in the Threeport API."""

    namespace: str
    name: str
    uid: str
    generation: Annotated[int | None, Field(description="Generation of the instance that was applied.")] = None


class AppliedObject(InventoryItem):
    """An object, and what was applied of it."""

    digest: Annotated[
        str | None,
        Field(
            description="Digest of the manifest applied last, as the annotation `threeport.io/applied` of the object "
            "has it. Who sees another there has not seen the change yet."
        ),
    ] = None


class ThreeportWorkloadSpec(Shape):
    """What an instance put into this cluster."""

    instance: Annotated[InstanceIdentity, Field(description="Whose objects these are.")]
    runtime: Annotated[str, Field(description="What this cluster is called in the Threeport API.")]
    applied_hash: Annotated[str, Field(description="Digest of the manifests applied last.")]
    resources: Annotated[
        list[AppliedObject],
        Field(description="The objects.", json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ]


@resource(
    plural="threeportworkloads",
    group=AGENT_GROUP,
    namespaced=False,
    short_names=("tpw",),
    columns=(
        Column("Namespace", ".spec.instance.namespace"),
        Column("Instance", ".spec.instance.name"),
        Column("Hash", ".spec.appliedHash"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
)
class ThreeportWorkload(Resource):
    """The objects of one WorkloadInstance in this cluster."""

    spec: ThreeportWorkloadSpec


def threeport_workload_kind() -> Kind:
    """The kind, as our own servers and scripts take it."""
    return kind_of(ThreeportWorkload)


def threeport_workload_name(instance: str, uid: str) -> str:
    """The name of the object for an instance: readable, and unique over all namespaces of the Threeport API."""
    return derived_name(instance, uid)


def crd_manifest() -> JsonObject:
    """The CustomResourceDefinition to install in clusters."""
    kind = threeport_workload_kind()
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": dict(kind.schema)},
        "additionalPrinterColumns": [
            {"name": column.name, "type": column.type, "jsonPath": column.path} for column in kind.columns
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource},
        "spec": {"group": kind.group, "scope": "Cluster", "names": names, "versions": [version]},
    }
