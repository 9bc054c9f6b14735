"""Workloads: applications given as Kubernetes manifests, and the reports of what really runs."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from threeport.common.ids import derived_name
from threeport.resources.kind import Column, Kind
from threeport.resources.kubernetes_runtime import AGE_COLUMN, MESSAGE_COLUMN, READY_COLUMNS, RuntimeReference
from threeport.resources.model import (
    ManifestsMark,
    Reference,
    ReferenceMark,
    Resource,
    Shape,
    Status,
    kind_of,
    resource,
)
from threeport.resources.patches import ManifestPatch

Health = Literal["Healthy", "Progressing", "Degraded", "Down", "Unknown"]

Manifests = Annotated[
    list[Any],
    ManifestsMark(),
    Field(
        min_length=1,
        description="Kubernetes manifests: objects, or text with one or more YAML documents, which the API splits "
        "into objects. A path to a file is inlined by the CLI.",
        json_schema_extra={
            "items": {"x-kubernetes-preserve-unknown-fields": True},
            "x-kubernetes-list-type": "atomic",
        },
    ),
]


class Rollout(Shape):
    """How a change of a definition reaches its instances."""

    strategy: Annotated[
        Literal["Automatic", "Manual"],
        Field(
            description="`Automatic`: the definition's controller advances all instances to the newest revision. "
            "`Manual`: an instance stays at its revision until a person changes its `spec.definitionRevision`."
        ),
    ] = "Automatic"


DURATION: Final = r"^[1-9][0-9]{0,6}[smh]$"
"""Pattern of durations, as `90s`, `5m` or `1h`."""

OnImmutableChange = Annotated[
    Literal["Fail", "Replace"],
    Field(
        description="What happens when a cluster refuses a change of an object because the field cannot change in "
        "place: `Fail` leaves the object as it is and says so, `Replace` deletes it and creates it anew. Namespaces, "
        "definitions of kinds and claims of storage are never replaced."
    ),
]


class WorkloadDefinitionSpec(Shape):
    """What an application consists of."""

    manifests: Manifests
    rollout: Rollout = Field(default_factory=Rollout)
    on_immutable_change: OnImmutableChange = "Fail"


class WorkloadDefinitionStatus(Status):
    """What the controller made of the manifests."""

    resources: Annotated[int | None, Field(description="How many Kubernetes objects the manifests hold.")] = None
    revision: Annotated[int | None, Field(description="The newest revision: the generation it was made of.")] = None


@resource(
    plural="workloaddefinitions",
    short_names=("wd",),
    columns=(
        Column("Resources", ".status.resources", "integer"),
        Column("Revision", ".status.revision", "integer"),
        *READY_COLUMNS,
        AGE_COLUMN,
        MESSAGE_COLUMN,
    ),
)
class WorkloadDefinition(Resource):
    """An application, described once and deployed any number of times."""

    spec: WorkloadDefinitionSpec
    status: WorkloadDefinitionStatus | None = None


WorkloadDefinitionReference = Annotated[Reference, ReferenceMark("workloaddefinitions.threeport.io", namespaced=True)]
ObservedDefinition = Annotated[
    Reference, ReferenceMark("workloaddefinitions.threeport.io", namespaced=True, blocks_deletion=False)
]
ObservedInstance = Annotated[
    Reference, ReferenceMark("workloadinstances.threeport.io", namespaced=True, blocks_deletion=False)
]
ObservedRuntime = Annotated[
    Reference, ReferenceMark("kubernetesruntimeinstances.threeport.io", namespaced=False, blocks_deletion=False)
]


class WorkloadDefinitionRevisionSpec(Shape):
    """A definition as it was at one generation. It never changes."""

    definition_ref: Annotated[ObservedDefinition, Field(description="The definition.")]
    revision: Annotated[int, Field(ge=1, description="The generation of the definition that this is a copy of.")]
    manifests: Manifests


@resource(
    plural="workloaddefinitionrevisions",
    short_names=("wdr",),
    columns=(
        Column("Definition", ".spec.definitionRef.name"),
        Column("Revision", ".spec.revision", "integer"),
        AGE_COLUMN,
    ),
)
class WorkloadDefinitionRevision(Resource):
    """An earlier or the present state of a WorkloadDefinition, to deploy or to go back to. Made by the controller."""

    spec: WorkloadDefinitionRevisionSpec


DriftPolicy = Annotated[
    Literal["Correct", "Warn", "Ignore"],
    Field(
        description="What happens when others change or remove in the cluster what was applied: `Correct` puts it "
        "right and tells of it in an Event, `Warn` only tells, `Ignore` does neither."
    ),
]
DriftInterval = Annotated[
    str | None,
    Field(
        pattern=DURATION,
        description="How often the cluster is compared, as `90s`, `5m` or `1h`; 5m if absent, 10s at least.",
    ),
]


class WorkloadInstanceSpec(Shape):
    """One deployment of a definition on one cluster."""

    definition_ref: Annotated[WorkloadDefinitionReference, Field(description="What to deploy.")]
    runtime_ref: Annotated[
        RuntimeReference | None, Field(description="Where to deploy it; the default runtime if absent.")
    ] = None
    definition_revision: Annotated[
        int | None,
        Field(
            ge=1,
            description="Which revision of the definition to deploy. The definition's controller advances it, unless "
            "the rollout of the definition is `Manual`.",
        ),
    ] = None
    patches: Annotated[
        list[ManifestPatch] | None,
        Field(
            description="Changes to the manifests of the definition for this instance, applied in order.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = None
    drift_policy: DriftPolicy = "Correct"
    drift_interval: DriftInterval = None


class InventoryItem(Shape):
    """A Kubernetes object that this instance put into its cluster."""

    api_version: str
    kind: str
    namespace: str | None = None
    name: str
    applied: Annotated[
        str | None,
        Field(
            description="Of a Job that Kubernetes removes when it has ended (`ttlSecondsAfterFinished`): digest of the "
            "manifest that was applied. It is not applied again."
        ),
    ] = None


class WorkloadInstanceStatus(Status):
    """What is in the cluster and how it is."""

    health: Annotated[Health | None, Field(description="The worst health of its parts, as the agent sees it.")] = None
    runtime: Annotated[
        str | None,
        ReferenceMark("kubernetesruntimeinstances.threeport.io", namespaced=False),
        Field(description="The runtime in use, which cannot be deleted meanwhile."),
    ] = None
    namespace: Annotated[str | None, Field(description="The namespace in the cluster.")] = None
    definition_generation: Annotated[int | None, Field(description="Revision of the definition applied last.")] = None
    applied_hash: Annotated[str | None, Field(description="Digest of the manifests applied last.")] = None
    inventory: Annotated[list[InventoryItem] | None, Field(description="All that was put into the cluster.")] = None
    ready_resources: Annotated[str | None, Field(description="Healthy parts of all parts, `3/4`.")] = None


@resource(
    plural="workloadinstances",
    short_names=("wi",),
    controller="workload",
    columns=(
        *READY_COLUMNS,
        Column("Health", ".status.health"),
        Column("Resources", ".status.readyResources"),
        Column("Runtime", ".status.runtime"),
        AGE_COLUMN,
        Column("Revision", ".status.definitionGeneration", "integer", priority=1),
        Column("Namespace In Cluster", ".status.namespace", priority=1),
        MESSAGE_COLUMN,
    ),
)
class WorkloadInstance(Resource):
    """A deployment of a WorkloadDefinition on a cluster."""

    spec: WorkloadInstanceSpec
    status: WorkloadInstanceStatus | None = None


class WorkloadSpec(Shape):
    """An application and where it runs, in one document."""

    manifests: Manifests
    runtime_ref: Annotated[
        RuntimeReference | None, Field(description="Where to deploy it; the default runtime if absent.")
    ] = None
    drift_policy: DriftPolicy = "Correct"
    drift_interval: DriftInterval = None
    on_immutable_change: OnImmutableChange = "Fail"


class WorkloadStatus(Status):
    """The state of the definition and the instance that this workload owns."""

    health: Health | None = None
    runtime: str | None = None
    ready_resources: str | None = None


@resource(
    plural="workloads",
    short_names=("wl",),
    controller="workload",
    columns=(
        *READY_COLUMNS,
        Column("Health", ".status.health"),
        Column("Resources", ".status.readyResources"),
        Column("Runtime", ".status.runtime"),
        AGE_COLUMN,
        MESSAGE_COLUMN,
    ),
)
class Workload(Resource):
    """The easy path: a definition and one instance of it, both named as this and owned by it."""

    spec: WorkloadSpec
    status: WorkloadStatus | None = None


class ResourceReport(Shape):
    """The state of one Kubernetes object."""

    api_version: str
    kind: str
    namespace: str | None = None
    name: str
    health: Health = "Unknown"
    message: Annotated[str, Field(description="The one sentence that explains the health.")] = ""
    generation: Annotated[int | None, Field(description="Generation of the object that this speaks of.")] = None


class ReportedEvent(Shape):
    """A Kubernetes Event about one of the objects; repeats are counted, not repeated."""

    uid: str
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int = 1
    last_seen: str | None = None
    object: Annotated[str, Field(description="`Kind/name` of the object it is about.")] = ""


class WorkloadReportSpec(Shape):
    """What the agent of one cluster sees of one instance. Only that agent writes it."""

    instance_ref: Annotated[ObservedInstance, Field(description="The instance that this speaks of.")]
    instance_uid: Annotated[str, Field(description="Its uid: a report outlives no instance of the same name.")]
    runtime_ref: Annotated[ObservedRuntime, Field(description="The cluster that it was seen in.")]
    instance_generation: Annotated[
        int | None, Field(description="Generation of the instance whose objects were seen.")
    ] = None
    applied_hash: Annotated[str | None, Field(description="Digest of the manifests whose objects were seen.")] = None
    health: Health = "Unknown"
    message: str = ""
    resources: list[ResourceReport] = Field(default_factory=list)
    events: list[ReportedEvent] = Field(default_factory=list)


@resource(
    plural="workloadreports",
    short_names=("wr",),
    columns=(
        Column("Instance", ".spec.instanceRef.name"),
        Column("Runtime", ".spec.runtimeRef.name"),
        Column("Health", ".spec.health"),
        Column("Message", ".spec.message"),
        AGE_COLUMN,
    ),
)
class WorkloadReport(Resource):
    """What really runs of a WorkloadInstance on a cluster, told by that cluster's agent."""

    spec: WorkloadReportSpec


REPORT_SUFFIX: Final = 20
"""Characters of 4 bits. An agent may say any uid in its report: with 8, it soon found one that gives the name of the
report of another agent."""


def report_name(instance: str, instance_uid: str, runtime: str) -> str:
    """The name of the one report about an instance on a runtime; its namespace is that of the instance."""
    return derived_name(instance, f"{instance_uid}/{runtime}", length=REPORT_SUFFIX)


def revision_name(definition: str, definition_uid: str, revision: int) -> str:
    """The name of a revision; its namespace is that of the definition."""
    return derived_name(f"{definition[:40].rstrip('.')}-{revision}", f"{definition_uid}/{revision}")


KINDS: tuple[Kind, ...] = (
    kind_of(WorkloadDefinition),
    kind_of(WorkloadDefinitionRevision),
    kind_of(WorkloadInstance),
    kind_of(Workload),
    kind_of(WorkloadReport),
)
