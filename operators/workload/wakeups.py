"""Waking what waits for another object: instances for runtime or definition, workloads for their instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operators.workload.composite import IN_USE, NAME_TAKEN, is_told, owner_of, owns, to_tell
from operators.workload.health import REASONS
from operators.workload.kinds import DEFINITION, INSTANCE, RUNTIME, WORKLOAD
from operators.workload.mirroring import mirror
from operators.workload.patching import REASON as INVALID_PATCH
from operators.workload.replacement import may_replace
from operators.workload.revisions import generation_of, is_manual
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.waking import cause_of, wake, wake_all
from threeport.kube.errors import FieldImmutable
from threeport.store.records import Key

_NOT_THERE: Final = ("ReferenceNotFound", "RevisionNotFound")
_NO_SENSE: Final = ("InvalidManifests", INVALID_PATCH)
"""Reasons for not being Ready that another revision may take away."""


async def runtime_is_ready(controller: Controller, runtime: FrozenJson) -> int:
    """The runtime has become Ready: instances that could not be applied are looked at now. Returns how many."""
    name = runtime["metadata"]["name"]
    naming = (await controller.client.list(INSTANCE, referring_to=Key(RUNTIME.resource, "", name))).items
    others = (await controller.client.list(INSTANCE)).items if runtime["spec"].get("defaultRuntime") else []
    candidates = {one["metadata"]["uid"]: one for one in [*naming, *others]}.values()
    waiting = [instance for instance in candidates if waits_for_runtime(instance, runtime)]
    return await wake_all(controller.client, INSTANCE, waiting, cause=cause_of(runtime))


async def definition_changed(controller: Controller, definition: FrozenJson, instances: Sequence[FrozenJson]) -> int:
    """The definition is there, or has changed: those of `instances` that waited for it are looked at. Returns how
    many. One that is advanced is woken by that, and need not be among them."""
    waiting = [instance for instance in instances if waits_for_definition(instance, definition)]
    # Once for each of its generations: what it says besides is of no use to who waits for it.
    cause = f"{definition['metadata']['uid']}/{generation_of(definition)}"
    return await wake_all(controller.client, INSTANCE, waiting, cause=cause)


async def ask_to_be_advanced(controller: Controller, instance: FrozenJson, definition: FrozenJson) -> None:
    """Has the controller of the definition look at its instances again. One call for each generation of the instance:
    if it has not helped, another would not."""
    metadata, cause = definition["metadata"], instance["metadata"]
    of = f"{cause['uid']}/{cause.get('generation')}"
    await wake(controller.client, DEFINITION, metadata["name"], metadata["namespace"], cause=of)


async def instance_changed(controller: Controller, instance: FrozenJson) -> None:
    """Passes the state of an instance on to the Workload that owns it, and its spec if somebody else has changed it."""
    workload = await _owner_of(controller, instance)
    if workload is None:
        return
    await mirror(controller, workload, instance)
    if _has_passed_on(workload) and to_tell(workload, instance):
        await _wake_owner(controller, workload, instance)


async def definition_edited(controller: Controller, definition: FrozenJson) -> None:
    """The spec of a definition has changed: if that was not by the Workload that owns it, that is looked at."""
    workload = await _owner_of(controller, definition)
    if workload is not None and _has_passed_on(workload) and not is_told(workload, definition):
        await _wake_owner(controller, workload, definition)


async def part_is_gone(controller: Controller, part: FrozenJson) -> None:
    """A definition or an instance is gone: the Workload of that name, or the one whose definition it used, makes its
    own now, or goes, too."""
    metadata = part["metadata"]
    used = (part["spec"].get("definitionRef") or {"name": metadata["name"]})["name"]
    for name in {str(metadata["name"]), str(used)}:
        workload = await controller.client.find(WORKLOAD, name, metadata["namespace"])
        if workload is not None and (owns(workload, part) or _waits_for_part(workload)):
            cause = f"{metadata['uid']}/gone"
            await wake(controller.client, WORKLOAD, name, metadata["namespace"], cause=cause)


def _waits_for_part(workload: FrozenJson) -> bool:
    return (condition(workload.get("status"), READY) or {}).get("reason") in (NAME_TAKEN, IN_USE)


async def _owner_of(controller: Controller, part: FrozenJson) -> JsonObject | None:
    name = owner_of(part)
    workload = await controller.client.find(WORKLOAD, name, part["metadata"]["namespace"]) if name else None
    return workload if workload is not None and owns(workload, part) else None


def _has_passed_on(workload: FrozenJson) -> bool:
    """Whether it has told its parts what it says now: what they say besides is not about to change."""
    return bool((workload.get("status") or {}).get("observedGeneration") == workload["metadata"].get("generation"))


async def _wake_owner(controller: Controller, workload: FrozenJson, part: FrozenJson) -> None:
    metadata, cause = workload["metadata"], f"{part['metadata']['uid']}/{part['metadata'].get('generation')}"
    await wake(controller.client, WORKLOAD, metadata["name"], metadata["namespace"], cause=cause)


def waits_for_runtime(instance: FrozenJson, runtime: FrozenJson) -> bool:
    """Whether the instance may go on now that the runtime is Ready; also one that is to leave it.

    One that has said nothing yet is being looked at, or will be. That cycle may have seen the runtime before it was
    Ready, unless the instance is younger than that: at a cold start each would have a second cycle for nothing.
    """
    name, named = runtime["metadata"]["name"], (instance["spec"].get("runtimeRef") or {}).get("name")
    if named not in (None, name) and (instance.get("status") or {}).get("runtime") != name:
        return False
    ready = condition(instance.get("status"), READY)
    if ready is None:
        since = (condition(runtime.get("status"), READY) or {}).get("lastTransitionTime") or ""
        return bool(instance["metadata"]["creationTimestamp"] <= since)
    return ready.get("status") != "True" and ready.get("reason") not in REASONS


def waits_for_definition(instance: FrozenJson, definition: FrozenJson) -> bool:
    """Whether the instance may go on now that the definition is there, or has changed, though its revision stays.

    It said that the definition or the revision is not there; that an object has to be replaced, which the definition
    allows; or that what it was to begin with made no sense: it has not begun, so it takes the newest.
    """
    ready = condition(instance.get("status"), READY)
    reason = ready.get("reason") if ready is not None else None
    if reason == FieldImmutable.reason:
        return may_replace(definition) and is_manual(definition)
    has_begun = (instance.get("status") or {}).get("definitionGeneration") is not None
    return reason in _NOT_THERE or (reason in _NO_SENSE and not has_begun)
