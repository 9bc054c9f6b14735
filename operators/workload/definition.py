"""WorkloadDefinition: checked, counted, kept as a revision, and its changes passed on to its instances."""

from __future__ import annotations

from operators.workload.kinds import DEFINITION, INSTANCE
from operators.workload.revisions import ensure_revision, generation_of, instances_of, is_manual, prune_revisions
from operators.workload.wakeups import definition_changed
from threeport.common.errors import Invalid
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, decide
from threeport.controller.waking import change_all
from threeport.resources.manifests import split_manifests


async def reconcile_definition(controller: Controller, seen: FrozenJson) -> str:
    """Checks the manifests, keeps them as a revision, and advances the instances (or leaves that to a person).

    `seen` may be an old copy: instances would be taken back to it. Raises `Refused` for manifests that are none.
    """
    metadata = seen["metadata"]
    definition = await controller.client.find(DEFINITION, metadata["name"], metadata["namespace"])
    if definition is None or definition["metadata"]["uid"] != metadata["uid"]:
        return "is gone"
    try:
        count = len(split_manifests(definition["spec"]["manifests"]))
    except Invalid as error:
        raise Refused("InvalidManifests", error.message) from None
    await ensure_revision(controller, definition)
    generation = generation_of(definition)

    def note(status: JsonObject, _: FrozenJson) -> None:
        status["resources"] = count
        status["revision"] = generation

    sentence = f"holds {count} Kubernetes objects."
    await decide(controller, DEFINITION, definition, "True", "Valid", sentence, also=note)
    instances = await instances_of(controller, definition)
    living = [one for one in instances if not one["metadata"].get("deletionTimestamp")]
    behind = [] if is_manual(definition) else [one for one in living if needs_advance(one, generation)]
    told: JsonObject = {"spec": {"definitionRevision": generation}}
    advanced = await change_all(controller.client, INSTANCE, behind, told)
    woken = await definition_changed(controller, definition, [one for one in living if one not in behind])
    pruned = await prune_revisions(controller, definition, instances)
    return sentence + "".join(
        text
        for number, text in (
            (advanced, f" Advanced {advanced} instances to revision {generation}."),
            (woken, f" Woke {woken} instances that waited for it."),
            (pruned, f" Deleted {pruned} old revisions."),
        )
        if number
    )


def needs_advance(instance: FrozenJson, generation: int) -> bool:
    """Whether the instance neither has this revision nor has been told of it.

    One that has not noted yet with which revision it begins asks for the definition once more when it has: it finds
    the present one by itself, unless it has given up.
    """
    told, status = instance["spec"].get("definitionRevision"), instance.get("status") or {}
    if told is not None:
        return bool(told != generation)
    running = status.get("definitionGeneration")
    return condition(status, READY) is not None if running is None else bool(running != generation)
