"""What of an object a change may touch: by path the status or all but the status, and never another's finalizer."""

from __future__ import annotations

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Caller
from threeport.krm.namespaces import RESOURCE as NAMESPACES
from threeport.krm.paths import Target
from threeport.resources.kind import finalizer_of

CONTROLLER_FINALIZER = ".threeport.io/finalizer"
"""What the finalizers of all controllers end with."""


def confined(target: Target, new: JsonObject, old: JsonObject, *, merged_status: bool) -> JsonObject:
    """`new` with only those parts changed that this path may change: the status, or all but the status.

    `merged_status`: the caller writes both at once, as controllers do.
    """
    if target.subresource == "status":
        return _only_status(new, old)
    if target.kind.has_status and not merged_status:
        new = {key: value for key, value in new.items() if key != "status"}
        if "status" in old:
            new["status"] = old["status"]
    return _still_held(new, old) if target.kind.resource == NAMESPACES else new


def _only_status(new: JsonObject, old: JsonObject) -> JsonObject:
    kept = {key: value for key, value in old.items() if key != "status"}
    kept["metadata"] = orjson.loads(orjson.dumps(old["metadata"]))
    if "managedFields" in new["metadata"]:
        kept["metadata"]["managedFields"] = new["metadata"]["managedFields"]
    return {**kept, "status": new["status"]} if new.get("status") is not None else kept


def _still_held(namespace: JsonObject, old: FrozenJson) -> JsonObject:
    """The namespace with the ``spec.finalizers`` that hold it: they go when its content is gone."""
    spec, held = namespace.get("spec") or {}, (old.get("spec") or {}).get("finalizers")
    return {**namespace, "spec": {**spec, "finalizers": held}} if isinstance(spec, dict) and held else namespace


def keep_controllers_finalizers(new: JsonObject, old: FrozenJson, caller: Caller) -> None:
    """A PUT of a document that knows nothing of controllers must not let an object go without their work.

    Changes `new`; a controller may take its own finalizer away.
    """
    wanted = new["metadata"].get("finalizers") or []
    if not isinstance(wanted, list):
        return
    own = finalizer_of(caller.controller) if caller.controller else None
    held = [name for name in old["metadata"].get("finalizers") or () if name.endswith(CONTROLLER_FINALIZER)]
    if missing := [name for name in held if name not in wanted and name != own]:
        new["metadata"]["finalizers"] = [*wanted, *missing]
