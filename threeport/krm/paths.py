"""From the path of a request to the kind, namespace, name and subresource that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from threeport.common.errors import NotFound
from threeport.resources.kind import Catalog, Kind
from threeport.store.records import Key


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. Without `name` it is the collection; without `namespace` that of all namespaces."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """The key of the object named."""
        return Key(self.kind.resource, self.namespace, self.name)


def segments_of(path: str) -> list[str]:
    """The parts of a path; raises `NotFound` for empty, ``.`` and ``..`` parts, which no client of good will sends."""
    segments = path.strip("/").split("/")
    if any(part in ("", ".", "..") for part in segments):
        raise NotFound("the server could not find the requested resource")
    return segments


def parse_target(catalog: Catalog, group: str, version: str, rest: list[str]) -> Target:
    """The target of ``[namespaces/<namespace>/]<plural>[/<name>[/<subresource>]]`` below a group and version."""
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (group == "" and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    kind = catalog.by_path(group, version, rest[0])
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        raise NotFound(f"the server has no {rest[0]} at this path; its discovery (/apis) lists what it has")
    name, subresource = [*rest[1:], "", ""][:2]
    if name and kind.namespaced and not namespace:
        raise NotFound(f"{kind.resource} live in namespaces; use /namespaces/<namespace>/{kind.plural}/{name}")
    return Target(kind, namespace, name, subresource)
