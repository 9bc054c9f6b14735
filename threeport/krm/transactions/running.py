"""Plans the operations of a transaction one upon the other, and commits them together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from threeport.common.errors import ApiError, Conflict
from threeport.common.types import JsonObject
from threeport.krm.error_details import describe
from threeport.krm.interfaces import Caller
from threeport.krm.patches import merge_patched
from threeport.krm.services import Services
from threeport.krm.transactions.steps import VERBS, Step
from threeport.krm.writing.access import authorize
from threeport.krm.writing.committing import ATTEMPTS
from threeport.krm.writing.plans import Plan, WriteRequest
from threeport.krm.writing.refusals import explained
from threeport.krm.writing.writer import Writer
from threeport.store.records import Key, NameTaken, StaleRevision, StillReferenced, StoredObject

_Named: TypeAlias = tuple[str, str, str, str]
"""Version and kind, namespace and name of an object."""


class Transactions:
    """Carries out transactions."""

    def __init__(self, services: Services, writer: Writer) -> None:
        self._services = services
        self._writer = writer

    async def run(self, caller: Caller, steps: Sequence[Step], *, dry_run: bool) -> tuple[list[str], list[str]]:
        """The JSON texts of the resulting objects in order, and warnings.

        Raises the error of the operation that failed, with its index; then nothing has been changed.
        """
        for step in steps:
            await authorize(self._services, caller, VERBS[step.operation], step.target)
        for _ in range(ATTEMPTS):
            plans = await self._plan_all(caller, steps)
            try:
                stored = await self._store(caller, steps, plans, dry_run=dry_run)
            except StaleRevision:
                await asyncio.sleep(random.uniform(0, 0.05))
                continue
            outcomes = zip(plans, stored, strict=True)
            texts = [self._services.views.text(plan.kind, obj, caller.controller) for plan, obj in outcomes]
            return texts, [warning for plan in plans for warning in plan.warnings]
        raise Conflict("objects of the transaction keep changing; nothing was changed, try again")

    async def _store(
        self, caller: Caller, steps: Sequence[Step], plans: Sequence[Plan], *, dry_run: bool
    ) -> list[StoredObject]:
        if dry_run:
            return [plan.outcome for plan in plans]
        try:
            return await self._writer.committer.store(plans, fence=caller.fence)
        except (NameTaken, StillReferenced) as error:
            step = next(step for step in steps if plans[step.index].outcome.key == error.key)
            if isinstance(error, NameTaken) and step.operation == "apply":
                raise StaleRevision(error.key, error.found) from None
            raise _located(step, explained(error, step.target.kind, self._services.catalog)) from None

    async def _plan_all(self, caller: Caller, steps: Sequence[Step]) -> list[Plan]:
        plans: list[Plan] = []
        planned: dict[Key, StoredObject] = {}
        uids: dict[_Named, str] = {}
        for step in steps:
            options = replace(step.options, planned=planned)
            plan = await self._plan(caller, replace(step, obj=_owned(step, uids), options=options))
            key = plan.outcome.key
            planned[key] = plan.outcome
            uids[plan.kind.api_version, plan.kind.kind, key.namespace, key.name] = plan.outcome.uid
            plans.append(plan)
        return plans

    async def _plan(self, caller: Caller, step: Step) -> Plan:
        try:
            return await self._plan_step(caller, step)
        except ApiError as error:
            raise _located(step, error) from None

    async def _plan_step(self, caller: Caller, step: Step) -> Plan:
        writer, obj, request = self._writer, step.obj, WriteRequest(caller, step.target, step.options)
        match step.operation:
            case "create":
                return await writer.creator.plan(request, obj)
            case "apply":
                return await writer.applier.plan(request, obj)
            case "delete":
                return await writer.deleter.plan(caller, step.target, step.deletion)
            case "update" | "replace":
                return await writer.updater.plan(request, lambda live: _copy(obj), verb="update")
        return await writer.updater.plan(request, lambda live: merge_patched(live, _copy(obj)), verb="patch")


def _copy(obj: JsonObject) -> JsonObject:
    """A copy that the plan may change: the transaction may have to be planned again."""
    copy: JsonObject = orjson.loads(orjson.dumps(obj))
    return copy


def _owned(step: Step, uids: Mapping[_Named, str]) -> JsonObject:
    """The object of a step; owners without a uid, which an earlier operation of the transaction makes, get theirs."""
    references = step.obj["metadata"].get("ownerReferences")
    if not isinstance(references, list):
        return step.obj
    known = [_with_uid(reference, step.target.namespace, uids) for reference in references]
    return {**step.obj, "metadata": {**step.obj["metadata"], "ownerReferences": known}}


def _with_uid(reference: Any, namespace: str, uids: Mapping[_Named, str]) -> Any:
    if not isinstance(reference, dict) or reference.get("uid"):
        return reference
    version, kind, name = (str(reference.get(field)) for field in ("apiVersion", "kind", "name"))
    uid = uids.get((version, kind, namespace, name)) or uids.get((version, kind, "", name))
    return {**reference, "uid": uid} if uid else reference


def _located(step: Step, error: ApiError) -> ApiError:
    """The same error, saying which operation it is about."""
    located = type(error)(
        f"{step}: {error.message}; nothing was changed",
        kind=error.kind,
        name=error.name,
        causes=[
            replace(cause, field=f"operations[{step.index}].object.{cause.field.removeprefix('.')}")
            for cause in error.causes
        ],
        retry_after=error.retry_after,
    )
    describe(located, step.target.kind)
    return located
