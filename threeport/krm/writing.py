"""The way of a write: read, make the next version, validate, admit, seal, store; again if another write came between.

A `Plan` is a write that is ready to be made. Single requests make one and commit it; a transaction makes several and
commits them together.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import orjson

from threeport.common.errors import AlreadyExists, ApiError, Conflict, NotFound
from threeport.common.types import JsonObject
from threeport.krm import drafts, metadata
from threeport.krm.apply import applied, track_update
from threeport.krm.batches import write_each
from threeport.krm.deletion import DeleteOptions, begun_deletion, blocked, check_preconditions
from threeport.krm.interfaces import Action, Admission, Caller, Verb
from threeport.krm.namespaces import RESOURCE as NAMESPACES
from threeport.krm.namespaces import Namespaces, begin, name_by_label
from threeport.krm.paths import Target
from threeport.krm.references import targets_of
from threeport.krm.services import Services
from threeport.krm.views import split_bookkeeping
from threeport.resources.kind import FieldValidation, Kind, finalizer_of
from threeport.resources.validation import validate
from threeport.store.records import (
    Bookkeeping,
    Fence,
    Key,
    NameTaken,
    Operation,
    StaleRevision,
    StillReferenced,
    StoredObject,
    Write,
)

ATTEMPTS = 10
"""How often a change is made anew from the latest version, when others keep writing the same object."""

CONTROLLER_FINALIZER = ".threeport.io/finalizer"

Change: TypeAlias = Callable[[JsonObject], JsonObject]
"""Makes the next version from the object as the caller sees it, which it may change."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a write is to be made."""

    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    manager: str = "unknown"
    force: bool = False
    together: frozenset[Key] = frozenset()
    """What the same transaction creates or applies: it will be there when this is."""
    planned: Mapping[Key, StoredObject] = field(default_factory=dict)
    """What earlier operations of the same transaction make of their objects."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A write that is ready, or (`write` None) the finding that there is nothing to write."""

    kind: Kind
    write: Write | None
    outcome: StoredObject
    """The object as it is, or will be."""
    warnings: list[str] = field(default_factory=list)
    claims: Sequence[Write] = ()
    """What is written in the same transaction: `threeport.krm.claims`."""

    @property
    def creates(self) -> bool:
        return self.write is not None and self.write.operation is Operation.CREATE


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write."""

    kind: Kind
    stored: StoredObject
    created: bool
    warnings: list[str]


class Writer:
    """Plans and commits writes for callers."""

    def __init__(self, services: Services, namespaces: Namespaces) -> None:
        self._services = services
        self._namespaces = namespaces

    async def authorize(self, caller: Caller, verb: Verb, target: Target, obj: JsonObject | None = None) -> None:
        """Raises `Forbidden` unless the caller may do this."""
        action = Action(verb, target.kind, target.namespace, target.name, target.subresource)
        await self._services.authorizer.authorize(caller, action, obj)

    async def commit_change(
        self,
        target: Target,
        plan_once: Callable[[StoredObject | None], Awaitable[Plan]],
        caller: Caller,
        *,
        dry_run: bool,
        retry_taken: bool = False,
    ) -> Written:
        """Like `commit`, for what may be there: first from its state as this process knows it, which saves reading it.

        As in kube-apiserver: the write is made only if the object still is at that revision. Whatever else comes of
        it may be due to what has changed since, and does not count: it is planned again from the object as it is.
        """
        known = None if dry_run else self._services.events.latest(target.key)
        if known is not None and (written := await self._commit_known(known, plan_once, caller)) is not None:
            return written
        return await self.commit(lambda: plan_once(None), caller, dry_run=dry_run, retry_taken=retry_taken)

    async def _commit_known(
        self, known: StoredObject, plan_once: Callable[[StoredObject | None], Awaitable[Plan]], caller: Caller
    ) -> Written | None:
        try:
            plan = await plan_once(known)
            if plan.write is None:
                return None
            stored = (await self.store([plan], fence=caller.fence))[0]
        except (ApiError, NameTaken, StaleRevision, StillReferenced):
            return None
        return Written(plan.kind, stored, plan.creates, plan.warnings)

    async def commit(
        self,
        plan_once: Callable[[], Awaitable[Plan]],
        caller: Caller,
        *,
        dry_run: bool,
        retry_taken: bool = False,
    ) -> Written:
        """Makes a plan and carries it out; anew with the latest version of the object when it came too late.

        `retry_taken`: also when a create found its name taken, because the next plan is an update or takes another.
        """
        for attempt in range(ATTEMPTS):
            plan = await plan_once()
            if plan.write is None or dry_run:
                return Written(plan.kind, plan.outcome, plan.creates, plan.warnings)
            try:
                stored = (await self.store([plan], fence=caller.fence))[0]
            except (NameTaken, StillReferenced) as error:
                if attempt == ATTEMPTS - 1 or isinstance(error, StillReferenced) or not retry_taken:
                    raise self.explained(error, plan.kind) from None
            except StaleRevision:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))
            else:
                return Written(plan.kind, stored, plan.creates, plan.warnings)
        raise AssertionError("unreachable")

    async def store(self, plans: Sequence[Plan], *, fence: Fence | None) -> list[StoredObject]:
        """Writes all the plans in one transaction. Returns the outcome of each, written or not.

        Raises what the store raises; `explained` makes answers of `NameTaken` and `StillReferenced`.
        """
        writes = [plan.write for plan in plans if plan.write is not None]
        claims = [claim for plan in plans if plan.write is not None for claim in plan.claims]
        if len({claim.key for claim in claims}) < len(claims):
            raise Conflict(f"two objects of the transaction want to be the one {claims[0].key.name}; only one can")
        try:
            stored = iter(await self._services.store.write([*writes, *claims], fence=fence) if writes else [])
        except NameTaken as error:
            if error.key not in [claim.key for claim in claims]:
                raise
            raise StaleRevision(error.key, error.found) from None
        outcomes = [plan.outcome if plan.write is None else next(stored) for plan in plans]
        self._follow_up(outcomes)
        return outcomes

    def _follow_up(self, outcomes: Sequence[StoredObject]) -> None:
        """What is on its way out may take other objects with it."""
        for outcome in outcomes:
            if outcome.key.resource == NAMESPACES and outcome.deleting:
                self._namespaces.wake(outcome.key.name)
        self._services.written(outcomes)

    def explained(self, error: NameTaken | StillReferenced, kind: Kind) -> ApiError:
        """The answer to a write that the store refused."""
        if isinstance(error, StillReferenced):
            return blocked(kind, error.key, error.blockers, self._services.catalog)
        message = f'{kind.resource} "{error.key.name}" already exists'
        return AlreadyExists(message, kind=kind.plural, name=error.key.name)

    # -- create

    async def plan_create(
        self,
        caller: Caller,
        target: Target,
        body: JsonObject,
        options: Options,
        *,
        applying: bool = False,
    ) -> Plan:
        """A plan that creates an object."""
        kind = target.kind
        obj: JsonObject = _copy(body)
        metadata.check_shape(obj, kind)
        metadata.place(obj, target)
        if not obj["metadata"].get("name") and isinstance(prefix := obj["metadata"].get("generateName"), str):
            obj["metadata"]["name"] = metadata.generated_name(prefix)
        metadata.stamp_new(obj)
        own, dropped = split_bookkeeping(obj, caller.controller)
        metadata.check_metadata(obj, kind)
        self._complete_new(caller, kind, obj)
        name = obj["metadata"]["name"]
        named = replace(target, name=name)
        await self.authorize(caller, "create", named, obj)
        if target.namespace and Key(NAMESPACES, "", target.namespace) not in options.together:
            await self._namespaces.check(target.namespace)
        key = Key(kind.resource, target.namespace, name)
        obj, warnings = validate(kind, obj, options.field_validation)
        admission = await self._admit(caller, kind, key, "CREATE", obj, None, options=options)
        obj = _admitted(admission, obj)
        if not applying:
            obj["metadata"].pop("managedFields", None)
        self._services.secrecy.seal(kind, obj, None)
        if options.dry_run and (taken := await self._services.store.get(key)):
            raise self.explained(NameTaken(key, taken), kind)
        bookkeeping = drafts.with_bookkeeping({}, caller.controller, own)
        write = replace(drafts.creation(key, obj, bookkeeping), references=targets_of(kind, obj))
        outcome = write.outcome(0)
        return Plan(kind, write, outcome, [*warnings, *_dropped(dropped), *admission.warnings], admission.claims)

    def _complete_new(self, caller: Caller, kind: Kind, obj: JsonObject) -> None:
        if kind.has_status and caller.controller is None:
            obj.pop("status", None)
        if kind.resource == NAMESPACES:
            begin(obj)
            name_by_label(obj)
        if kind.controller is not None:
            finalizers = obj["metadata"].setdefault("finalizers", []) or []
            finalizer = finalizer_of(kind.controller)
            obj["metadata"]["finalizers"] = [*finalizers, *([] if finalizer in finalizers else [finalizer])]

    # -- update

    async def plan_update(
        self,
        caller: Caller,
        target: Target,
        make: Change,
        options: Options,
        *,
        verb: Literal["update", "patch"],
        stored: StoredObject | None = None,
        applying: bool = False,
    ) -> Plan:
        """A plan that changes an object by `make`. Without `stored` the object is read first; `NotFound` if absent.

        `applying`: `make` writes itself which manager owns which fields.
        """
        kind = target.kind
        stored = stored or await self.read(target)
        old = self._services.views.decoded(kind, stored, caller)
        await self.authorize(caller, verb, target, old)
        new = make(self._services.views.decoded(kind, stored, caller))
        metadata.check_shape(new, kind)
        metadata.keep_managed(new, old)
        new = _confined(kind, new, old, target.subresource, merged_status=caller.controller is not None)
        if verb == "update" and not target.subresource:
            _keep_controllers_finalizers(new, old, caller)
        return await self._finish_update(caller, target, stored, old, new, options, verb, applying=applying)

    async def _finish_update(
        self,
        caller: Caller,
        target: Target,
        stored: StoredObject,
        old: JsonObject,
        new: JsonObject,
        options: Options,
        verb: Verb,
        *,
        applying: bool,
    ) -> Plan:
        kind, warnings = target.kind, list[str]()
        own, dropped = split_bookkeeping(new, caller.controller)
        split_bookkeeping(old, caller.controller)
        if not drafts.same(new["metadata"], old["metadata"]):
            metadata.check_metadata(new, kind)
        if kind.resource == NAMESPACES:
            name_by_label(new)
        changed = not drafts.same(drafts.content_of(new), drafts.content_of(old))
        if changed:
            new, warnings = validate(kind, new, options.field_validation)
        await self.authorize(caller, verb, target, new)
        admission = await self._admit(
            caller, kind, stored.key, "UPDATE", new, old, subresource=target.subresource, options=options
        )
        new = _admitted(admission, new)
        all_warnings = [*warnings, *_dropped(dropped), *admission.warnings]
        bookkeeping = drafts.with_bookkeeping(stored.bookkeeping, caller.controller, own)
        manager = None if applying else options.manager
        owners = [obj["metadata"].get("ownerReferences") or [] for obj in (new, old)]
        refers = changed or not drafts.same(*owners)
        write = self._change(target, stored, new, bookkeeping, references=refers, manager=manager)
        outcome = stored if write is None else write.outcome(stored.revision)
        return Plan(kind, write, outcome, all_warnings, admission.claims)

    def _change(
        self,
        target: Target,
        stored: StoredObject,
        new: JsonObject,
        bookkeeping: Bookkeeping,
        *,
        references: bool,
        manager: str | None,
    ) -> Write | None:
        """The write that stores `new`; None if it is what is stored already."""
        kind = target.kind
        current: JsonObject = orjson.loads(stored.body)
        self._services.secrecy.seal(kind, new, current)
        if not drafts.same(drafts.spec_of(kind, new), drafts.spec_of(kind, current)):
            new["metadata"]["generation"] = stored.generation + 1
        if manager is not None:
            track_update(kind, current, new, manager=manager, subresource=target.subresource)
        new["metadata"].pop("resourceVersion", None)
        if drafts.same(new, current) and bookkeeping == stored.bookkeeping:
            return None
        return drafts.change(stored, new, bookkeeping, references=targets_of(kind, new) if references else None)

    # -- apply

    async def plan_apply(
        self,
        caller: Caller,
        target: Target,
        config: JsonObject,
        options: Options,
        *,
        stored: StoredObject | None = None,
    ) -> Plan:
        """A plan that applies `config`: creates the object, or merges into it what the manager wants.

        Without `stored` the object is read first.
        """
        kind = target.kind
        metadata.check_shape(config, kind)
        metadata.place(config, target)
        if kind.has_status and caller.controller is None and target.subresource != "status":
            config = {key: value for key, value in config.items() if key != "status"}
        stored = stored or await self._services.store.get(target.key)
        if stored is None:
            if target.subresource:
                raise _not_found(target)
            obj = applied(kind, None, config, manager=options.manager, force=options.force)
            return await self.plan_create(caller, target, obj, options, applying=True)

        def make(live: JsonObject) -> JsonObject:
            return applied(
                kind, live, config, manager=options.manager, force=options.force, subresource=target.subresource
            )

        return await self.plan_update(caller, target, make, options, verb="patch", stored=stored, applying=True)

    # -- delete

    async def delete_each(
        self, caller: Caller, kind: Kind, items: Sequence[StoredObject], options: DeleteOptions
    ) -> list[StoredObject]:
        """Deletes these objects, as they are, in as few transactions as possible. Returns those that it could not."""
        plans: dict[str, Plan] = {}
        for item in items:
            target = Target(kind, item.key.namespace, item.key.name)
            with contextlib.suppress(ApiError):  # who deletes it alone is told what stands against it
                plans[item.uid] = await self.plan_delete(caller, target, options, stored=item)
        writes = [plan.write for plan in plans.values() if plan.write is not None and not options.dry_run]
        failed = {failure.write.uid for failure in await write_each(self._services.store, writes, fence=caller.fence)}
        self._follow_up([plan.outcome for uid, plan in plans.items() if plan.write is not None and uid not in failed])
        return [item for item in items if item.uid in failed or item.uid not in plans]

    async def plan_delete(
        self, caller: Caller, target: Target, options: DeleteOptions, *, stored: StoredObject | None = None
    ) -> Plan:
        """A plan that deletes an object, or begins its deletion. Nothing to write if it has begun already.

        Without `stored` the object is read first.
        """
        stored = stored or await self.read(target)
        old = self._services.views.decoded(target.kind, stored, caller)
        await self.authorize(caller, "delete", target, old)
        check_preconditions(options, stored)
        if stored.deleting:
            return Plan(target.kind, None, stored)
        admission = await self._admit(
            caller, target.kind, stored.key, "DELETE", None, old, options=Options(dry_run=options.dry_run)
        )
        if options.dry_run and (blockers := await self._services.store.blockers(stored.key)):
            raise blocked(target.kind, stored.key, blockers, self._services.catalog)
        finalizer = options.finalizer if self._services.garbage_collector else None
        write = begun_deletion(stored, finalizer)
        return Plan(target.kind, write, write.outcome(stored.revision), admission.warnings)

    async def read(self, target: Target) -> StoredObject:
        """The object as stored; raises `NotFound`."""
        stored = await self._services.store.get(target.key)
        if stored is None:
            raise _not_found(target)
        return stored

    async def _admit(
        self,
        caller: Caller,
        kind: Kind,
        key: Key,
        operation: Literal["CREATE", "UPDATE", "DELETE"],
        new: JsonObject | None,
        old: JsonObject | None,
        *,
        subresource: str = "",
        options: Options,
    ) -> Admission:
        admission = Admission(
            caller=caller,
            kind=kind,
            key=key,
            operation=operation,
            new=new,
            old=old,
            subresource=subresource,
            dry_run=options.dry_run,
            together=options.together,
            planned=options.planned,
        )
        for admitter in self._services.admitters:
            await admitter.admit(admission)
        return admission


def _admitted(admission: Admission, obj: JsonObject) -> JsonObject:
    return obj if admission.new is None else admission.new


def _copy(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def _confined(kind: Kind, new: JsonObject, old: JsonObject, subresource: str, *, merged_status: bool) -> JsonObject:
    """`new` with only those parts changed that this path may change: the status, or all but the status."""
    if subresource == "status":
        kept = {key: value for key, value in old.items() if key != "status"}
        kept["metadata"] = _copy(old["metadata"])
        if "managedFields" in new["metadata"]:
            kept["metadata"]["managedFields"] = new["metadata"]["managedFields"]
        return {**kept, "status": new["status"]} if new.get("status") is not None else kept
    if kind.has_status and not merged_status:
        new = {key: value for key, value in new.items() if key != "status"}
        if "status" in old:
            new["status"] = old["status"]
    spec = new.get("spec") or {}
    if kind.resource == NAMESPACES and isinstance(spec, dict) and (held := (old.get("spec") or {}).get("finalizers")):
        new["spec"] = {**spec, "finalizers": held}
    return new


def _keep_controllers_finalizers(new: JsonObject, old: JsonObject, caller: Caller) -> None:
    """A PUT of a document that knows nothing of controllers must not let an object go without their work."""
    wanted = new["metadata"].get("finalizers") or []
    if not isinstance(wanted, list):
        return
    own = finalizer_of(caller.controller) if caller.controller else None
    held = [name for name in old["metadata"].get("finalizers") or () if name.endswith(CONTROLLER_FINALIZER)]
    if missing := [name for name in held if name not in wanted and name != own]:
        new["metadata"]["finalizers"] = [*wanted, *missing]


def _dropped(keys: list[str]) -> list[str]:
    return [f"annotation {key} is kept by a controller and was not changed" for key in keys]


def _not_found(target: Target) -> ApiError:
    kind = target.kind
    return NotFound(f'{kind.resource} "{target.name}" not found', kind=kind.plural, name=target.name)
