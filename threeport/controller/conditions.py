"""Conditions: the parts of a status that say, to programs and people, how an object is and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from threeport.common.types import FrozenJson, JsonObject

READY: Final = "Ready"

Truth = Literal["True", "False", "Unknown"]


def set_condition(
    status: JsonObject, kind: str, value: Truth, *, reason: str, message: str = "", generation: int | None = None
) -> None:
    """Puts the condition into `status`. Its ``lastTransitionTime`` moves only when its value does."""
    conditions = [dict(condition) for condition in status.get("conditions") or ()]
    former = next((condition for condition in conditions if condition.get("type") == kind), None)
    moved = former is None or former.get("status") != value
    made: JsonObject = {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message,
        "lastTransitionTime": _now() if moved or former is None else former.get("lastTransitionTime") or _now(),
    }
    if generation is not None:
        made["observedGeneration"] = generation
    if former is None:
        conditions.append(made)
    else:
        conditions[conditions.index(former)] = made
    status["conditions"] = conditions


def drop_condition(status: JsonObject, kind: str) -> None:
    """Takes a condition out that no longer says anything."""
    if condition(status, kind) is not None:
        status["conditions"] = [one for one in status["conditions"] if one.get("type") != kind]


def condition(status: FrozenJson | None, kind: str) -> FrozenJson | None:
    """The condition of this type, if the status has it."""
    found: Sequence[FrozenJson] = (status or {}).get("conditions") or ()
    return next((one for one in found if one.get("type") == kind), None)


def is_ready(obj: FrozenJson) -> bool:
    """Whether the object is Ready at its current generation and not on its way out."""
    status, metadata = obj.get("status") or {}, obj.get("metadata") or {}
    ready = condition(status, READY)
    return (
        ready is not None
        and ready.get("status") == "True"
        and status.get("observedGeneration") == metadata.get("generation")
        and not metadata.get("deletionTimestamp")
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
