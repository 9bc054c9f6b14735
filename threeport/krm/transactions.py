"""Several operations on objects of any kinds, all of them or none: ``POST .../transactions``.

{"operations": [{"operation": "apply", "object": {...}}, ...]} -> {"results": [{...}, ...]}
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from threeport.common.errors import ApiError, BadRequest, Conflict, RequestTooLarge
from threeport.common.types import JsonObject
from threeport.krm.deletion import parse_options
from threeport.krm.interfaces import Caller, Verb
from threeport.krm.patches import merge_patched
from threeport.krm.paths import Target
from threeport.krm.views import Views
from threeport.krm.writing import ATTEMPTS, Options, Plan, Writer
from threeport.resources.kind import Catalog
from threeport.store.records import NameTaken, StaleRevision, StillReferenced, StoredObject

OPERATIONS_LIMIT = 1000

_VERBS: dict[str, Verb] = {
    "create": "create",
    "apply": "patch",
    "patch": "patch",
    "update": "update",
    "replace": "update",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a transaction."""

    index: int
    operation: str
    target: Target
    obj: JsonObject
    options: Options

    def __str__(self) -> str:
        place = f"{self.target.namespace}/" if self.target.namespace else ""
        return f"operation {self.index} ({self.operation} {self.target.kind.kind} {place}{self.target.name})"


def parse_steps(catalog: Catalog, body: JsonObject, options: Options) -> list[Step]:
    """The operations of a transaction. Raises `BadRequest` naming the index of one that is none."""
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
    if not isinstance(operation, dict) or str(operation.get("operation")) not in _VERBS:
        raise BadRequest(f"operations[{index}].operation must be one of {', '.join(_VERBS)}")
    obj = operation.get("object")
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise BadRequest(f"operations[{index}].object must be an object with apiVersion, kind and metadata")
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
    if not name and operation["operation"] != "create":
        raise BadRequest(f"operations[{index}].object.metadata.name is missing")
    own = replace(
        options,
        manager=str(operation.get("fieldManager") or options.manager),
        force=bool(operation.get("force", options.force)),
    )
    target = Target(kind, namespace if kind.namespaced else "", name)
    return Step(index, operation["operation"], target, obj, own)


class Transactions:
    """Carries out transactions."""

    def __init__(self, writer: Writer, views: Views) -> None:
        self._writer = writer
        self._views = views

    async def run(self, caller: Caller, steps: Sequence[Step], *, dry_run: bool) -> tuple[list[str], list[str]]:
        """The JSON texts of the resulting objects in order, and warnings.

        Raises the error of the operation that failed, with its index; then nothing has been changed.
        """
        for step in steps:
            await self._writer.authorize(caller, _VERBS[step.operation], step.target)
        for _ in range(ATTEMPTS):
            plans = [await self._plan(caller, step) for step in steps]
            try:
                stored = await self._store(caller, steps, plans, dry_run=dry_run)
            except StaleRevision:
                await asyncio.sleep(random.uniform(0, 0.05))
                continue
            texts = [self._views.text(p.kind, obj, caller.controller) for p, obj in zip(plans, stored, strict=True)]
            return texts, [warning for plan in plans for warning in plan.warnings]
        raise Conflict("objects of the transaction keep changing; nothing was changed, try again")

    async def _store(
        self, caller: Caller, steps: Sequence[Step], plans: Sequence[Plan], *, dry_run: bool
    ) -> list[StoredObject]:
        if dry_run:
            return [plan.outcome for plan in plans]
        try:
            return await self._writer.store(plans, fence=caller.fence)
        except (NameTaken, StillReferenced) as error:
            step = next(step for step in steps if plans[step.index].outcome.key == error.key)
            if isinstance(error, NameTaken) and step.operation == "apply":
                raise StaleRevision(error.key, error.found) from None
            raise _located(step, self._writer.explained(error, step.target.kind)) from None

    async def _plan(self, caller: Caller, step: Step) -> Plan:
        try:
            return await self._plan_step(caller, step)
        except ApiError as error:
            raise _located(step, error) from None

    async def _plan_step(self, caller: Caller, step: Step) -> Plan:
        writer, target, obj, options = self._writer, step.target, step.obj, step.options
        match step.operation:
            case "create":
                return await writer.plan_create(caller, target, obj, options)
            case "apply":
                return await writer.plan_apply(caller, target, obj, options)
            case "delete":
                return await writer.plan_delete(caller, target, parse_options({}, dry_run=options.dry_run))
            case "update" | "replace":
                return await writer.plan_update(caller, target, lambda live: _copy(obj), options, verb="update")
        return await writer.plan_update(
            caller, target, lambda live: merge_patched(live, _copy(obj)), options, verb="patch"
        )


def _copy(obj: JsonObject) -> JsonObject:
    """A copy that the plan may change: the transaction may have to be planned again."""
    copy: JsonObject = orjson.loads(orjson.dumps(obj))
    return copy


def _located(step: Step, error: ApiError) -> ApiError:
    """The same error, saying which operation it is about."""
    return type(error)(
        f"{step}: {error.message}; nothing was changed",
        kind=error.kind,
        name=error.name,
        causes=[replace(cause, field=f"operations[{step.index}].object.{cause.field}") for cause in error.causes],
        retry_after=error.retry_after,
    )
