"""Workload: owns a definition and one instance of it, both of its name, and shows how the instance is."""

from __future__ import annotations

from typing import Final

from operators.workload.health import REASONS
from operators.workload.kinds import DEFINITION, INSTANCE, WORKLOAD
from operators.workload.revisions import cause_of, generation_of
from threeport.common.errors import AlreadyExists, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, is_ready, set_condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, Waiting
from threeport.controller.events import record_event
from threeport.controller.status import write_status
from threeport.resources.annotations import CHANGE_CAUSE
from threeport.resources.kind import Kind

_PASSED_ON: Final = ("runtimeRef", "driftPolicy", "driftInterval")
"""Fields of a workload that its instance has, too."""


async def reconcile_workload(controller: Controller, workload: FrozenJson) -> str:
    """Makes definition and instance what the workload says. Raises `Refused` where others own these names."""
    metadata = workload["metadata"]
    current = await controller.client.find(WORKLOAD, metadata["name"], metadata["namespace"])
    if current is None or current["metadata"]["uid"] != metadata["uid"] or _is_going(current):
        return "is gone, or going"
    workload = current
    definition = await controller.client.find(DEFINITION, metadata["name"], metadata["namespace"])
    _refuse_foreign(definition, workload, DEFINITION)
    if definition is None or _definition_spec(definition) != _definition_spec(workload):
        definition = await _write_definition(controller, workload, definition)
    instance = await controller.client.find(INSTANCE, metadata["name"], metadata["namespace"])
    _refuse_foreign(instance, workload, INSTANCE)
    wanted = {name: workload["spec"].get(name) for name in _PASSED_ON}
    if instance is None:
        told = {"definitionRef": {"name": metadata["name"]}, "definitionRevision": generation_of(definition)}
        spec = {name: value for name, value in (told | wanted).items() if value is not None}
        instance = await _create(controller, INSTANCE, workload, spec)
    elif changes := {name: value for name, value in wanted.items() if instance["spec"].get(name) != value}:
        instance = await controller.client.patch(INSTANCE, metadata["name"], metadata["namespace"], {"spec": changes})
    await mirror(controller, workload, instance, observed=True)
    return f"is deployed as WorkloadInstance {metadata['name']}"


async def mirror(controller: Controller, workload: FrozenJson, instance: FrozenJson, *, observed: bool = False) -> None:
    """Shows in the workload how its instance is. `observed` says that definition and instance have just been made what
    this generation of the workload asks for; else the workload may have changed since, and is not Ready for it."""
    news: list[FrozenJson] = []
    current = await _is_current(controller, instance)

    def change(status: JsonObject, seen: FrozenJson) -> None:
        news.clear()
        if _is_going(seen):
            return
        theirs = instance.get("status") or {}
        for name in ("health", "runtime", "readyResources"):
            status[name] = theirs.get(name)
        former = condition(status, READY)
        ready = condition(theirs, READY) or {"reason": "Deploying", "message": "The instance has just been made."}
        if observed:
            generation = workload["metadata"].get("generation")
            status["observedGeneration"] = max(generation or 0, status.get("observedGeneration") or 0) or None
        made = {
            "reason": ready.get("reason", "") if current else "Deploying",
            "message": ready.get("message", "") if current else "The instance is being brought up to date.",
        }
        truth: Truth = "True" if current and is_ready(instance) else "False"
        set_condition(status, READY, truth, generation=status.get("observedGeneration"), **made)
        if former is None or former.get("reason") != made["reason"]:
            news.append(made)

    written = await write_status(controller.client, WORKLOAD, workload, change)
    if written is not None and news and is_ready(written):
        await record_event(controller.client, written, controller=controller.name, **news[0])


