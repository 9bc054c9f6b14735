"""KubernetesRuntimeInstance: reach the cluster, install what belongs there, and say how it is."""

from __future__ import annotations

from typing import Final

from operators.kubernetes_runtime.agents import ensure_agent, remove_agent_file
from operators.kubernetes_runtime.installation import install, uninstall
from operators.kubernetes_runtime.settings import RuntimeSettings
from operators.kubernetes_runtime.simulated import ensure_simulated, remove_simulated
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, is_ready, set_condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, Waiting, decide
from threeport.controller.waking import wake_all
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterBusy, ClusterError
from threeport.kube.runtime_access import access_of
from threeport.resources.annotations import ABANDON
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadInstance
from threeport.store.records import Key

DEFINITION: Final[Kind] = kind_of(KubernetesRuntimeDefinition)
INSTANCE: Final[Kind] = kind_of(KubernetesRuntimeInstance)
WORKLOAD_INSTANCE: Final[Kind] = kind_of(WorkloadInstance)

SIMULATED: Final = "simulated"


async def reconcile_runtime(controller: Controller, settings: RuntimeSettings, seen: FrozenJson) -> str:
    """One cycle. Returns its sentence; raises `Waiting`, `Refused` or `ClusterError` where it could not finish."""
    runtime = await _current(controller, seen)
    if runtime is None or runtime["metadata"].get("deletionTimestamp"):
        return "is gone, or going"
    definition = await _definition(controller, runtime)
    if definition["spec"]["infraProvider"] == SIMULATED:
        runtime = await _settle_access(controller, runtime, await ensure_simulated(settings, runtime))
    access = access_of(runtime)
    if access is None:
        raise Refused("NoEndpoint", "spec.endpoint is missing; `tptctl runtime add` fills it in from a kubeconfig")
    cluster = await controller.clusters.get(runtime["metadata"]["uid"], access)
    try:
        version = await _reach(controller, runtime, cluster)
        written = await install(controller, cluster)
        agent = await ensure_agent(controller, settings, runtime, definition, cluster)
    except ClusterBusy as busy:
        if not is_ready(runtime):
            raise
        return f"stays as it is, for the cluster is there and has too much to do: {busy}"
    sentence = f"is reachable, Kubernetes {version}; {agent}."

    def note(status: JsonObject, _: FrozenJson) -> None:
        _put_reachable(status, "True", "Answered", f"{access.endpoint} answers.", runtime)
        status["kubernetesVersion"] = version
        status["endpoint"] = access.endpoint

    await decide(controller, INSTANCE, runtime, "True", "Reachable", sentence, also=note)
    return sentence + (f" Wrote {written} objects into it." if written else "")


async def remove_runtime(controller: Controller, settings: RuntimeSettings, seen: FrozenJson) -> str:
    """One cycle of deletion. Raises `Waiting` while workloads run there, or the cluster cannot be cleaned up."""
    runtime = await _current(controller, seen)
    if runtime is None:
        return "is gone"
    metadata = runtime["metadata"]
    users = [
        f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        for one in (await controller.client.list(WORKLOAD_INSTANCE)).items
        if (one.get("status") or {}).get("runtime") == metadata["name"]
    ]
    if users:
        named = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
        raise Waiting("WorkloadsRemain", f"waits for workloads that run here: delete {named}", first=1, longest=30)
    remove_agent_file(settings, runtime)
    definition = await controller.client.find(DEFINITION, runtime["spec"]["definitionRef"]["name"])
    if definition is not None and definition["spec"]["infraProvider"] == SIMULATED:
        await remove_simulated(settings, runtime)
    elif (metadata.get("annotations") or {}).get(ABANDON) != "true":
        await _clean_up(controller, runtime)
    await controller.clusters.forget(metadata["uid"])
    return "took the agent out of the cluster; deleted"


async def definition_changed(controller: Controller, definition: FrozenJson) -> int:
    """Wakes clusters that said that their definition does not exist, and all of them if it has another generation than
    was noted before. Returns how many."""
    metadata, noted = definition["metadata"], (definition.get("status") or {}).get("observedGeneration")
    is_changed = noted not in (None, metadata.get("generation"))
    key = Key(DEFINITION.resource, "", metadata["name"])
    dependents = [
        runtime
        for runtime in (await controller.client.list(INSTANCE, referring_to=key)).items
        if runtime["spec"]["definitionRef"]["name"] == metadata["name"]
        and (is_changed or (condition(runtime.get("status"), READY) or {}).get("reason") == "ReferenceNotFound")
    ]
    return await wake_all(controller.client, INSTANCE, dependents, cause=f"{metadata['uid']}/{metadata['generation']}")


async def _clean_up(controller: Controller, runtime: FrozenJson) -> None:
    access = access_of(runtime)
    if access is None:
        return
    try:
        cluster = await controller.clusters.get(runtime["metadata"]["uid"], access)
        await uninstall(controller, cluster, runtime)
    except ClusterError as error:
        raise Waiting(
            error.reason,
            f"the agent cannot be taken out of the cluster: {error}. If the cluster is gone for good: "
            f"tptctl delete kubernetesruntimeinstance/{runtime['metadata']['name']} --abandon",
        ) from None


async def _current(controller: Controller, seen: FrozenJson) -> JsonObject | None:
    """The runtime as it is now, with credentials in clear; None if it is gone."""
    try:
        found = await controller.client.get(INSTANCE, seen["metadata"]["name"], reveal=True)
    except NotFound:
        return None
    return found if found["metadata"]["uid"] == seen["metadata"]["uid"] else None


async def _definition(controller: Controller, runtime: FrozenJson) -> JsonObject:
    name = runtime["spec"]["definitionRef"]["name"]
    definition = await controller.client.find(DEFINITION, name)
    if definition is None:
        raise Waiting(
            "ReferenceNotFound", f"KubernetesRuntimeDefinition {name} does not exist; this goes on when it does",
            longest=60,
        )  # fmt: skip
    return definition


async def _settle_access(controller: Controller, runtime: JsonObject, access: ClusterAccess) -> JsonObject:
    """Puts the access to a cluster that we made into the spec, where every controller finds it."""
    if access_of(runtime) == access:
        return runtime
    change = {
        "endpoint": access.endpoint,
        "certificateAuthority": access.certificate_authority,
        "token": access.token,
    }
    await controller.client.patch(INSTANCE, runtime["metadata"]["name"], None, {"spec": change})
    settled = await _current(controller, runtime)
    if settled is None:
        raise Waiting("Gone", "the runtime was deleted meanwhile", first=1)
    return settled


async def _reach(controller: Controller, runtime: FrozenJson, cluster: Cluster) -> str:
    """The version of the cluster. Where it cannot be reached the status says so before the error goes on."""
    try:
        return await cluster.version()
    except ClusterBusy:
        raise
    except ClusterError as error:
        reason, message = error.reason, str(error)

        def note(status: JsonObject, _: FrozenJson) -> None:
            _put_reachable(status, "False", reason, message, runtime)

        await decide(controller, INSTANCE, runtime, "False", reason, message, also=note)
        raise


def _put_reachable(status: JsonObject, value: Truth, reason: str, message: str, runtime: FrozenJson) -> None:
    generation = runtime["metadata"].get("generation")
    set_condition(status, "Reachable", value, reason=reason, message=message, generation=generation)
