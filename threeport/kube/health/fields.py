"""Reading objects of a cluster, where any field may be absent or null."""

from __future__ import annotations

from threeport.common.types import FrozenJson, JsonObject


def part(obj: FrozenJson, *path: str) -> JsonObject:
    """The object at `path`; an empty one if any step is absent or null."""
    node = obj
    for step in path:
        found = node.get(step)
        if not isinstance(found, dict):
            return {}
        node = found
    return dict(node)


def items(obj: FrozenJson, *path: str) -> list[JsonObject]:
    """The list of objects at `path`; an empty one if any step is absent or null."""
    found = part(obj, *path[:-1]).get(path[-1])
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def number(obj: FrozenJson, *path: str, default: int = 0) -> int:
    """The whole number at `path`; `default` if it is absent or null."""
    found = part(obj, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) else default


def condition(obj: FrozenJson, kind: str) -> JsonObject:
    """The condition of type `kind` in the status; an empty object if there is none."""
    return next((found for found in items(obj, "status", "conditions") if found.get("type") == kind), {})


def is_unobserved(obj: FrozenJson) -> bool:
    """Whether the controller of the object has not yet seen its newest generation."""
    observed = part(obj, "status").get("observedGeneration")
    generation = part(obj, "metadata").get("generation")
    return isinstance(generation, int) and (not isinstance(observed, int) or observed < generation)
