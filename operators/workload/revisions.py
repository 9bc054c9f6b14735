"""Revisions: immutable copies of a definition, one per generation, so that every state that runs can be had again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from operators.workload.kinds import DEFINITION, INSTANCE, REVISION
from threeport.common.errors import AlreadyExists, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.controller import Controller
from threeport.controller.cycle import Waiting
from threeport.resources.annotations import CHANGE_CAUSE
from threeport.resources.workload import revision_name
from threeport.store.records import Key

KEPT: Final = 10
"""Revisions of a definition that are kept, besides those that instances use."""


async def ensure_revision(controller: Controller, definition: FrozenJson) -> None:
    """Makes the revision of the definition's present generation, if there is none yet."""
    metadata, generation = definition["metadata"], generation_of(definition)
    name = revision_name(metadata["name"], metadata["uid"], generation)
    if await controller.client.find(REVISION, name, metadata["namespace"]) is not None:
        return
    clear = await _in_clear(controller, definition)
    if clear is None or generation_of(clear) != generation:
        return  # gone, or changed meanwhile: the change makes a cycle of its own
    owner = {
        "apiVersion": DEFINITION.api_version,
        "kind": DEFINITION.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    body = {
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "annotations": cause_of(clear),
            "ownerReferences": [owner],
        },
        "spec": {
            "definitionRef": {"name": metadata["name"]},
            "revision": generation,
            "manifests": clear["spec"]["manifests"],
        },
    }
    try:
        await controller.client.create(body, REVISION)
    except AlreadyExists:
        return


async def ensure_kept(controller: Controller, definition: FrozenJson, revision: int) -> None:
    """Makes the newest revision, before an instance runs it that a person has to advance, if that is what `revision`
    is and the definition's controller has not said yet that it is there. Else the instance could not stay at it when
    the definition changes before that controller comes to it."""
    noted = (definition.get("status") or {}).get("revision")
    if is_manual(definition) and revision == generation_of(definition) != noted:
        await ensure_revision(controller, definition)


def cause_of(obj: FrozenJson) -> dict[str, str]:
    """The annotation that says why the object was changed, if it has it."""
    annotations = obj["metadata"].get("annotations") or {}
    return {CHANGE_CAUSE: annotations[CHANGE_CAUSE]} if CHANGE_CAUSE in annotations else {}


async def prune_revisions(controller: Controller, definition: FrozenJson, instances: Sequence[FrozenJson]) -> int:
    """Deletes the oldest revisions that nobody uses. Returns how many."""
    revisions = await revisions_of(controller, definition)
    leaving = superfluous(revisions, used_by(instances))
    await asyncio.gather(*(_delete(controller, revision) for revision in leaving))
    return len(leaving)


async def revisions_of(controller: Controller, definition: FrozenJson) -> list[JsonObject]:
    """The revisions of a definition, the newest first."""
    metadata = definition["metadata"]
    key = Key(DEFINITION.resource, metadata["namespace"], metadata["name"])
    found = (await controller.client.list(REVISION, metadata["namespace"], referring_to=key)).items
    # A Kubernetes API server knows no selector by reference; and those of a deleted namesake may still be there.
    own = [one for one in found if is_revision_of(definition, one)]
    return sorted(own, key=revision_number, reverse=True)


def superfluous(revisions: Sequence[FrozenJson], used: Collection[int]) -> list[FrozenJson]:
    """Those of `revisions` (the newest first) that are neither among the newest nor in use."""
    return [revision for revision in revisions[KEPT:] if revision_number(revision) not in used]


def used_by(instances: Sequence[FrozenJson]) -> set[int]:
    """The revisions that instances run, or are told to run."""
    told = {instance["spec"].get("definitionRevision") for instance in instances}
    running = {(instance.get("status") or {}).get("definitionGeneration") for instance in instances}
    return {int(number) for number in told | running if number is not None}


