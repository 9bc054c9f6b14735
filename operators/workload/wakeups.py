"""Waking what waits for another object: instances for their runtime, workloads for their instance."""

from __future__ import annotations

from operators.workload.composite import mirror, owner_of, owns
from operators.workload.health import REASONS
from operators.workload.kinds import INSTANCE, RUNTIME, WORKLOAD
from threeport.common.types import FrozenJson
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.waking import wake
from threeport.store.records import Key


async def runtime_is_ready(controller: Controller, runtime: FrozenJson) -> int:
    """The runtime has become Ready: instances that could not be applied are looked at now. Returns how many."""
    metadata, woken = runtime["metadata"], 0
    naming = (await controller.client.list(INSTANCE, referring_to=Key(RUNTIME.resource, "", metadata["name"]))).items
    others = (await controller.client.list(INSTANCE)).items if runtime["spec"].get("defaultRuntime") else []
    for instance in {one["metadata"]["uid"]: one for one in [*naming, *others]}.values():
        if _waits_for(instance, runtime):
            cause = f"{metadata['uid']}/{metadata['resourceVersion']}"
            await wake(
                controller.client,
                INSTANCE,
                instance["metadata"]["name"],
                instance["metadata"]["namespace"],
                cause=cause,
            )
            woken += 1
    return woken


async def instance_changed(controller: Controller, instance: FrozenJson, *, gone: bool) -> None:
    """Passes the state of an instance on to the Workload that owns it."""
    name, namespace = owner_of(instance), instance["metadata"]["namespace"]
    workload = await controller.client.find(WORKLOAD, name, namespace) if name else None
    if workload is None or not owns(workload, instance):
        return
    if gone:
        await wake(controller.client, WORKLOAD, str(name), namespace, cause=f"{instance['metadata']['uid']}/gone")
    else:
        await mirror(controller, workload, instance)


def _waits_for(instance: FrozenJson, runtime: FrozenJson) -> bool:
    named = (instance["spec"].get("runtimeRef") or {}).get("name")
    if named not in (None, runtime["metadata"]["name"]):
        return False
    ready = condition(instance.get("status"), READY)
    return ready is None or (ready.get("status") != "True" and ready.get("reason") not in REASONS)
