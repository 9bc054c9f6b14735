"""What an instance refers to: its definition, and the runtime that it runs on."""

from __future__ import annotations

from typing import NamedTuple

from operators.workload.kinds import DEFINITION, RUNTIME
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.controller.controller import Controller
from threeport.controller.cycle import Waiting
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterUnreachable
from threeport.kube.runtime_access import access_of


class Place(NamedTuple):
    """A runtime by name, and the way into its cluster."""

    runtime: str
    cluster: Cluster


async def definition_of(controller: Controller, instance: FrozenJson, *, remembered: bool = False) -> JsonObject:
    """The definition with its secrets in clear. Raises `Waiting` (``ReferenceNotFound``) if there is none.

    One that is `remembered` may have changed since: ask again before anything is done with it.
    """
    reference = instance["spec"]["definitionRef"]
    namespace = reference.get("namespace") or instance["metadata"]["namespace"]
    key = (str(namespace), str(reference["name"]))
    known = controller.definitions.get(key) if remembered else None
    if known is not None:
        return known
    try:
        found = await controller.in_clear(DEFINITION, reference["name"], namespace)
        controller.definitions.put(key, found)
        return found
    except NotFound:
        controller.definitions.drop(key)
        raise Waiting(
            "ReferenceNotFound",
            f"WorkloadDefinition {namespace}/{reference['name']} does not exist; this goes on when it does",
        ) from None


async def place_of(controller: Controller, instance: FrozenJson) -> Place:
    """Where the instance runs: the runtime it names, else the one that it runs on already, else the default.

    Raises `Waiting` while there is no such runtime, or it is not ready.
    """
    name = await _runtime_name(controller, instance)
    runtime = await _revealed(controller, name)
    if runtime is None:
        raise Waiting(
            "ReferenceNotFound", f"KubernetesRuntimeInstance {name} does not exist; this goes on when it does"
        )
    if not is_ready(runtime):
        why = (condition(runtime.get("status"), READY) or {}).get("message") or "its controller has not looked at it"
        raise Waiting("RuntimeNotReady", f"runtime {name} is not ready: {why}")
    cluster = await _cluster(controller, runtime)
    if cluster is None:
        raise Waiting("RuntimeNotReady", f"runtime {name} has no endpoint yet")
    return Place(name, cluster)


async def place_left(controller: Controller, runtime: str) -> Place | None:
    """The way into the cluster that the instance was put into, ready or not; None if the runtime is gone.

    Raises `ClusterUnreachable` where the runtime is there, and no way leads into its cluster any more.
    """
    found = await _revealed(controller, runtime)
    if found is None:
        return None
    cluster = await _cluster(controller, found)
    if cluster is None:
        raise ClusterUnreachable(f"KubernetesRuntimeInstance {runtime} has no spec.endpoint any more")
    return Place(runtime, cluster)


def runtime_name_of(instance: FrozenJson) -> str:
    """The runtime that the instance is on, or is to be; empty for one that waits for the default."""
    named = (instance["spec"].get("runtimeRef") or {}).get("name")
    return str((instance.get("status") or {}).get("runtime") or named or "")


async def _runtime_name(controller: Controller, instance: FrozenJson) -> str:
    named = (instance["spec"].get("runtimeRef") or {}).get("name")
    if named:
        return str(named)
    settled = (instance.get("status") or {}).get("runtime")
    if settled and await controller.client.find(RUNTIME, settled) is not None:
        return str(settled)
    runtimes = (await controller.client.list(RUNTIME)).items
    default = next((runtime for runtime in runtimes if runtime["spec"].get("defaultRuntime")), None)
    if default is None:
        raise Waiting(
            "NoDefaultRuntime",
            "no runtime is named in spec.runtimeRef and none is the default; add one with "
            "`tptctl runtime add NAME --kubeconfig F --default`",
        )
    return str(default["metadata"]["name"])


async def _revealed(controller: Controller, name: str) -> JsonObject | None:
    try:
        return await controller.in_clear(RUNTIME, name)
    except NotFound:
        return None


async def _cluster(controller: Controller, runtime: FrozenJson) -> Cluster | None:
    access = access_of(runtime)
    return None if access is None else await controller.clusters.get(runtime["metadata"]["uid"], access)
