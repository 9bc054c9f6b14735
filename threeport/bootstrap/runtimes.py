"""Clusters made known to a control plane: a definition for their provider, and an instance each."""

from __future__ import annotations

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.kubeconfig import ClusterAccess
from threeport.client import Client
from threeport.resources.core import Namespace
from threeport.resources.kubernetes_runtime import (
    KubernetesRuntimeDefinition,
    KubernetesRuntimeDefinitionSpec,
    KubernetesRuntimeInstance,
    KubernetesRuntimeInstanceSpec,
)
from threeport.resources.model import ObjectMeta, Reference

FIELD_MANAGER = "tptctl"
SIMULATED = "simulated"
KUBECONFIG = "kubeconfig"
DEFAULT_NAMESPACE = "default"


async def ensure_namespace(client: Client, name: str = DEFAULT_NAMESPACE) -> None:
    """The namespace exists afterwards."""
    if await client.find(Namespace, name) is None:
        await client.apply(Namespace(metadata=ObjectMeta(name=name)), field_manager=FIELD_MANAGER, force=True)


async def default_runtime(client: Client) -> KubernetesRuntimeInstance | None:
    """The runtime of workloads that name none."""
    listed = await client.list(KubernetesRuntimeInstance)
    return next((runtime for runtime in listed.items if runtime.spec.default_runtime), None)


async def add_simulated_runtime(client: Client, name: str, *, default: bool) -> KubernetesRuntimeInstance:
    """Makes a simulated cluster known, or keeps the one that is."""
    return await _add(client, name, SIMULATED, KubernetesRuntimeInstanceSpec(
        definition_ref=Reference(name=SIMULATED), default_runtime=default))  # fmt: skip


async def add_cluster(client: Client, name: str, access: ClusterAccess, *, default: bool) -> KubernetesRuntimeInstance:
    """Makes a real cluster known, or changes how it is reached. With `default` it takes over from the one before."""
    spec = KubernetesRuntimeInstanceSpec(
        definition_ref=Reference(name=KUBECONFIG),
        default_runtime=default,
        endpoint=access.endpoint,
        certificate_authority=access.certificate_authority,
        token=access.token,
        client_certificate=access.client_certificate,
        client_key=access.client_key,
        tls_server_name=access.tls_server_name,
    )
    return await _add(client, name, KUBECONFIG, spec)


async def _add(
    client: Client, name: str, provider: str, spec: KubernetesRuntimeInstanceSpec
) -> KubernetesRuntimeInstance:
    before = await client.find(KubernetesRuntimeInstance, name)
    if before is not None and before.spec.definition_ref.name != spec.definition_ref.name:
        raise BootstrapError(
            f"There is a runtime {name!r} of definition {before.spec.definition_ref.name!r} already: take another "
            f"name, or remove it with `tptctl delete runtime {name}`."
        )
    definition = KubernetesRuntimeDefinition(
        metadata=ObjectMeta(name=provider),
        spec=KubernetesRuntimeDefinitionSpec.model_validate({"infraProvider": provider}),
    )
    await client.apply(definition, field_manager=FIELD_MANAGER, force=True)
    if spec.default_runtime:
        await _step_down(client, name)
    elif before is not None:
        spec = spec.model_copy(update={"default_runtime": before.spec.default_runtime})
    instance = KubernetesRuntimeInstance(metadata=ObjectMeta(name=name), spec=spec)
    return await client.apply(instance, field_manager=FIELD_MANAGER, force=True)


async def _step_down(client: Client, successor: str) -> None:
    """The default runtime up to now is one no more: there is one at most."""
    current = await default_runtime(client)
    if current is not None and current.metadata.name != successor:
        await client.patch(KubernetesRuntimeInstance, current.metadata.name, None, {"spec": {"defaultRuntime": False}})
