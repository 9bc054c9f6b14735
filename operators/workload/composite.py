"""Workload: owns a definition and one instance of it, both of its name, and shows how the instance is."""

from __future__ import annotations

from typing import Final

from operators.workload.health import REASONS
from operators.workload.kinds import DEFINITION, INSTANCE, WORKLOAD
from operators.workload.mirroring import mirror
from operators.workload.revisions import cause_of, generation_of
from threeport.common.errors import AlreadyExists, Conflict, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Waiting
from threeport.resources.annotations import CHANGE_CAUSE
from threeport.resources.kind import Kind

_PASSED_ON: Final = ("runtimeRef", "driftPolicy", "driftInterval")
"""Fields of a workload that its instance has, too."""

NAME_TAKEN: Final = "NameTaken"
"""Why a workload cannot have the definition or the instance of its name."""
IN_USE: Final = "InUse"
"""Why a workload cannot go: others use its definition."""


async def reconcile_workload(controller: Controller, workload: FrozenJson) -> str:
    """Makes definition and instance what the workload says. Raises `Waiting` where others have these names."""
    metadata = workload["metadata"]
    current = await controller.client.find(WORKLOAD, metadata["name"], metadata["namespace"])
    if current is None or current["metadata"]["uid"] != metadata["uid"] or _is_going(current):
        return "is gone, or going"
    workload = current
    definition = await controller.client.find(DEFINITION, metadata["name"], metadata["namespace"])
    _refuse_foreign(definition, workload, DEFINITION)
    if definition is None or not is_told(workload, definition):
        definition = await _write_definition(controller, workload, definition)
    instance = await controller.client.find(INSTANCE, metadata["name"], metadata["namespace"])
    _refuse_foreign(instance, workload, INSTANCE)
    if instance is None:
        wanted = {name: workload["spec"].get(name) for name in _PASSED_ON}
        told = {"definitionRef": {"name": metadata["name"]}, "definitionRevision": generation_of(definition)}
        spec = {name: value for name, value in (told | wanted).items() if value is not None}
        instance = await _create(controller, INSTANCE, workload, spec)
    elif changes := to_tell(workload, instance):
        instance = await controller.client.patch(INSTANCE, metadata["name"], metadata["namespace"], {"spec": changes})
    await mirror(controller, workload, instance, observed=True)
    return f"is deployed as WorkloadInstance {metadata['name']}"


def is_told(workload: FrozenJson, definition: FrozenJson) -> bool:
    """Whether the definition says what the workload says."""
    return _definition_spec(definition) == _definition_spec(workload)


def to_tell(workload: FrozenJson, instance: FrozenJson) -> JsonObject:
    """The fields in which the instance does not say what the workload says, with their values."""
    wanted = {name: workload["spec"].get(name) for name in _PASSED_ON}
    return {name: value for name, value in wanted.items() if instance["spec"].get(name) != value}


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
    """Asks for the deletion. Returns the object if it is still there; raises `Waiting` if it is in use."""
    metadata = obj["metadata"]
    try:
        await controller.client.delete(kind, metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except NotFound:
        return None
    except Conflict as error:  # others have made instances of the definition
        message = f"waits until nobody uses its {kind.kind} any more: {error.message}"
        raise Waiting(IN_USE, message, longest=60) from None
    return await controller.client.find(kind, metadata["name"], metadata["namespace"])


def _is_going(obj: FrozenJson) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _refuse_foreign(obj: FrozenJson | None, workload: FrozenJson, kind: Kind) -> None:
    if obj is not None and not owns(workload, obj):
        raise Waiting(
            NAME_TAKEN,
            f"{kind.kind} {workload['metadata']['name']} exists and was not made by this workload; "
            "give the workload another name, or delete that object",
        )
