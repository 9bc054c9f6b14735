"""In which order objects of a set depend on each other: what is referred to stands before what refers to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind

REFERENCE_SUFFIX = "Ref"
"""By the convention of the API, a field ``somethingRef: {name, namespace?}`` refers to another object."""


class Target(NamedTuple):
    """One object that a command acts on."""

    kind: Kind
    obj: JsonObject

    @property
    def name(self) -> str:
        name: str = self.obj["metadata"]["name"]
        return name

    @property
    def namespace(self) -> str | None:
        """Its namespace; None if the kind is cluster-scoped."""
        return self.obj["metadata"].get("namespace") if self.kind.namespaced else None

    def __str__(self) -> str:
        return f"{self.kind.singular}/{self.name}"


def levels(targets: Sequence[Target]) -> list[list[Target]]:
    """The objects in levels: each level refers only to earlier ones (and namespaces come before what is in them).

    Objects that refer to each other in a circle come last, together, in the order given.
    """
    open_targets = list(targets)
    result: list[list[Target]] = []
    while open_targets:
        level = [
            target
            for target in open_targets
            if not any(other is not target and _refers(target, other) for other in open_targets)
        ]
        result.append(level or open_targets)
        done = {id(target) for target in result[-1]}
        open_targets = [target for target in open_targets if id(target) not in done]
    return result


def _refers(target: Target, other: Target) -> bool:
    """Whether `target` refers to `other`, or lies in it. A name that fits counts: at worst the order is too careful."""
    if other.kind.resource == "namespaces" and target.namespace == other.name:
        return True
    for name, namespace in _references(target.obj.get("spec")):
        wanted = namespace or target.namespace
        if name == other.name and (not other.kind.namespaced or other.namespace == wanted):
            return True
    return False


def _references(value: object) -> Iterator[tuple[str, str | None]]:
    """(name, namespace) of every reference in a value; manifests and other lists of foreign objects are left out."""
    if not isinstance(value, dict):
        return
    for field, inner in value.items():
        if field.endswith(REFERENCE_SUFFIX) and _is_reference(inner):
            yield inner["name"], inner.get("namespace")
        else:
            yield from _references(inner)


def _is_reference(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def in_namespace(obj: FrozenJson, kind: Kind, namespace: str) -> JsonObject:
    """The object with a namespace: its own, else the given one; none if the kind is cluster-scoped."""
    metadata = dict(obj["metadata"])
    if kind.namespaced:
        metadata.setdefault("namespace", namespace)
    return {**obj, "metadata": metadata}
