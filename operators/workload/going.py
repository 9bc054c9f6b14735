"""What keeps an object that is being deleted: the finalizers of others, or what is left in a namespace."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.resources.manifests import identity_of

OF_THE_GARBAGE_COLLECTOR: Final = "foregroundDeletion"


def describe_going(obj: FrozenJson) -> str:
    """``Deployment shop/web (held by finalizer example.com/audit)``."""
    holders = holders_of(obj)
    held = f" (held by finalizer {', '.join(holders)})" if holders else ""
    blocked = "; ".join(
        condition.get("message", "")
        for condition in (obj.get("status") or {}).get("conditions") or ()
        if obj["kind"] == "Namespace" and condition.get("status") == "True"
    )
    return f"{identity_of(obj)}{held}{f' ({blocked})' if blocked else ''}"


def holders_of(obj: FrozenJson) -> list[str]:
    """The finalizers that an object on its way out waits for, apart from the garbage collector's own."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return []
    return [name for name in metadata.get("finalizers") or () if name != OF_THE_GARBAGE_COLLECTOR]


def is_held_by_content(obj: FrozenJson) -> bool:
    """Whether it is a namespace on its way out in which finalizers hold something."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return obj["kind"] == "Namespace" and any(
        one.get("type") == "NamespaceFinalizersRemaining" and one.get("status") == "True" for one in conditions
    )
