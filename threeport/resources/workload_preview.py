"""Previews of workloads: what a change would do in a cluster, found out by asking that cluster without changing it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from threeport.resources.kind import Column, Kind
from threeport.resources.kubernetes_runtime import AGE_COLUMN, MESSAGE_COLUMN, READY_COLUMNS
from threeport.resources.model import Resource, Shape, Status, kind_of, resource
from threeport.resources.patches import ManifestPatch
from threeport.resources.workload import (
    DURATION,
    DriftPolicy,
    Manifests,
    ObservedDefinition,
    ObservedInstance,
    ObservedRuntime,
    OnImmutableChange,
)

PreviewAction = Literal["Create", "Change", "Replace", "Prune", "Unchanged"]


class ProposedInstance(Shape):
    """The spec that the instance would have, as far as it says what is put where."""

    definition_ref: Annotated[ObservedDefinition, Field(description="The definition; its namespace may be left out.")]
    runtime_ref: ObservedRuntime | None = None
    definition_revision: Annotated[int | None, Field(ge=1)] = None
    patches: Annotated[list[ManifestPatch] | None, Field(json_schema_extra={"x-kubernetes-list-type": "atomic"})] = None
    drift_policy: DriftPolicy | None = None


class ProposedDefinition(Shape):
    """The spec that the definition would have."""

    manifests: Manifests
    on_immutable_change: OnImmutableChange = "Fail"


class WorkloadPreviewSpec(Shape):
    """Which instance, and what would be different. What is not proposed is as it is in the API."""

    instance_ref: Annotated[
        ObservedInstance, Field(description="The WorkloadInstance. One that does not exist is previewed as a new one.")
    ]
    instance: Annotated[ProposedInstance | None, Field(description="Its spec; that which it has if absent.")] = None
    definition: Annotated[
        ProposedDefinition | None, Field(description="The spec of its definition; that which it has if absent.")
    ] = None
    ttl: Annotated[
        str, Field(pattern=DURATION, description="How long the preview is kept, as `90s` or `10m`; `1h` at most.")
    ] = "10m"


class FieldChange(Shape):
    """A field before and after. Without `old` it is added, without `new` it is removed."""

    path: Annotated[str, Field(description="As `spec.template.spec.containers[name=web].image`.")]
    old: Annotated[Any, Field(description="What is there now; values of Secrets as digests.")] = None
    new: Annotated[Any, Field(description="What would be there.")] = None


class ResourcePreview(Shape):
    """What would become of one Kubernetes object."""

    api_version: str
    kind: str
    namespace: str | None = None
    name: str
    action: PreviewAction
    runtime: Annotated[str | None, Field(description="Where, if not in the runtime of the preview.")] = None
    changes: Annotated[
        list[FieldChange] | None, Field(description="Fields that would change; those of a new object are its manifest.")
    ] = None
    message: Annotated[str | None, Field(description="What else there is to know.")] = None
    error: Annotated[str | None, Field(description="Why the cluster would refuse it.")] = None


class WorkloadPreviewStatus(Status):
    """What would happen. `Ready` is true when it is complete; else it says why nothing can be said."""

    runtime: Annotated[str | None, Field(description="The runtime that was asked.")] = None
    namespace: Annotated[
        str | None, Field(description="The namespace in the cluster; that of a new instance is not known before.")
    ] = None
    resources: list[ResourcePreview] | None = None
    truncated: Annotated[str | None, Field(description="What was left out because there is too much of it.")] = None


@resource(
    plural="workloadpreviews",
    short_names=("wp",),
    categories=(),
    controller="workload",
    columns=(
        Column("Instance", ".spec.instanceRef.name"),
        Column("Runtime", ".status.runtime"),
        *READY_COLUMNS,
        AGE_COLUMN,
        MESSAGE_COLUMN,
    ),
)
class WorkloadPreview(Resource):
    """A question to the cluster of an instance: what would this change do? It goes away by itself."""

    spec: WorkloadPreviewSpec
    status: WorkloadPreviewStatus | None = None


KINDS: tuple[Kind, ...] = (kind_of(WorkloadPreview),)
