"""Deletion: at once, or marked first where finalizers want something done before the object goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import orjson

from threeport.common.errors import BadRequest, Conflict
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.drafts import change, is_pinned
from threeport.krm.metadata import timestamp
from threeport.krm.negotiation import is_true
from threeport.krm.options import INVALID, invalid_option, not_supported, parse_dry_run
from threeport.store.records import Operation, StoredObject, Write

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
"""Finalizers by which a garbage collector knows what is to become of what the object owns."""

_POLICIES: Final[Mapping[str, str | None]] = {"Background": None, "Foreground": FOREGROUND, "Orphan": ORPHAN}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """What a DELETE may ask for beyond the object: its state, and that nothing really happens."""

    uid: str | None = None
    revision: str | None = None
    dry_run: bool = False
    finalizer: str | None = None
    """What the propagation policy asks of a garbage collector, on servers that have one."""


def parse_options(body: FrozenJson, query: Mapping[str, str] = MappingProxyType({}), *, dry_run: bool) -> DeleteOptions:
    """The options in the body of a DELETE, or in its query. Raises `BadRequest` for values that mean nothing.

    A grace period is for what runs on nodes: nothing waits for it here, whatever it is.
    """
    policy = query.get("propagationPolicy") or body.get("propagationPolicy")
    if (orphan := _orphaning(body, query)) is not None:
        if policy is not None:
            why = "orphanDependents and propagationPolicy cannot be both set"
            raise invalid_option("DeleteOptions", "propagationPolicy", INVALID, why)
        policy = "Orphan" if orphan else "Background"
    grace = query.get("gracePeriodSeconds") or body.get("gracePeriodSeconds") or 0
    if isinstance(grace, bool) or not isinstance(grace, int | str) or not re.fullmatch(r"-?\d{1,18}", str(grace)):
        raise BadRequest(f"gracePeriodSeconds is {str(grace)[:40]!r}, not a number of seconds")
    if policy is not None and not isinstance(policy, str):
        raise BadRequest(f"propagationPolicy is {str(policy)[:40]!r}, not text")
    if policy is not None and policy not in _POLICIES:
        raise not_supported("DeleteOptions", "propagationPolicy", policy, [*_POLICIES])
    preconditions = body.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        raise BadRequest("preconditions must be an object with uid or resourceVersion")
    return DeleteOptions(
        uid=preconditions.get("uid"),
        revision=preconditions.get("resourceVersion"),
        dry_run=_is_dry_run(body) or dry_run,
        finalizer=_POLICIES[policy] if policy else None,
    )


def _is_dry_run(body: FrozenJson) -> bool:
    wanted = body.get("dryRun") or []
    if not isinstance(wanted, list):
        raise BadRequest(f'dryRun is {str(wanted)[:40]!r}, not a list such as ["All"]')
    return parse_dry_run([str(value) for value in wanted], "DeleteOptions")


def _orphaning(body: FrozenJson, query: Mapping[str, str]) -> bool | None:
    """What the predecessor of propagationPolicy says, which old clients still send."""
    if "orphanDependents" in query:
        return is_true(query, "orphanDependents")
    wanted = body.get("orphanDependents")
    return wanted if isinstance(wanted, bool) else None


def check_preconditions(options: DeleteOptions, stored: StoredObject) -> None:
    """Raises `Conflict` if the object is not the one that the caller means."""
    name = stored.key.name
    if options.uid is not None and options.uid != stored.uid:
        raise Conflict(f"{name!r} has uid {stored.uid}, not {options.uid}: it was created anew", name=name)
    if options.revision is not None and options.revision != str(stored.revision):
        raise Conflict(f"{name!r} has changed: it is at resourceVersion {stored.revision}; read it again", name=name)


def begun_deletion(stored: StoredObject, finalizer: str | None = None) -> Write:
    """The write that begins the deletion: of the row if nothing holds the object, else a mark with the time.

    `finalizer` is added first: it holds the object for a garbage collector.
    """
    obj: JsonObject = orjson.loads(stored.served())
    if finalizer is not None:
        held = obj["metadata"].get("finalizers") or []
        obj["metadata"]["finalizers"] = [*held, *([] if finalizer in held else [finalizer])]
    if is_pinned(obj):
        generation = stored.generation + 1
        obj["metadata"].update(deletionTimestamp=timestamp(), deletionGracePeriodSeconds=0, generation=generation)
        if stored.key.resource == "namespaces":
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        return replace(change(stored, obj, stored.bookkeeping), refuse_if_referenced=True)
    write = change(stored, obj, stored.bookkeeping)
    return replace(write, operation=Operation.DELETE, refuse_if_referenced=True)
