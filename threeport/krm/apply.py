"""Server-side apply: each manager owns the fields it applied; two who want different values have a conflict.

The algorithm of Kubernetes ("Server-Side Apply" in its documentation; structured-merge-diff, ``merge/update.go``),
with maps, atomic lists, lists by key and sets. As in its apiserver (``NewSkipNonAppliedManager``) an object has
``managedFields`` only from the first apply on; what it held before then belongs to ``before-first-apply``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from threeport.common.errors import BadRequest, Cause, Conflict
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.fieldsv1 import (
    FieldSet,
    FieldsPath,
    field_schema,
    fields_of,
    from_json,
    is_atomic,
    is_missing,
    list_type,
    root_schema,
    step_of,
    to_json,
    value_at,
)
from threeport.krm.metadata import timestamp
from threeport.resources.kind import Kind

BEFORE = "before-first-apply"


@dataclass(slots=True)
class Manager:
    """One entry of ``managedFields``: who, by which operation, on which subresource, owns which fields."""

    name: str
    operation: str
    subresource: str
    fields: FieldSet
    time: str
    api_version: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.name, self.operation, self.subresource

    def as_json(self) -> JsonObject:
        entry: JsonObject = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_json(self.fields),
        }
        return {**entry, "subresource": self.subresource} if self.subresource else entry


def managers_of(obj: FrozenJson) -> list[Manager]:
    """The entries of ``managedFields``. Raises `BadRequest` for entries that are none."""
    entries = obj["metadata"].get("managedFields") or []
    try:
        return [_manager(entry) for entry in entries if entry]
    except (KeyError, TypeError, AttributeError):
        raise BadRequest("metadata.managedFields is malformed; leave it out, the server writes it") from None


def _manager(entry: FrozenJson) -> Manager:
    return Manager(
        name=str(entry["manager"]),
        operation=str(entry["operation"]),
        subresource=str(entry.get("subresource", "")),
        fields=from_json(entry.get("fieldsV1") or {}),
        time=str(entry.get("time", "")),
        api_version=str(entry.get("apiVersion", "")),
    )


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
    _settle_conflicts(kind, config, live or {}, wanted, others, schema, force=force)
    result: JsonObject = _merge(live or {}, config, schema)
    kept = set[FieldsPath]().union(*(other.fields for other in others))
    # Items of lists go before what is in them, since without its key fields an item is not found any more.
    for path in sorted((before.fields if before else set()) - wanted, key=len):
        if not _is_within(path, kept) and not _is_within(path, wanted):
            result = _without(result, path, schema)
    if before and before.fields == wanted:
        mine.time = before.time
    write_managers(result, _in_place(managers, before, mine))
    return result


def _live_managers(kind: Kind, live: JsonObject | None) -> list[Manager]:
    if live is None:
        return []
    if found := managers_of(live):
        return found
    return [Manager(BEFORE, "Update", "", fields_of(live, kind.schema), timestamp(), kind.api_version)]


def _settle_conflicts(
    kind: Kind,
    config: JsonObject,
    live: JsonObject,
    wanted: FieldSet,
    others: Sequence[Manager],
    schema: FrozenJson,
    *,
    force: bool,
) -> None:
    """Raises `Conflict`, or with `force` takes the fields in conflict away from the others."""
    causes: list[Cause] = []
    for other in others:
        taken = {path for path in other.fields & wanted if _differs(live, config, path, schema)}
        if force:
            other.fields -= taken
        else:
            causes += [
                Cause(_readable(path), f'conflict with "{other.name}"', "FieldManagerConflict")
                for path in sorted(taken)
            ]
    if causes:
        fields = "; ".join(f"{cause.message}: {cause.field}" for cause in causes)
        name = config["metadata"].get("name", "")
        text = f"Apply failed with {len(causes)} conflict{'s' if len(causes) > 1 else ''}: {fields}"
        raise Conflict(
            f"{text}; leave these fields out, or take them over with --force-conflicts (force=true)",
            kind=kind.plural,
            name=name,
            causes=causes,
        )


def _differs(live: JsonObject, config: JsonObject, path: FieldsPath, schema: FrozenJson) -> bool:
    if path[-1].startswith("k:"):
        return False
    return bool(value_at(live, path, schema) != value_at(config, path, schema))


def _readable(path: FieldsPath) -> str:
    return "".join(f".{step[2:]}" if step.startswith("f:") else f"[{step[2:]}]" for step in path)


def _is_within(path: FieldsPath, fields: FieldSet) -> bool:
    """Whether the field, or one inside it, is in the set."""
    return path in fields or any(other[: len(path)] == path for other in fields)


def _merge(live: Any, config: Any, schema: FrozenJson) -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and not is_atomic(schema):
        merged = dict(live)
        for key, value in config.items():
            merged[key] = _merge(live.get(key), value, field_schema(schema, key))
        return merged
    if isinstance(config, list) and isinstance(live, list) and list_type(schema) != "atomic":
        items = {step_of(item, schema): item for item in live}
        for item in config:
            step = step_of(item, schema)
            items[step] = _merge(items.get(step), item, schema.get("items", {}))
        return list(items.values())
    return config


def _without(obj: Any, path: FieldsPath, schema: FrozenJson) -> Any:
    """A copy of `obj` that lacks the field, and the maps that it leaves empty."""
    step, rest = path[0], path[1:]
    if step.startswith("f:"):
        if not isinstance(obj, dict) or step[2:] not in obj:
            return obj
        inner = _without(obj[step[2:]], rest, field_schema(schema, step[2:])) if rest else None
        copy = {**obj, step[2:]: inner}
        if not rest or (inner in ({}, []) and len(path) > 1):
            del copy[step[2:]]
        return copy
    if not isinstance(obj, list):
        return obj
    if not rest:
        return [item for item in obj if step_of(item, schema) != step]
    items = schema.get("items", {})
    return [_without(item, rest, items) if step_of(item, schema) == step else item for item in obj]


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
    write_managers(new, _in_place(managers, before, mine))


def _in_place(managers: Sequence[Manager], before: Manager | None, mine: Manager) -> list[Manager]:
    """The managers with an entry renewed where it stood, so that nothing changes when nothing has changed."""
    if before is None:
        return [*managers, mine]
    return [mine if manager is before else manager for manager in managers]


def _changes(kind: Kind, old: FrozenJson, new: FrozenJson) -> tuple[FieldSet, FieldSet]:
    """The fields that `new` states differently from `old`, and those that it no longer has."""
    schema = root_schema(kind.schema)
    before, after = fields_of(old, kind.schema), fields_of(new, kind.schema)
    changed = {
        path for path in after if path not in before or value_at(old, path, schema) != value_at(new, path, schema)
    }
    gone = {path for path in before - after if is_missing(value_at(new, path, schema))}
    return changed, gone


def write_managers(obj: JsonObject, managers: Sequence[Manager]) -> None:
    """Sets ``managedFields`` of `obj`, leaving out managers that own nothing."""
    metadata = {**obj["metadata"]}
    metadata["managedFields"] = [manager.as_json() for manager in managers if manager.fields]
    obj["metadata"] = metadata
