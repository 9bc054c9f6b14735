"""What the API knows of a kind: its names, its schema, and how its fields are treated.

A `Kind` is plain data. The protocol (`threeport.krm`) serves any kind, whether it was made from a pydantic model
(`threeport.resources.model`), or from a CustomResourceDefinition that a user applied to a simulated cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from threeport.common.types import FrozenJson

FieldPath: TypeAlias = tuple[str, ...]
"""The way to a field from the root of the object: ``("spec", "token")``. ``"*"`` stands for every item or key."""

FieldValidation: TypeAlias = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column, as in a CustomResourceDefinition: `path` is ``.spec.x`` or a simple JSONPath with a filter.

    Of kinds that are no custom resources it may be several paths with spaces between; their values are joined by ``/``.
    """

    name: str
    path: str
    type: Literal["string", "integer", "boolean", "date", "number"] = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceField:
    """A field that refers to an object of `resource` (``workloaddefinitions.threeport.io``): ``{name, namespace?}``, or
    just its name."""

    path: FieldPath
    resource: str
    namespaced: bool
    blocks_deletion: bool = True
    """Whether the object referred to cannot be deleted while this one refers to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object as served: names, scope, schema, and the treatment of its fields."""

    kind: str
    plural: str
    singular: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    schema: FrozenJson = field(default_factory=lambda: {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    """Structural OpenAPI v3 schema of the whole object, as a CustomResourceDefinition holds it."""
    columns: tuple[Column, ...] = ()
    has_status: bool = True
    """Whether ``/status`` is a subresource: then writes of the object itself leave the status as it is."""
    controller: str | None = None
    """The controller whose finalizer is set at creation (`finalizer_of`), for kinds whose deletion needs work."""
    sensitive: tuple[FieldPath, ...] = ()
    """Fields that are sealed at rest and redacted in answers."""
    manifests: tuple[FieldPath, ...] = ()
    """Lists of Kubernetes manifests: text is split into objects at admission, the values of Secrets are sensitive."""
    references: tuple[ReferenceField, ...] = ()
    model: type | None = None
    """The pydantic model that validates it, if it was made from one."""

    @property
    def resource(self) -> str:
        """The name that is unique over all groups: ``workloads.threeport.io``, ``namespaces``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """``threeport.io/v1alpha1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


def finalizer_of(controller: str) -> str:
    """The finalizer that the operator of this controller uses with kopf, and that the API sets at creation."""
    return f"{controller}.threeport.io/finalizer"


def bookkeeping_prefix_of(controller: str) -> str:
    """The annotation prefix under which the operator of this controller keeps kopf's progress and diff base."""
    return f"{controller}.kopf.threeport.io"


class Catalog:
    """The kinds that a server has, looked up by resource, path, or what a person types. It may grow and shrink."""

    def __init__(self, kinds: Sequence[Kind] = ()) -> None:
        self._kinds: dict[str, Kind] = {}
        self.generation = 0
        """Counts the changes, for those who cache what they derive from the catalog."""
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Adds a kind, or replaces the one of the same resource."""
        self._kinds[kind.resource] = kind
        self.generation += 1

    def remove(self, resource: str) -> None:
        """Removes a kind; no such kind is no error."""
        if self._kinds.pop(resource, None) is not None:
            self.generation += 1

    def __iter__(self) -> Iterator[Kind]:
        return iter(tuple(self._kinds.values()))

    def by_resource(self, resource: str) -> Kind | None:
        """The kind of ``workloads.threeport.io``."""
        return self._kinds.get(resource)

    def by_path(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind served at ``/apis/<group>/<version>/<plural>`` (``/api/<version>/<plural>`` for the core group)."""
        kind = self._kinds.get(f"{plural}.{group}" if group else plural)
        return kind if kind and kind.version == version else None

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an object that says ``apiVersion`` and ``kind``."""
        return next((k for k in self._kinds.values() if k.kind == kind and k.api_version == api_version), None)

    def by_word(self, word: str) -> Kind | None:
        """The kind that a person means: plural, singular, short name, kind, or plural.group; case does not matter."""
        wanted = word.lower()
        for kind in self._kinds.values():
            if wanted in (kind.plural, kind.singular, kind.kind.lower(), kind.resource, *kind.short_names):
                return kind
        return None

    def groups(self) -> list[tuple[str, str]]:
        """All (group, version) pairs, the core group first."""
        return sorted({(kind.group, kind.version) for kind in self._kinds.values()})
