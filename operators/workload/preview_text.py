"""How the answer of a preview is told: its summary, within bounds. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import orjson

from operators.workload.foresight import CHANGE, CREATE, PRUNE, REPLACE, UNCHANGED
from threeport.common.ids import SUFFIX_LENGTH
from threeport.common.types import FrozenJson, JsonObject

MOST_RESOURCES: Final = 1000
VALUE_LIMIT: Final = 4 * 1024
"""Characters of one value."""
CHANGES_LIMIT: Final = 256 * 1024
"""Bytes of JSON of all changes together: an object of the API holds 1.5 MB, the proposal included."""

_WORDS: Final = ((CREATE, "create"), (CHANGE, "change"), (REPLACE, "replace"), (PRUNE, "prune"))


def summary_of(resources: Sequence[FrozenJson]) -> str:
    """``2 to create, 1 to change; 3 unchanged; 1 would be refused``."""
    counts = Counter(one["action"] for one in resources)
    acts = ", ".join(f"{counts[action]} to {word}" for action, word in _WORDS if counts[action])
    parts = [acts or "nothing to do"]
    if counts[UNCHANGED]:
        parts.append(f"{counts[UNCHANGED]} unchanged")
    if refused := sum(1 for one in resources if one.get("error")):
        parts.append(f"{refused} would be refused")
    return "; ".join(parts)


def bounded(resources: Sequence[JsonObject]) -> tuple[list[JsonObject], str | None]:
    """The resources within the bounds, and a sentence about what was left out, if anything was."""
    left, shown, without_changes = CHANGES_LIMIT, list[JsonObject](), 0
    for one in _most_telling(resources):
        if not one.get("changes"):
            shown.append(one)
            continue
        changes = [{name: _bounded_value(value) for name, value in change.items()} for change in one["changes"]]
        size = len(orjson.dumps(changes))
        if size > left:
            without_changes += 1
            shown.append({name: value for name, value in one.items() if name != "changes"})
            continue
        left -= size
        shown.append({**one, "changes": changes})
    return shown, _what_is_left_out(len(resources) - len(shown), without_changes)


def with_nameless_namespace(resources: Sequence[JsonObject], namespace: str) -> list[JsonObject]:
    """The resources of an instance that does not exist: its namespace will end with what nobody knows yet."""
    shown = f"{namespace[:-SUFFIX_LENGTH]}<suffix>"
    return [
        {name: shown if value == namespace and name in ("name", "namespace") else value for name, value in one.items()}
        for one in resources
    ]


def _most_telling(resources: Sequence[JsonObject]) -> list[JsonObject]:
    """As many as a preview holds, in their order. What stays as it is goes first: else a change might not be told."""
    by_weight = sorted(range(len(resources)), key=lambda index: not _tells(resources[index]))
    return [resources[index] for index in sorted(by_weight[:MOST_RESOURCES])]


def _tells(one: FrozenJson) -> bool:
    return bool(one["action"] != UNCHANGED or one.get("error") or one.get("message"))


def _bounded_value(value: Any) -> Any:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text) <= VALUE_LIMIT:
        return value
    return f"{text[:VALUE_LIMIT]}... ({len(text)} characters)"


def _what_is_left_out(resources: int, without_changes: int) -> str | None:
    parts = []
    if without_changes:
        held = f"as a preview holds {CHANGES_LIMIT // 1024} KiB of them"
        parts.append(f"the changed fields of {_objects(without_changes)}, {held}")
    if resources:
        parts.append(f"{_objects(resources)}, as a preview holds {MOST_RESOURCES}")
    return f"Left out: {'; '.join(parts)}." if parts else None


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"
