"""What Threeport installs in a cluster: the kind ThreeportWorkload, and the account of the agent."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.controller.controller import Controller
from threeport.kube.agent_deployment import RUNTIME_LABEL, deployment_name
from threeport.kube.agent_manifests import AGENT_LABELS, AGENT_NAMESPACE, account_manifests
from threeport.kube.cluster import Cluster
from threeport.kube.manifest import drifted_fields, is_current, prepared
from threeport.kube.threeport_workload import crd_manifest, threeport_workload_kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of

_RUNTIME: Final = kind_of(KubernetesRuntimeInstance)
_RBAC: Final = "rbac.authorization.k8s.io/v1"


async def install(controller: Controller, cluster: Cluster) -> int:
    """Applies what is missing or was changed. Returns how many objects were written."""
    return sum([await ensure(controller, cluster, manifest) for manifest in account_manifests()])


async def ensure(controller: Controller, cluster: Cluster, manifest: FrozenJson) -> bool:
    """Applies the object unless it is there as wanted. Returns whether it was written."""
    wanted, metadata = prepared(manifest), manifest["metadata"]
    found = await cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))
    if found is not None and is_current(wanted, found) and not drifted_fields(wanted, found):
        return False
    controller.check_lease()
    await cluster.apply(wanted)
    return True


async def uninstall(controller: Controller, cluster: Cluster, runtime: FrozenJson) -> None:
    """Takes out the agent of a runtime, and what `install` made (with the rights that workloads added to it) unless
    the cluster is another runtime, too. Does not wait for the end of it."""
    metadata = runtime["metadata"]
    name = deployment_name(metadata["name"], metadata["uid"])
    others = await _is_another_runtime(controller, runtime)
    for api_version, kind in (("apps/v1", "Deployment"), ("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "Secret")):
        for found in await cluster.list(api_version, kind, label_selector=RUNTIME_LABEL, namespace=AGENT_NAMESPACE):
            if found["metadata"]["name"] == name:
                await _delete(controller, cluster, found)
            others = others or found["metadata"]["name"] != name
    workloads = threeport_workload_kind()
    told = await cluster.list(workloads.api_version, workloads.kind)
    if others or any(one["spec"].get("runtime") != metadata["name"] for one in told):
        return
    selector = ",".join(f"{key}={value}" for key, value in AGENT_LABELS.items())
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        for found in await cluster.list(_RBAC, kind, label_selector=selector):
            await _delete(controller, cluster, found)
    crd = crd_manifest()
    for api_version, kind, name in (
        (crd["apiVersion"], crd["kind"], crd["metadata"]["name"]),
        ("v1", "Namespace", AGENT_NAMESPACE),
    ):
        ours = await cluster.get(api_version, kind, name)
        if ours is not None and "threeport.io/applied" in (ours["metadata"].get("annotations") or {}):
            await _delete(controller, cluster, {**ours, "apiVersion": api_version, "kind": kind})


async def _is_another_runtime(controller: Controller, runtime: FrozenJson) -> bool:
    """Whether another runtime has the same endpoint, and is to stay. One that reaches the same cluster by another way
    is told by what its agent and its workloads have there."""
    return any(
        one["metadata"]["uid"] != runtime["metadata"]["uid"]
        and not one["metadata"].get("deletionTimestamp")
        and one["spec"].get("endpoint") == runtime["spec"]["endpoint"]
        for one in (await controller.client.list(_RUNTIME)).items
    )


async def _delete(controller: Controller, cluster: Cluster, obj: FrozenJson) -> None:
    metadata = obj["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    controller.check_lease()
    namespace = metadata.get("namespace")
    await cluster.delete(obj["apiVersion"], obj["kind"], metadata["name"], namespace, uid=metadata["uid"])