def wanted_revision(instance: FrozenJson, definition: FrozenJson) -> int:
    """Which revision an instance has to run: the one it names, or, unless a person decides, the newest."""
    named = instance["spec"].get("definitionRevision")
    running = (instance.get("status") or {}).get("definitionGeneration")
    if named is None and is_manual(definition):
        named = running
    return int(named or generation_of(definition))


def is_left_behind(instance: FrozenJson, definition: FrozenJson) -> bool:
    """Whether the instance names another revision than the newest, though nobody is about to advance it: the
    definition's controller did that for all that referred to the definition then. It refers to it only since, or
    somebody has set the revision by hand."""
    newest, status = generation_of(definition), definition.get("status") or {}
    is_passed_on = status.get("revision") == newest
    return is_passed_on and not is_manual(definition) and wanted_revision(instance, definition) != newest


async def at_revision(controller: Controller, definition: JsonObject, revision: int) -> JsonObject:
    """The definition (given with secrets in clear) as it was at `revision`. Raises `Waiting` if that is not kept."""
    if revision == generation_of(definition):
        return definition
    metadata = definition["metadata"]
    name = revision_name(metadata["name"], metadata["uid"], revision)
    try:
        found = await controller.client.get(REVISION, name, metadata["namespace"], reveal=True)
    except NotFound:
        kept = ", ".join(str(revision_number(one)) for one in reversed(await revisions_of(controller, definition)))
        raise Waiting(
            "RevisionNotFound",
            f"WorkloadDefinition {metadata['name']} has no revision {revision}; set spec.definitionRevision to one of "
            f"{kept or generation_of(definition)}",
        ) from None
    return {**definition, "spec": {**definition["spec"], "manifests": found["spec"]["manifests"]}}


async def holds_the_same(controller: Controller, definition: FrozenJson, revision: int | None) -> bool:
    """Whether the manifests at `revision` are those of the definition now; no, if that is not kept."""
    metadata = definition["metadata"]
    name = revision_name(metadata["name"], metadata["uid"], revision or 0)
    found = await controller.client.find(REVISION, name, metadata["namespace"])
    return found is not None and bool(found["spec"]["manifests"] == definition["spec"]["manifests"])


def users_of(instances: Sequence[FrozenJson], definition: FrozenJson) -> list[FrozenJson]:
    """Those of `instances` that refer to the definition."""
    metadata = definition["metadata"]
    wanted = (metadata["namespace"], metadata["name"])
    return [
        instance
        for instance in instances
        if (
            instance["spec"]["definitionRef"].get("namespace") or instance["metadata"]["namespace"],
            instance["spec"]["definitionRef"]["name"],
        )
        == wanted
    ]


async def instances_of(controller: Controller, definition: FrozenJson) -> list[FrozenJson]:
    """The instances of a definition."""
    metadata = definition["metadata"]
    key = Key(DEFINITION.resource, metadata["namespace"], metadata["name"])
    return users_of((await controller.client.list(INSTANCE, referring_to=key)).items, definition)


def generation_of(definition: FrozenJson) -> int:
    """The generation of a definition, which is the number of its newest revision."""
    return int(definition["metadata"].get("generation") or 1)


def revision_number(revision: FrozenJson) -> int:
    """The generation of the definition that a revision is a copy of."""
    return int(revision["spec"]["revision"])


def is_manual(definition: FrozenJson) -> bool:
    """Whether a person advances the instances."""
    return bool((definition["spec"].get("rollout") or {}).get("strategy") == "Manual")


def is_revision_of(definition: FrozenJson, revision: FrozenJson) -> bool:
    """Whether the definition owns the revision."""
    owners = revision["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == definition["metadata"]["uid"] for owner in owners)


async def _in_clear(controller: Controller, definition: FrozenJson) -> JsonObject | None:
    metadata = definition["metadata"]
    try:
        found = await controller.client.get(DEFINITION, metadata["name"], metadata["namespace"], reveal=True)
    except NotFound:
        return None
    return found if found["metadata"]["uid"] == metadata["uid"] else None


async def _delete(controller: Controller, revision: FrozenJson) -> None:
    metadata = revision["metadata"]
    try:
        await controller.client.delete(REVISION, metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except NotFound:
        return
