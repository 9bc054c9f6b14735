"""What every write passes on its way: the object it is about, the authorizer, and the steps of admission."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from threeport.common.errors import NotFound
from threeport.common.types import JsonObject
from threeport.krm.interfaces import Action, Admission, Caller, Verb
from threeport.krm.paths import Target
from threeport.krm.services import Services
from threeport.krm.writing.plans import WriteRequest
from threeport.store.records import Key, StoredObject


async def authorize(
    services: Services, caller: Caller, verb: Verb, target: Target, obj: JsonObject | None = None
) -> None:
    """Raises `Forbidden` unless the caller may do this: to any such object, or to `obj`."""
    action = Action(verb, target.kind, target.namespace, target.name, target.subresource)
    await services.authorizer.authorize(caller, action, obj)


async def read(services: Services, target: Target) -> StoredObject:
    """The object as stored; raises `NotFound`."""
    stored = await services.store.get(target.key)
    if stored is None:
        raise not_found(target)
    return stored


def not_found(target: Target) -> NotFound:
    """The answer where an object is not."""
    kind = target.kind
    return NotFound(f'{kind.resource} "{target.name}" not found', kind=kind.plural, name=target.name)


async def admit(
    services: Services,
    request: WriteRequest,
    key: Key,
    operation: Literal["CREATE", "UPDATE", "DELETE"],
    *,
    new: JsonObject | None,
    old: JsonObject | None,
) -> Admission:
    """The write of `new` (a DELETE: None) in place of `old` (a CREATE: None), after all steps of admission.

    Its `new` may be another object than the one given. Raises what a step refuses it with.
    """
    admission = Admission(
        caller=request.caller,
        kind=request.target.kind,
        key=key,
        operation=operation,
        new=new,
        old=old,
        subresource=request.target.subresource,
        dry_run=request.options.dry_run,
        together=request.options.together,
        planned=request.options.planned,
    )
    for admitter in services.admitters:
        await admitter.admit(admission)
    return admission


def warnings_of(dropped: Sequence[str], admission: Admission) -> list[str]:
    """What the caller is told of annotations that were `dropped`, and of admission."""
    kept = [f"annotation {key} is kept by a controller and was not changed" for key in dropped]
    return [*kept, *admission.warnings]
