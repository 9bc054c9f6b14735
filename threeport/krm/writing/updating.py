"""Plans that change an object: by a PUT, a patch, or what an apply makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm import drafts, metadata
from threeport.krm.apply.tracking import track_update
from threeport.krm.metadata_rules import check_metadata
from threeport.krm.namespaces import RESOURCE as NAMESPACES
from threeport.krm.namespaces import name_by_label
from threeport.krm.references import targets_of
from threeport.krm.services import Services
from threeport.krm.views import split_bookkeeping
from threeport.krm.writing.access import admit, authorize, read, warnings_of
from threeport.krm.writing.confinement import confined, keep_controllers_finalizers
from threeport.krm.writing.plans import Plan, WriteRequest
from threeport.resources.validation import validate
from threeport.store.records import Bookkeeping, StoredObject, Write

Change: TypeAlias = Callable[[JsonObject], JsonObject]
"""Makes the next version from the object as the caller sees it, which it may change."""

UpdateVerb: TypeAlias = Literal["update", "patch"]


class Updater:
    """Plans changes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def plan(
        self,
        request: WriteRequest,
        make: Change,
        *,
        verb: UpdateVerb,
        stored: StoredObject | None = None,
        applying: bool = False,
    ) -> Plan:
        """A plan that changes an object by `make`. Without `stored` the object is read first; `NotFound` if absent.

        `applying`: `make` writes itself which manager owns which fields. Raises `ApiError`.
        """
        caller, target, views = request.caller, request.target, self._services.views
        stored = stored or await read(self._services, target)
        old = views.decoded(target.kind, stored, caller)
        await authorize(self._services, caller, verb, target, old)
        new = _next_version(request, make(views.decoded(target.kind, stored, caller)), old, verb)
        own, dropped = split_bookkeeping(new, caller.controller)
        split_bookkeeping(old, caller.controller)
        _settle_metadata(request, new, old)
        warnings: list[str] = []
        changed = not drafts.same(drafts.content_of(new), drafts.content_of(old))
        if changed:
            new, warnings = validate(target.kind, new, request.options.field_validation)
        await authorize(self._services, caller, verb, target, new)
        admission = await admit(self._services, request, stored.key, "UPDATE", new=new, old=old)
        new = new if admission.new is None else admission.new
        bookkeeping = drafts.with_bookkeeping(stored.bookkeeping, caller.controller, own)
        refers = changed or not drafts.same(_owners(new), _owners(old))
        manager = None if applying else request.options.manager
        write = self._write(request, stored, new, bookkeeping, refers=refers, manager=manager)
        outcome = stored if write is None else write.outcome(stored.revision)
        return Plan(target.kind, write, outcome, [*warnings, *warnings_of(dropped, admission)], admission.claims)

    def _write(
        self,
        request: WriteRequest,
        stored: StoredObject,
        new: JsonObject,
        bookkeeping: Bookkeeping,
        *,
        refers: bool,
        manager: str | None,
    ) -> Write | None:
        """The write that stores `new`; None if it is what is stored already.

        `refers`: it may refer to others than before. `manager` is who made the change; None if `new` says it.
        """
        kind = request.target.kind
        current: JsonObject = orjson.loads(stored.body)
        self._services.secrecy.seal(kind, new, current)
        if not drafts.same(drafts.spec_of(kind, new), drafts.spec_of(kind, current)):
            new["metadata"]["generation"] = stored.generation + 1
        if manager is not None:
            track_update(kind, current, new, manager=manager, subresource=request.target.subresource)
        new["metadata"].pop("resourceVersion", None)
        if drafts.same(new, current) and bookkeeping == stored.bookkeeping:
            return None
        return drafts.change(stored, new, bookkeeping, references=targets_of(kind, new) if refers else None)


def _next_version(request: WriteRequest, new: JsonObject, old: JsonObject, verb: UpdateVerb) -> JsonObject:
    """What of `new` the caller may have written at this path. Raises `BadRequest`, `Conflict` or `Invalid`."""
    caller, target = request.caller, request.target
    metadata.check_shape(new, target.kind)
    metadata.keep_managed(new, old)
    new = confined(target, new, old, merged_status=caller.controller is not None)
    if verb == "update" and not target.subresource:
        keep_controllers_finalizers(new, old, caller)
    return new


def _settle_metadata(request: WriteRequest, new: JsonObject, old: FrozenJson) -> None:
    """Raises `Invalid` for metadata that was changed to what it cannot be; labels a namespace by its name."""
    kind = request.target.kind
    if not drafts.same(new["metadata"], old["metadata"]):
        check_metadata(new, kind)
    if kind.resource == NAMESPACES:
        name_by_label(new)


def _owners(obj: FrozenJson) -> object:
    return obj["metadata"].get("ownerReferences") or []
