"""What a transaction is asked to do: its operations, each checked and placed.

{"operations": [{"operation": "apply", "object": {...}}, ...], "dryRun": true}

What is not known is refused rather than passed over: a misspelt condition would otherwise be none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from threeport.common.errors import ApiError, BadRequest, RequestTooLarge
from threeport.common.types import JsonObject
from threeport.krm.deletion import DeleteOptions, parse_options
from threeport.krm.interfaces import Verb
from threeport.krm.metadata_rules import MANAGER_RULE, is_manager
from threeport.krm.paths import Target
from threeport.krm.writing.plans import Options
from threeport.resources.kind import Catalog

OPERATIONS_LIMIT = 1000

VERBS: dict[str, Verb] = {
    "create": "create",
    "apply": "patch",
    "patch": "patch",
    "update": "update",
    "replace": "update",
    "delete": "delete",
}
_OF_ANY = {"operation", "object", "fieldManager", "force"}
_OF_DELETE = {"preconditions", "propagationPolicy", "gracePeriodSeconds"}
_OF_TRANSACTION = {"apiVersion", "kind", "operations", "dryRun"}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a transaction."""

    index: int
    operation: str
    target: Target
    obj: JsonObject
    options: Options
    deletion: DeleteOptions

    def __str__(self) -> str:
        place = f"{self.target.namespace}/" if self.target.namespace else ""
        return f"operation {self.index} ({self.operation} {self.target.kind.kind} {place}{self.target.name})"


def is_dry_run(body: JsonObject) -> bool:
    """Whether the body asks that nothing really happens: true, "All" or ["All"]. Raises `BadRequest` for what means
    neither that nor the opposite."""
    wanted = body.get("dryRun")
    # 0 and 1 are equal to False and True.
    if wanted not in (None, False, True, "All", ["All"]) or type(wanted) in (int, float):
        raise BadRequest(f'dryRun is {str(wanted)[:40]!r}; it can be true, false, "All" or ["All"]')
    return bool(wanted)


def parse_steps(catalog: Catalog, body: JsonObject, options: Options) -> list[Step]:
    """The operations of a transaction. Raises `BadRequest` naming the index of one that is none."""
    _refuse_unknown(body, _OF_TRANSACTION, "a transaction")
    operations = body.get("operations")
    if not isinstance(operations, list) or not operations:
        raise BadRequest('operations must be a list, such as [{"operation": "apply", "object": {...}}]')
    if len(operations) > OPERATIONS_LIMIT:
        raise RequestTooLarge(f"a transaction may have at most {OPERATIONS_LIMIT} operations; split it")
    steps = [_parse_step(catalog, index, operation, options) for index, operation in enumerate(operations)]
    seen: dict[object, Step] = {}
    for step in steps:
        if step.target.name and (first := seen.setdefault(step.target.key, step)) is not step:
            raise BadRequest(f"{step} is about the same object as {first}; put both changes into one operation")
    together = frozenset(step.target.key for step in steps if step.operation in ("create", "apply"))
    return [replace(step, options=replace(step.options, together=together)) for step in steps]


def _parse_step(catalog: Catalog, index: int, operation: Any, options: Options) -> Step:
    if not isinstance(operation, dict) or str(operation.get("operation")) not in VERBS:
        raise BadRequest(f"operations[{index}].operation must be one of {', '.join(VERBS)}")
    verb: str = operation["operation"]
    _refuse_unknown(operation, _OF_ANY | (_OF_DELETE if verb == "delete" else set()), f"operations[{index}], {verb},")
    obj = operation.get("object")
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise BadRequest(f"operations[{index}].object must be an object with apiVersion, kind and metadata")
    target = _target(catalog, index, verb, obj)
    return Step(
        index, verb, target, obj, _options(index, operation, options), _deletion(index, operation, obj, options)
    )


def _target(catalog: Catalog, index: int, verb: str, obj: JsonObject) -> Target:
    kind = catalog.by_kind(str(obj.get("apiVersion")), str(obj.get("kind")))
    if kind is None:
        raise BadRequest(
            f"operations[{index}].object is of {obj.get('apiVersion')}, {obj.get('kind')}: no such kind here"
        )
    name, namespace = obj["metadata"].get("name") or "", obj["metadata"].get("namespace") or ""
    if not isinstance(name, str) or not isinstance(namespace, str):
        raise BadRequest(f"operations[{index}].object.metadata: name and namespace must be text")
    if kind.namespaced and not namespace:
        raise BadRequest(f"operations[{index}].object.metadata.namespace is missing: {kind.kind} lives in a namespace")
    if not name and verb != "create":
        raise BadRequest(f"operations[{index}].object.metadata.name is missing")
    return Target(kind, namespace if kind.namespaced else "", name)


def _options(index: int, operation: JsonObject, options: Options) -> Options:
    manager, force = operation.get("fieldManager", options.manager), operation.get("force", options.force)
    if not isinstance(manager, str) or not is_manager(manager):
        raise BadRequest(f"operations[{index}].fieldManager must be {MANAGER_RULE}")
    if not isinstance(force, bool):
        raise BadRequest(f"operations[{index}].force must be true or false")
    return replace(options, manager=manager, force=force)


def _deletion(index: int, operation: JsonObject, obj: JsonObject, options: Options) -> DeleteOptions:
    """How to delete. The uid of the object, if it is given, is a condition: another of its name is not meant."""
    given = {name: operation[name] for name in _OF_DELETE & operation.keys()}
    try:
        asked = parse_options(given, dry_run=options.dry_run)
    except ApiError as error:
        raise type(error)(f"operations[{index}]: {error.message}", causes=error.causes) from None
    return replace(asked, uid=asked.uid or obj["metadata"].get("uid") or None)


def _refuse_unknown(given: JsonObject, known: Collection[str], what: str) -> None:
    if unknown := sorted(given.keys() - set(known)):
        raise BadRequest(f"{what} has no field {unknown[0][:60]!r}; it can have {', '.join(sorted(known))}")
