"""Waking what waits for another object: instances for runtime or definition, workloads for their instance."""

from __future__ import annotations

from collections.abc import Sequence

from operators.workload.composite import mirror, owner_of, owns
from operators.workload.health import REASONS
from operators.workload.kinds import INSTANCE, RUNTIME, WORKLOAD
from threeport.common.types import FrozenJson
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.waking import cause_of, wake, wake_all
from threeport.store.records import Key


async def runtime_is_ready(controller: Controller, runtime: FrozenJson) -> int:
    """The runtime has become Ready: instances that could not be applied are looked at now. Returns how many."""
    name = runtime["metadata"]["name"]
    naming = (await controller.client.list(INSTANCE, referring_to=Key(RUNTIME.resource, "", name))).items
    others = (await controller.client.list(INSTANCE)).items if runtime["spec"].get("defaultRuntime") else []
    candidates = {one["metadata"]["uid"]: one for one in [*naming, *others]}.values()
    waiting = [instance for instance in candidates if waits_for_runtime(instance, runtime)]
    return await wake_all(controller.client, INSTANCE, waiting, cause=cause_of(runtime))


async def definition_is_there(controller: Controller, definition: FrozenJson, instances: Sequence[FrozenJson]) -> int:
    """The definition is there, or has a new revision: those of `instances` that waited for it are looked at. Returns
    how many. One that is advanced is woken by that, and need not be among them."""
    waiting = [instance for instance in instances if waits_for_definition(instance)]
    return await wake_all(controller.client, INSTANCE, waiting, cause=cause_of(definition))


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


def waits_for_runtime(instance: FrozenJson, runtime: FrozenJson) -> bool:
    """Whether the instance may go on now that the runtime is Ready.

    One that has said nothing yet is being looked at, or will be. That cycle may have seen the runtime before it was
    Ready, unless the instance is younger than that: at a cold start each would have a second cycle for nothing.
    """
    named = (instance["spec"].get("runtimeRef") or {}).get("name")
    if named not in (None, runtime["metadata"]["name"]):
        return False
    ready = condition(instance.get("status"), READY)
    if ready is None:
        since = (condition(runtime.get("status"), READY) or {}).get("lastTransitionTime") or ""
        return bool(instance["metadata"]["creationTimestamp"] <= since)
    return ready.get("status") != "True" and ready.get("reason") not in REASONS


def waits_for_definition(instance: FrozenJson) -> bool:
    """Whether the instance said that its definition, or the revision of it, is not there."""
    ready = condition(instance.get("status"), READY)
    return ready is not None and ready.get("reason") in ("ReferenceNotFound", "RevisionNotFound")
