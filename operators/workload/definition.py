"""WorkloadDefinition: checked, counted, and its changes passed on to the instances that were made from it."""

from __future__ import annotations

from operators.workload.kinds import DEFINITION, INSTANCE
from threeport.common.errors import Invalid, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, decide
from threeport.resources.manifests import split_manifests
from threeport.store.records import Key


async def reconcile_definition(controller: Controller, definition: FrozenJson) -> str:
    """Checks the manifests, counts them, and advances the instances. Raises `Refused` for manifests that are none."""
    try:
        count = len(split_manifests(definition["spec"]["manifests"]))
    except Invalid as error:
        raise Refused("InvalidManifests", error.message) from None

    def note(status: JsonObject, _: FrozenJson) -> None:
        status["resources"] = count

    sentence = f"holds {count} Kubernetes objects."
    await decide(controller, DEFINITION, definition, "True", "Valid", sentence, also=note)
    advanced = await advance_instances(controller, definition)
    return sentence + (f" Advanced {advanced} instances to generation {_generation(definition)}." if advanced else "")


async def advance_instances(controller: Controller, definition: FrozenJson) -> int:
    """Tells instances of the definition that there is a new generation to deploy. Returns how many were told."""
    metadata = definition["metadata"]
    key = Key(DEFINITION.resource, metadata["namespace"], metadata["name"])
    instances = (await controller.client.list(INSTANCE, referring_to=key)).items
    told = 0
    for instance in instances:
        if _refers_to(instance, definition) and needs_advance(instance, _generation(definition)):
            told += await _advance(controller, instance, _generation(definition))
    return told


def needs_advance(instance: FrozenJson, generation: int) -> bool:
    """Whether the instance neither has this generation nor has been told of it.

    One that nobody has looked at yet will find the present generation by itself.
    """
    told, status = instance["spec"].get("definitionRevision"), instance.get("status") or {}
    if told is not None:
        return bool(told != generation)
    return bool(status) and status.get("definitionGeneration") != generation


async def _advance(controller: Controller, instance: FrozenJson, generation: int) -> int:
    metadata = instance["metadata"]
    if metadata.get("deletionTimestamp"):
        return 0
    try:
        await controller.client.patch(
            INSTANCE, metadata["name"], metadata["namespace"], {"spec": {"definitionRevision": generation}}
        )
    except NotFound:
        return 0
    return 1


def _refers_to(instance: FrozenJson, definition: FrozenJson) -> bool:
    """A Kubernetes API server knows no selector by reference and lists all instances."""
    reference, metadata = instance["spec"]["definitionRef"], definition["metadata"]
    namespace = reference.get("namespace") or instance["metadata"]["namespace"]
    return bool((namespace, reference["name"]) == (metadata["namespace"], metadata["name"]))


def _generation(definition: FrozenJson) -> int:
    return int(definition["metadata"].get("generation") or 1)
