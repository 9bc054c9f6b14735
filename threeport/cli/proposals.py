"""Which instances a change of objects reaches, and what has to be asked about each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from threeport.cli.applying import Outcome
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.instances import DEFINITION, INSTANCE, WORKLOAD
from threeport.cli.previews import Question
from threeport.cli.revealing import in_clear
from threeport.cli.waiting import explanation
from threeport.client import Client
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.store.records import Key

_PREVIEWED: Final = ("definitionRef", "runtimeRef", "definitionRevision", "patches", "driftPolicy")
"""Fields of an instance that say what is put where, and what of it is put right."""


async def questions_about_change(client: Client, outcomes: Sequence[Outcome]) -> list[Question]:
    """What to ask about a set of objects that is to be applied."""
    by_kind: Mapping[str, list[Outcome]] = {
        kind.resource: [one for one in outcomes if one.target.kind.resource == kind.resource]
        for kind in (WORKLOAD, DEFINITION, INSTANCE)
    }
    definitions = {_key(one.new): one for one in by_kind[DEFINITION.resource]}
    proposed = {key: await _definition(client, DEFINITION, one) for key, one in definitions.items()}
    questions = [await _of_workload(client, one) for one in by_kind[WORKLOAD.resource]]
    questions += [_of_instance(one, definitions, proposed) for one in by_kind[INSTANCE.resource]]
    asked = {(question.namespace, question.name) for question in questions}
    for key, one in definitions.items():
        for instance in await instances_of(client, *key):
            if _key(instance) not in asked:
                questions.append(_of_definition(instance, one.new, proposed[key]))
    return questions


async def questions_about_object(client: Client, kind: Kind, name: str, namespace: str) -> list[Question]:
    """What to ask about an object as it is: whether the clusters are as it wants them. Raises `NotFound`, or `CliError`
    for a Workload that has no instance yet."""
    obj = await client.get(kind, name, namespace)
    if kind.resource != DEFINITION.resource:
        if kind.resource == WORKLOAD.resource and not _is_owned_by(obj, await client.find(INSTANCE, name, namespace)):
            raise CliError(f"{kind.singular}/{name} is in no cluster yet: {explanation(obj)}", ExitCode.NOT_FOUND)
        return [Question(name=name, namespace=namespace)]
    found = await instances_of(client, *_key(obj))
    return [Question(name=one["metadata"]["name"], namespace=one["metadata"]["namespace"]) for one in found]


def _is_owned_by(workload: FrozenJson, instance: FrozenJson | None) -> bool:
    owners = instance["metadata"].get("ownerReferences") or () if instance is not None else ()
    return any(owner.get("uid") == workload["metadata"]["uid"] for owner in owners)


async def instances_of(client: Client, namespace: str, name: str) -> list[JsonObject]:
    """The instances of a definition."""
    return (await client.list(INSTANCE, referring_to=Key(DEFINITION.resource, namespace, name))).items


async def _of_workload(client: Client, outcome: Outcome) -> Question:
    namespace, name = _key(outcome.new)
    present, definition = await client.find(INSTANCE, name, namespace), await client.find(DEFINITION, name, namespace)
    if present is not None and definition is not None and _is_manual(definition):
        return Question(name=name, namespace=namespace, note=_why_it_stays(present, definition))
    instance = {"definitionRef": {"name": name}}
    instance |= {field: outcome.new["spec"].get(field) for field in ("runtimeRef", "driftPolicy")}
    patches = present["spec"].get("patches") if present else None
    spec = {
        "instance": _without_nothing(instance | {"patches": patches}),
        "definition": await _definition(client, WORKLOAD, outcome),
    }
    return Question(name=name, namespace=namespace, spec=spec)


def _of_instance(
    outcome: Outcome, definitions: Mapping[tuple[str, str], Outcome], proposed: Mapping[tuple[str, str], FrozenJson]
) -> Question:
    (namespace, name), spec = _key(outcome.new), outcome.new["spec"]
    reference = spec["definitionRef"]
    key = (reference.get("namespace") or namespace, reference["name"])
    asked: JsonObject = {"instance": _without_nothing({field: spec.get(field) for field in _PREVIEWED})}
    stays = key in definitions and not outcome.is_new and _is_manual(definitions[key].new)
    if key in proposed and not stays:
        asked["definition"] = proposed[key]
    return Question(name=name, namespace=namespace, spec=asked)


def _of_definition(instance: FrozenJson, definition: FrozenJson, proposed: FrozenJson) -> Question:
    namespace, name = _key(instance)
    if _is_manual(definition):
        return Question(name=name, namespace=namespace, note=_why_it_stays(instance, definition))
    return Question(name=name, namespace=namespace, spec={"definition": proposed})


def _why_it_stays(instance: FrozenJson, definition: FrozenJson) -> str:
    running = (instance.get("status") or {}).get("definitionGeneration") or "none"
    return f"stays at revision {running}: the rollout of {definition['metadata']['name']} is Manual"


async def _definition(client: Client, kind: Kind, outcome: Outcome) -> JsonObject:
    """What the object proposes as definition, with the values of Secrets that the file gives, or that are there."""
    given = (outcome.target.obj.get("spec") or {}).get("manifests")
    manifests = await in_clear(client, kind, outcome.old, given or outcome.new["spec"]["manifests"])
    proposed = {"manifests": manifests, "onImmutableChange": outcome.new["spec"].get("onImmutableChange")}
    return _without_nothing(proposed)


def _is_manual(definition: FrozenJson) -> bool:
    return bool((definition["spec"].get("rollout") or {}).get("strategy") == "Manual")


def _key(obj: FrozenJson) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _without_nothing(values: FrozenJson) -> JsonObject:
    return {name: value for name, value in values.items() if value is not None}
