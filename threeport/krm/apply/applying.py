"""The algorithm of server-side apply."""

from __future__ import annotations

from threeport.common.types import JsonObject
from threeport.krm.apply.conflicts import settle_conflicts
from threeport.krm.apply.fieldsv1 import FieldSet, FieldsPath, fields_of, root_schema
from threeport.krm.apply.managers import Manager, in_place, managers_of, write_managers
from threeport.krm.apply.merging import merged, without
from threeport.krm.metadata import timestamp
from threeport.resources.kind import Kind

BEFORE = "before-first-apply"


def applied(
    kind: Kind, live: JsonObject | None, config: JsonObject, *, manager: str, force: bool, subresource: str = ""
) -> JsonObject:
    """`live` with `config` applied by `manager`; a new object if `live` is None. Changes neither.

    What the manager applied before and leaves out now is removed, unless another owns it too. Raises `Conflict` naming
    the fields and their owners, if others own fields with other values and `force` is not given.
    """
    schema = root_schema(kind.schema)
    config = {**config, "metadata": {k: v for k, v in config["metadata"].items() if k != "managedFields"}}
    wanted = fields_of(config, kind.schema)
    managers = _live_managers(kind, live)
    mine = Manager(manager, "Apply", subresource, wanted, timestamp(), kind.api_version)
    others = [other for other in managers if other.identity != mine.identity]
    before = next((other for other in managers if other.identity == mine.identity), None)
    settle_conflicts(kind, config, live or {}, wanted, others, force=force)
    result: JsonObject = merged(live or {}, config, schema)
    kept = set[FieldsPath]().union(*(other.fields for other in others))
    # Items of lists go before what is in them, since without its key fields an item is not found any more.
    for path in sorted((before.fields if before else set()) - wanted, key=len):
        if not _is_within(path, kept) and not _is_within(path, wanted):
            result = without(result, path, schema)
    if before and before.fields == wanted:
        mine.time = before.time
    write_managers(result, in_place(managers, before, mine))
    return result


def _live_managers(kind: Kind, live: JsonObject | None) -> list[Manager]:
    if live is None:
        return []
    if found := managers_of(live):
        return found
    return [Manager(BEFORE, "Update", "", fields_of(live, kind.schema), timestamp(), kind.api_version)]


def _is_within(path: FieldsPath, fields: FieldSet) -> bool:
    """Whether the field, or one inside it, is in the set."""
    return path in fields or any(other[: len(path)] == path for other in fields)
