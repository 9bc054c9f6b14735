"""Plans that create an object."""

from __future__ import annotations

from dataclasses import replace

import orjson

from threeport.common.types import JsonObject
from threeport.krm import drafts, metadata
from threeport.krm.interfaces import Caller
from threeport.krm.metadata_rules import check_metadata
from threeport.krm.namespaces import RESOURCE as NAMESPACES
from threeport.krm.namespaces import Namespaces, begin, name_by_label
from threeport.krm.paths import Target
from threeport.krm.references import targets_of
from threeport.krm.services import Services
from threeport.krm.views import split_bookkeeping
from threeport.krm.writing.access import admit, authorize, warnings_of
from threeport.krm.writing.plans import Plan, WriteRequest
from threeport.krm.writing.refusals import already_exists
from threeport.resources.kind import Kind, finalizer_of
from threeport.resources.validation import validate
from threeport.store.records import Key


class Creator:
    """Plans creations; `namespaces` tells which of them take new objects."""

    def __init__(self, services: Services, namespaces: Namespaces) -> None:
        self._services = services
        self._namespaces = namespaces

    async def plan(self, request: WriteRequest, body: JsonObject, *, applying: bool = False) -> Plan:
        """A plan that creates what `body` says. `applying`: it says itself which manager owns which fields.

        Raises `ApiError`; in a dry run also for a name that is taken.
        """
        caller, options, kind = request.caller, request.options, request.target.kind
        obj = _placed(body, request.target)
        own, dropped = split_bookkeeping(obj, caller.controller)
        check_metadata(obj, kind)
        _complete(obj, kind, caller)
        target = replace(request.target, name=obj["metadata"]["name"])
        await authorize(self._services, caller, "create", target, obj)
        await self._check_namespace(request)
        obj, warnings = validate(kind, obj, options.field_validation)
        admission = await admit(self._services, request, target.key, "CREATE", new=obj, old=None)
        obj = obj if admission.new is None else admission.new
        if not applying:
            obj["metadata"].pop("managedFields", None)
        self._services.secrecy.seal(kind, obj, None)
        if options.dry_run and await self._services.store.get(target.key):
            raise already_exists(target.key, kind)
        bookkeeping = drafts.with_bookkeeping({}, caller.controller, own)
        write = replace(drafts.creation(target.key, obj, bookkeeping), references=targets_of(kind, obj))
        return Plan(kind, write, write.outcome(0), [*warnings, *warnings_of(dropped, admission)], admission.claims)

    async def _check_namespace(self, request: WriteRequest) -> None:
        namespace = request.target.namespace
        if namespace and Key(NAMESPACES, "", namespace) not in request.options.together:
            await self._namespaces.check(namespace)


def _placed(body: JsonObject, target: Target) -> JsonObject:
    """A copy of `body` with its place, its name and what only the server writes: the plan may be made again."""
    obj: JsonObject = orjson.loads(orjson.dumps(body))
    metadata.check_shape(obj, target.kind)
    metadata.place(obj, target)
    if not obj["metadata"].get("name") and isinstance(prefix := obj["metadata"].get("generateName"), str):
        obj["metadata"]["name"] = metadata.generated_name(prefix)
    metadata.stamp_new(obj)
    return obj


def _complete(obj: JsonObject, kind: Kind, caller: Caller) -> None:
    """Takes away a status that the caller may not set, and adds what objects of the kind begin with."""
    if kind.has_status and caller.controller is None:
        obj.pop("status", None)
    if kind.resource == NAMESPACES:
        begin(obj)
        name_by_label(obj)
    if kind.controller is not None:
        finalizers = obj["metadata"].setdefault("finalizers", []) or []
        finalizer = finalizer_of(kind.controller)
        obj["metadata"]["finalizers"] = [*finalizers, *([] if finalizer in finalizers else [finalizer])]