async def _is_current(controller: Controller, instance: FrozenJson) -> bool:
    """Whether what the instance says of itself holds for its spec and, if it is Ready, for its present definition."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    if status.get("observedGeneration") != metadata.get("generation"):
        return False
    if not is_ready(instance):
        return True
    definition = await controller.client.find(DEFINITION, metadata["name"], metadata["namespace"])
    return definition is not None and status.get("definitionGeneration") == definition["metadata"].get("generation")


async def remove_workload(controller: Controller, workload: FrozenJson) -> str:
    """Deletes the instance, then the definition. Raises `Waiting` until both are gone."""
    metadata = workload["metadata"]
    for kind in (INSTANCE, DEFINITION):
        found = await controller.client.find(kind, metadata["name"], metadata["namespace"])
        if found is None or not owns(workload, found):
            continue
        if not _is_going(found):
            found = await _delete(controller, kind, found)
        if found is not None:
            ready = condition(found.get("status"), READY) or {}
            why = ready.get("message") if ready.get("reason") not in REASONS else None
            why = why or "it is being deleted"
            raise Waiting("Deleting", f"waits for {kind.kind} {metadata['name']}: {why}", first=1, longest=15)
    return "its instance and definition are gone; deleted"


def owns(workload: FrozenJson, obj: FrozenJson) -> bool:
    """Whether the workload is the owner of the object."""
    references = obj["metadata"].get("ownerReferences") or ()
    return any(reference.get("uid") == workload["metadata"]["uid"] for reference in references)


def owner_of(obj: FrozenJson) -> str | None:
    """The name of the Workload that owns the object, if one does."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((str(one["name"]) for one in references if one.get("kind") == WORKLOAD.kind), None)


async def _write_definition(controller: Controller, workload: FrozenJson, definition: FrozenJson | None) -> JsonObject:
    """Creates or changes the definition, with secrets in clear on the way: what is shown of them is no value."""
    metadata = workload["metadata"]
    clear = await controller.client.get(WORKLOAD, metadata["name"], metadata["namespace"], reveal=True)
    spec = _definition_spec(clear)
    if definition is None:
        return await _create(controller, DEFINITION, workload, spec)
    change: JsonObject = {"spec": spec}
    if (cause := cause_of(clear)) != cause_of(definition):
        change["metadata"] = {"annotations": cause or {CHANGE_CAUSE: None}}
    return await controller.client.patch(DEFINITION, metadata["name"], metadata["namespace"], change)


def _definition_spec(obj: FrozenJson) -> JsonObject:
    """What a workload and its definition have in common."""
    spec = obj["spec"]
    return {"manifests": spec["manifests"], "onImmutableChange": spec.get("onImmutableChange") or "Fail"}


async def _create(controller: Controller, kind: Kind, workload: FrozenJson, spec: JsonObject) -> JsonObject:
    metadata = workload["metadata"]
    owner = {
        "apiVersion": WORKLOAD.api_version,
        "kind": WORKLOAD.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    body = {
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": dict(metadata.get("labels") or {}),
            "annotations": cause_of(workload),
            "ownerReferences": [owner],
        },
        "spec": spec,
    }
    try:
        return await controller.client.create(body, kind)
    except AlreadyExists:
        raise Waiting("Changed", f"{kind.kind} {metadata['name']} has just appeared", first=0.5) from None


async def _delete(controller: Controller, kind: Kind, obj: FrozenJson) -> JsonObject | None:
    """Asks for the deletion. Returns the object if it is still there afterwards."""
    metadata = obj["metadata"]
    try:
        await controller.client.delete(kind, metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except NotFound:
        return None
    return await controller.client.find(kind, metadata["name"], metadata["namespace"])


def _is_going(obj: FrozenJson) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _refuse_foreign(obj: FrozenJson | None, workload: FrozenJson, kind: Kind) -> None:
    if obj is not None and not owns(workload, obj):
        raise Refused(
            "NameTaken",
            f"{kind.kind} {workload['metadata']['name']} exists and was not made by this workload; "
            "give the workload another name, or delete that object",
        )
