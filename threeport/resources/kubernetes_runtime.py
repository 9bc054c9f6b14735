"""Kubernetes runtimes: the clusters that workloads run on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from threeport.resources.kind import Column, Kind
from threeport.resources.model import Reference, ReferenceMark, Resource, Sensitive, Shape, Status, kind_of, resource

READY_COLUMNS = (
    Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
    Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
)
MESSAGE_COLUMN = Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1)
AGE_COLUMN = Column("Age", ".metadata.creationTimestamp", "date")


class AgentResources(Shape):
    """What the pod of the agent asks for, and may use at most."""

    requests: Annotated[dict[str, str] | None, Field(description="`cpu` and `memory` as in a container.")] = None
    limits: Annotated[dict[str, str] | None, Field(description="`cpu` and `memory` as in a container.")] = None


class AgentSettings(Shape):
    """How the agent of the cluster is installed. What an instance leaves out its definition says."""

    image: Annotated[str | None, Field(description="Container image of the agent, for clusters with pods.")] = None
    resources: Annotated[AgentResources | None, Field(description="Resources of the agent's container.")] = None
    metrics_port: Annotated[
        int | None,
        Field(
            ge=1024,
            le=65535,
            description="Where the agent serves /metrics, /healthz and /readyz: in a pod 8080 unless it is set; beside "
            "a local control plane only if it is set, on loopback.",
        ),
    ] = None


class KubernetesRuntimeDefinitionSpec(Shape):
    """How clusters of this definition come to be."""

    infra_provider: Annotated[
        Literal["simulated", "kubeconfig"],
        Field(
            description="Where clusters come from: `kubeconfig`, a cluster that exists; `simulated`, an imitation "
            "without real pods, for a first look on any machine."
        ),
    ]
    agent: Annotated[AgentSettings | None, Field(description="How agents of its clusters are installed.")] = None


@resource(
    plural="kubernetesruntimedefinitions",
    namespaced=False,
    short_names=("krd",),
    columns=(Column("Provider", ".spec.infraProvider"), *READY_COLUMNS, AGE_COLUMN),
)
class KubernetesRuntimeDefinition(Resource):
    """Reusable configuration of clusters."""

    spec: KubernetesRuntimeDefinitionSpec
    status: Status | None = None


DefinitionReference = Annotated[Reference, ReferenceMark("kubernetesruntimedefinitions.threeport.io", namespaced=False)]
RuntimeReference = Annotated[Reference, ReferenceMark("kubernetesruntimeinstances.threeport.io", namespaced=False)]


class KubernetesRuntimeInstanceSpec(Shape):
    """A cluster: where its API is and how to be let in."""

    definition_ref: Annotated[DefinitionReference, Field(description="The definition this cluster belongs to.")]
    default_runtime: Annotated[bool, Field(description="Whether workloads that name no runtime run here.")] = False
    endpoint: Annotated[
        str | None,
        Field(pattern="^https?://", description="URL of the Kubernetes API; set by the controller if simulated."),
    ] = None
    certificate_authority: Annotated[str | None, Field(description="The CA of the API, PEM.")] = None
    token: Annotated[Sensitive[str | None], Field(description="Bearer token for the API.")] = None
    client_certificate: Annotated[str | None, Field(description="Client certificate for the API, PEM.")] = None
    client_key: Annotated[Sensitive[str | None], Field(description="Key of the client certificate, PEM.")] = None
    tls_server_name: Annotated[str | None, Field(description="Name to expect in the API's certificate.")] = None
    agent: AgentSettings = Field(default_factory=AgentSettings)


class KubernetesRuntimeInstanceStatus(Status):
    """What is known of the cluster."""

    kubernetes_version: str | None = None
    endpoint: Annotated[str | None, Field(description="The endpoint in use.")] = None
    agent_last_seen: Annotated[
        str | None,
        Field(
            description="When an agent that is silent was last heard of; while it reports, the AgentHeartbeat of this "
            "name tells."
        ),
    ] = None


@resource(
    plural="kubernetesruntimeinstances",
    namespaced=False,
    short_names=("kri", "runtime", "runtimes"),
    controller="kubernetes-runtime",
    columns=(
        *READY_COLUMNS,
        Column("Definition", ".spec.definitionRef.name"),
        Column("Default", ".spec.defaultRuntime", "boolean"),
        Column("Version", ".status.kubernetesVersion"),
        AGE_COLUMN,
        Column("Agent", ".status.conditions[?(@.type=='AgentReporting')].status", priority=1),
        Column("Endpoint", ".status.endpoint", priority=1),
        MESSAGE_COLUMN,
    ),
)
class KubernetesRuntimeInstance(Resource):
    """A cluster that workloads can run on."""

    spec: KubernetesRuntimeInstanceSpec
    status: KubernetesRuntimeInstanceStatus | None = None


BeatingRuntime = Annotated[
    Reference, ReferenceMark("kubernetesruntimeinstances.threeport.io", namespaced=False, blocks_deletion=False)
]


class AgentHeartbeatSpec(Shape):
    """A sign of life."""

    runtime_ref: Annotated[BeatingRuntime, Field(description="The cluster that the agent watches.")]
    renew_time: Annotated[str, Field(description="When the agent wrote this, by its own clock.")]
    agent_version: str = ""


@resource(
    plural="agentheartbeats",
    namespaced=False,
    categories=(),
    columns=(
        Column("Renewed", ".spec.renewTime", "date"),
        Column("Version", ".spec.agentVersion"),
        AGE_COLUMN,
    ),
)
class AgentHeartbeat(Resource):
    """That the agent of the runtime of this name lives; apart from the runtime, since it changes all the time."""

    spec: AgentHeartbeatSpec


KINDS: tuple[Kind, ...] = (
    kind_of(KubernetesRuntimeDefinition),
    kind_of(KubernetesRuntimeInstance),
    kind_of(AgentHeartbeat),
)
