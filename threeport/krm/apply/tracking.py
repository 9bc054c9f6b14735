"""Updates of applied objects: what they change passes to whoever made them."""

from __future__ import annotations

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.apply.fieldsv1 import FieldSet, fields_of, is_missing, root_schema, value_at
from threeport.krm.apply.managers import Manager, in_place, managers_of, write_managers
from threeport.krm.metadata import timestamp
from threeport.resources.kind import Kind


def track_update(kind: Kind, old: FrozenJson | None, new: JsonObject, *, manager: str, subresource: str = "") -> None:
    """Gives the fields that an update changed to its manager. Changes ``managedFields`` of `new`.

    Does nothing for objects that nobody has applied. A client that sends ``managedFields: [{}]`` resets them.
    """
    stated = new["metadata"].get("managedFields")
    tracked = (old or {"metadata": {}})["metadata"].get("managedFields")
    if stated == [{}]:
        del new["metadata"]["managedFields"]
        return
    if old is None or not tracked:
        new["metadata"].pop("managedFields", None)
        return
    if not stated:
        new["metadata"]["managedFields"] = tracked
    managers = managers_of(new)
    changed, gone = _changes(kind, old, new)
    if not changed and not gone:
        return
    mine = Manager(manager, "Update", subresource, set(), timestamp(), kind.api_version)
    before = next((other for other in managers if other.identity == mine.identity), None)
    mine.fields = (before.fields if before else set()) | changed
    others = [other for other in managers if other is not before]
    for other in others:
        other.fields -= changed | gone
    mine.fields -= gone
    write_managers(new, in_place(managers, before, mine))


def _changes(kind: Kind, old: FrozenJson, new: FrozenJson) -> tuple[FieldSet, FieldSet]:
    """The fields that `new` states differently from `old`, and those that it no longer has."""
    schema = root_schema(kind.schema)
    before, after = fields_of(old, kind.schema), fields_of(new, kind.schema)
    changed = {
        path for path in after if path not in before or value_at(old, path, schema) != value_at(new, path, schema)
    }
    gone = {path for path in before - after if is_missing(value_at(new, path, schema))}
    return changed, gone
