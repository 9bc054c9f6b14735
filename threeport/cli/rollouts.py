"""Rollouts: the definition behind an object, its revisions, the instances that run them, and how to go back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.client import Client
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.annotations import CHANGE_CAUSE
from threeport.resources.kind import Kind
from threeport.resources.model import kind_of
from threeport.resources.workload import (
    Workload,
    WorkloadDefinition,
    WorkloadDefinitionRevision,
    WorkloadInstance,
)
from threeport.store.records import Key

WORKLOAD, DEFINITION, INSTANCE = kind_of(Workload), kind_of(WorkloadDefinition), kind_of(WorkloadInstance)
REVISION = kind_of(WorkloadDefinitionRevision)

NAME_TAKEN: Final = "NameTaken"
"""Why a Workload cannot have the definition and the instance of its name."""

FINAL: Final = frozenset(
    {
        "DeniedByPolicy",
        "FieldImmutable",
        "InvalidManifests",
        "InvalidPatch",
        NAME_TAKEN,
        "NotOurs",
        "Rejected",
        "RevisionNotFound",
    }
)
"""Reasons for not being Ready that last until a person does something."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a rollout is about: the object that was named, the definition behind it, and instances of it."""

    kind: Kind
    obj: JsonObject
    definition: JsonObject
    instances: Sequence[JsonObject]
    """All of the definition, or the one that was named."""

    @property
    def newest(self) -> int:
        """The newest revision of the definition."""
        return int(self.definition["metadata"].get("generation") or 1)

    @property
    def is_manual(self) -> bool:
        """Whether a person says which revision an instance runs."""
        return bool((self.definition["spec"].get("rollout") or {}).get("strategy") == "Manual")

    @property
    def to_change(self) -> tuple[Kind, str]:
        """Whose manifests to change: those of the Workload that owns the definition, if one does."""
        metadata = self.definition["metadata"]
        owners = metadata.get("ownerReferences") or ()
        owner = next((one["name"] for one in owners if one.get("kind") == WORKLOAD.kind), None)
        return (WORKLOAD, str(owner)) if owner else (DEFINITION, str(metadata["name"]))

    @property
    def title(self) -> str:
        """``workload/shop``."""
        return f"{self.kind.singular}/{self.obj['metadata']['name']}"


async def find_rollout(client: Client, kind: Kind, name: str, namespace: str) -> Rollout:
    """The rollout of a Workload, a WorkloadDefinition or a WorkloadInstance. Raises `NotFound`, or `CliError` for
    other kinds and for what has no definition yet."""
    if kind.resource not in (WORKLOAD.resource, DEFINITION.resource, INSTANCE.resource):
        raise CliError(
            f"A {kind.singular} has no rollout; name a {WORKLOAD.singular}, {DEFINITION.singular} or "
            f"{INSTANCE.singular}.",
            ExitCode.USAGE,
        )
    obj = await client.get(kind, name, namespace)
    definition = await _definition(client, kind, obj)
    if kind.resource == INSTANCE.resource:
        return Rollout(kind, obj, definition, [obj])
    metadata = definition["metadata"]
    key = Key(DEFINITION.resource, metadata["namespace"], metadata["name"])
    return Rollout(kind, obj, definition, (await client.list(INSTANCE, referring_to=key)).items)


async def revisions_of(client: Client, definition: FrozenJson) -> list[JsonObject]:
    """The revisions of a definition that are kept, the oldest first; none of a namesake that is gone."""
    metadata = definition["metadata"]
    key = Key(DEFINITION.resource, metadata["namespace"], metadata["name"])
    found = (await client.list(REVISION, metadata["namespace"], referring_to=key)).items
    return sorted((one for one in found if _is_owned_by(definition, one)), key=number_of)


