"""Conflicts: what one manager applies and another owns with another value."""

from __future__ import annotations

from collections.abc import Sequence

from threeport.common.errors import Cause, Conflict
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.apply.fieldsv1 import FieldSet, FieldsPath, root_schema, value_at
from threeport.krm.apply.managers import Manager
from threeport.resources.kind import Kind


def settle_conflicts(
    kind: Kind,
    config: JsonObject,
    live: JsonObject,
    wanted: FieldSet,
    others: Sequence[Manager],
    *,
    force: bool,
) -> None:
    """Raises `Conflict`, or with `force` takes the fields in conflict away from the others."""
    schema, causes = root_schema(kind.schema), list[Cause]()
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