def _is_owned_by(definition: FrozenJson, revision: FrozenJson) -> bool:
    owners = revision["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == definition["metadata"]["uid"] for owner in owners)


def told_revision(rollout: Rollout, instance: FrozenJson) -> int:
    """The revision that an instance has to run: the one it was told, else the one it runs, else the newest."""
    told, status = instance["spec"].get("definitionRevision"), instance.get("status") or {}
    return int(told or status.get("definitionGeneration") or rollout.newest)


def former_of(rollout: Rollout, instance: FrozenJson, kept: Sequence[FrozenJson], wanted: int | None) -> FrozenJson:
    """The revision to which an instance goes back: the one with the number `wanted`, else the last one before that
    which it has to run that holds other manifests. Raises `CliError` as `chosen` does."""
    told = told_revision(rollout, instance)
    current = next((one for one in kept if number_of(one) == told), rollout.definition)
    if wanted is not None:
        return chosen(kept, current, wanted)
    manifests = current["spec"]["manifests"]
    former = [one for one in kept if number_of(one) < told and one["spec"]["manifests"] != manifests]
    if not former:
        message = f"no revision before {told} holds other manifests (kept are: {_numbers(kept)})"
        raise CliError(f"There is nothing to go back to: {message}.")
    return former[-1]


def number_of(revision: FrozenJson) -> int:
    """The number of a revision."""
    return int(revision["spec"]["revision"])


def cause_of(obj: FrozenJson) -> str:
    """Why somebody changed it, in their words; empty if they did not say."""
    return str((obj["metadata"].get("annotations") or {}).get(CHANGE_CAUSE) or "")


def refusals_of(rollout: Rollout) -> list[str]:
    """What only a person can mend: why the object, its definition or an instance cannot become what it has to be."""
    # For the rest a Workload repeats what its instance says, be it of an earlier revision.
    own = [rollout.obj] if _ready(rollout.obj).get("reason") == NAME_TAKEN else []
    found = _named(WORKLOAD, own) + _named(DEFINITION, [rollout.definition])
    if found or (rollout.kind.resource == WORKLOAD.resource and not is_observed(rollout.obj)):
        return found
    return _named(INSTANCE, [one for one in rollout.instances if _is_told(rollout, one)])


def _named(kind: Kind, objects: Sequence[FrozenJson]) -> list[str]:
    """What those of the objects say whom only a person can help."""
    said = [(one["metadata"]["name"], _final(one)) for one in objects]
    return [f"{kind.singular}/{name}: {why}" for name, why in said if why]


def _is_told(rollout: Rollout, instance: FrozenJson) -> bool:
    """Whether the instance has been told of the revision that it has to run: else it speaks of another."""
    running = (instance.get("status") or {}).get("definitionGeneration")
    return rollout.is_manual or (instance["spec"].get("definitionRevision") or running) == rollout.newest


def _final(obj: FrozenJson) -> str | None:
    """What an object says of its present generation, if only a person can mend it."""
    ready = _ready(obj)
    if ready.get("status") == "True" or ready.get("reason") not in FINAL or not is_observed(obj):
        return None
    return f"{ready['reason']}: {ready.get('message') or ''}"


def is_observed(obj: FrozenJson) -> bool:
    """Whether the status speaks of the present generation."""
    return bool((obj.get("status") or {}).get("observedGeneration") == obj["metadata"].get("generation"))


def _ready(obj: FrozenJson) -> FrozenJson:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == "Ready"), {})


def chosen(revisions: Sequence[FrozenJson], current: FrozenJson, wanted: int | None) -> FrozenJson:
    """The revision to go back to: the one with the number `wanted`, else the newest that holds other manifests than
    `current`. Raises `CliError` that names those that there are."""
    if wanted is not None:
        found = next((one for one in revisions if number_of(one) == wanted), None)
        if found is None:
            raise CliError(f"There is no revision {wanted}; kept are: {_numbers(revisions)}.", ExitCode.NOT_FOUND)
        return found
    manifests = current["spec"]["manifests"]
    former = next((one for one in reversed(revisions) if one["spec"]["manifests"] != manifests), None)
    if former is None:
        message = f"no revision holds other manifests (kept are: {_numbers(revisions)})"
        raise CliError(f"There is nothing to go back to: {message}.")
    return former


def _numbers(revisions: Sequence[FrozenJson]) -> str:
    return ", ".join(str(number_of(one)) for one in revisions) or "none"


def is_rolled_out(rollout: Rollout, instance: FrozenJson) -> bool:
    """Whether the instance runs the revision that it has to run, and is Ready."""
    return _behind(rollout, instance) is None


def state_of(rollout: Rollout, instance: FrozenJson) -> str:
    """How far the rollout has come on an instance, in one line."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    running = status.get("definitionGeneration")
    where = f" on {status['runtime']}" if status.get("runtime") else ""
    runs = f"revision {running} of {rollout.newest}" if running else "nothing yet"
    why = _behind(rollout, instance)
    return f"{INSTANCE.singular}/{metadata['name']}{where}: runs {runs}, {why or 'ready'}"


def _behind(rollout: Rollout, instance: FrozenJson) -> str | None:
    """Why the instance is not where it has to be; None if it is."""
    status = instance.get("status") or {}
    told = instance["spec"].get("definitionRevision")
    wanted = (told or status.get("definitionGeneration")) if rollout.is_manual else rollout.newest
    if not is_observed(instance):
        return "is being brought up to date"
    ready = _ready(instance)
    if ready.get("status") != "True":
        return f"{ready.get('reason') or 'not ready'}: {ready.get('message') or 'nobody has looked at it yet'}"
    return None if status.get("definitionGeneration") == wanted else f"waits for revision {wanted}"


async def _definition(client: Client, kind: Kind, obj: JsonObject) -> JsonObject:
    metadata = obj["metadata"]
    if kind.resource == DEFINITION.resource:
        return obj
    reference = obj["spec"]["definitionRef"] if kind.resource == INSTANCE.resource else {"name": metadata["name"]}
    namespace = reference.get("namespace") or metadata["namespace"]
    found = await client.find(DEFINITION, reference["name"], namespace)
    if found is None:
        raise CliError(
            f"{kind.singular}/{metadata['name']} has no definition yet ({namespace}/{reference['name']}).",
            ExitCode.NOT_FOUND,
        )
    return found
